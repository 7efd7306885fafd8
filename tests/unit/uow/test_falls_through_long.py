"""A long body needs wide jumps; that must not change the answer."""

import pytest

from tests.unit.uow.test_falls_through import answers_of, async_answers_of


def long_body(lines: int) -> str:
    work = "\n".join(f"                work = [{number}, work]" for number in range(lines))
    return f"        work = None\n        for one in rounds:\n            WITH one:\n{work}\n"


@pytest.mark.parametrize("lines", [20, 60, 400])
def test_the_length_of_the_block_does_not_matter(lines: int) -> None:
    assert answers_of(long_body(lines)) == {True}
    assert async_answers_of(long_body(lines), naps=1) == {True}
