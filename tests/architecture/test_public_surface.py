"""The public names: each resolves, is documented, and is exported on purpose."""

import inspect
from importlib import import_module
from types import ModuleType

import pytest

import boundwork
from boundwork import errors

PUBLIC = [
    "boundwork",
    "boundwork.alembic_like_migrations",
    "boundwork.models",
    "boundwork.repositories",
    "boundwork.uow",
]


@pytest.mark.parametrize("module_name", PUBLIC)
def test_every_exported_name_resolves_and_is_exported_once(module_name: str) -> None:
    module = import_module(module_name)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)
    assert [name for name in module.__all__ if name.startswith("_") and name != "__version__"] == []


def test_nothing_is_public_by_accident() -> None:
    visible = {
        name
        for name, value in vars(boundwork).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert visible - set(boundwork.__all__) == set()


def test_every_exported_class_and_function_is_documented() -> None:
    exported = {name: getattr(boundwork, name) for name in boundwork.__all__}
    documented = {name for name, value in exported.items() if inspect.getdoc(value)}
    assert {name for name, value in exported.items() if callable(value)} - documented == set()


def test_every_error_is_exported_and_derives_from_one_base() -> None:
    defined = {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
    }
    assert set(defined) - set(boundwork.__all__) == set()
    assert [name for name, value in defined.items() if not issubclass(value, boundwork.BoundworkError)] == []
