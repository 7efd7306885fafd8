from pathlib import Path
from typing import Any

from boundwork.uow.origin import origin_of_caller

HERE = Path(__file__).name


def ask_as(module: str) -> Any:
    """Give a function that asks and claims to be of a module."""
    names: dict[str, Any] = {"__name__": module, "ask": origin_of_caller}
    exec(compile("def inner():\n    return ask()\n", "/some/where/of_package.py", "exec"), names)  # noqa: S102 - a caller
    return names["inner"]


def test_the_origin_is_file_and_line_of_the_caller() -> None:
    line = test_the_origin_is_file_and_line_of_the_caller.__code__.co_firstlineno
    assert origin_of_caller() == f"{HERE}:{line + 2}"


def test_frames_of_boundwork_are_passed_over() -> None:
    line = test_frames_of_boundwork_are_passed_over.__code__.co_firstlineno
    assert ask_as("boundwork.repositories.binding")() == f"{HERE}:{line + 2}"


def test_a_package_whose_name_only_begins_alike_is_a_caller() -> None:
    assert ask_as("boundwork_shop.service")() == "of_package.py:2"


def test_the_folder_of_the_file_is_not_named() -> None:
    assert ask_as("shop")() == "of_package.py:2"
