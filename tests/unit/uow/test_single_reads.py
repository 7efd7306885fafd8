"""Which line of the program is named where documents are read one by one."""

import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from inspect import currentframe

import pytest

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, ManySingleReads, Repository, UnitOfWork, connect


class Person(Document[int], collection="people"):
    name: str = ""


class People(Repository[Person]):
    def named(self, numbers: Iterable[int]) -> list[Person | None]:
        return [self.find_by_id(number) for number in numbers]


class Town(UnitOfWork):
    people = People()


class AsyncTown(AsyncUnitOfWork):
    people = AsyncRepository(Person)


@contextmanager
def noticed() -> Generator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield found


def line() -> int:
    frame = currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_the_line_is_that_of_the_loop() -> None:
    with connect("memory://town") as database, Town(database) as uow, noticed() as found:
        for number in range(30):
            uow.people.find_by_id(number)
        after = line()
    (warning,) = found
    assert (warning.filename, warning.lineno) == (__file__, after - 1)


async def test_the_line_is_that_of_the_loop_of_a_task() -> None:
    with connect("memory://town") as database:
        async with AsyncTown(database) as uow:
            with noticed() as found:
                for number in range(30):
                    await uow.people.find_by_id(number)
                after = line()
    (warning,) = found
    assert (warning.filename, warning.lineno) == (__file__, after - 1)


def test_the_line_in_a_repository_of_the_program_is_the_program_s() -> None:
    with connect("memory://town") as database, Town(database) as uow, noticed() as found:
        uow.people.named(range(12))
    (warning,) = found
    assert (warning.filename, warning.lineno) == (__file__, People.named.__code__.co_firstlineno + 1)


def test_lines_that_each_read_a_little_do_not_warn() -> None:
    with connect("memory://town") as database, Town(database) as uow:
        with noticed() as found:
            for number in range(9):
                uow.people.find_by_id(number)
            for number in range(4):
                uow.people.find_by_id(number)
            for number in range(4):
                uow.people.find_by_id(number)
        assert found == []
        with noticed() as found:
            for number in range(5):
                uow.people.find_by_id(number)
        assert len(found) == 1
        with noticed() as found:
            for number in range(30):
                uow.people.find_by_id(number)
        assert found == [], "a unit warns once"


def test_the_standard_filters_of_warnings_decide() -> None:
    with connect("memory://town") as database:
        shop = Town(database)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ManySingleReads)
            with shop as uow:
                uow.people.named(range(30))
        with warnings.catch_warnings():
            warnings.simplefilter("error", ManySingleReads)
            with pytest.raises(ManySingleReads, match=r"Town has sent 10 reads"), shop as uow:
                uow.people.named(range(30))
