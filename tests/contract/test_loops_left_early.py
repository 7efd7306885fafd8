"""A loop that is left early ends the generator that it drives, and the unit in that: what is lost then is told."""

import gc
import sys
from collections.abc import Generator
from itertools import islice
from typing import Any

import pytest

from boundwork import NestedUnitOfWork, UnitDoomed
from tests.contract.banks import balances, fill
from tests.server.bank import Account, Bank

LEFT_EARLY = r"generator .*rows\(\) was left early"


def rows(bank: Bank) -> Generator[Account]:
    with bank as uow:
        yield from uow.accounts.find().sort(Account.id)


def through(bank: Bank) -> Generator[Account]:
    yield from rows(bank)


def sliced(bank: Bank) -> Any:
    return islice(rows(bank), 3)


@pytest.fixture(autouse=True)
def filled(bank: Bank) -> None:
    fill(bank)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """Return the errors that nobody could catch."""
    errors: list[BaseException | None] = []

    def tell(unraisable: Any) -> None:
        errors.append(unraisable.exc_value)

    monkeypatch.setattr(sys, "unraisablehook", tell)
    return errors


@pytest.mark.parametrize("generator", [rows, through, sliced])
@pytest.mark.parametrize("returns", [False, True])
def test_what_a_loop_changed_in_a_nested_unit_of_its_generator_is_not_lost_without_a_word(
    bank: Bank, generator: Any, returns: bool
) -> None:
    def loop() -> None:
        for account in generator(bank):
            account.balance = 7
            if returns:
                return
            break

    with pytest.raises(UnitDoomed) as caught, bank as uow:
        uow.accounts.get(1).balance = 5
        loop()
    with pytest.raises(NestedUnitOfWork, match=LEFT_EARLY):
        raise caught.value.__cause__ or AssertionError
    assert balances(bank) == [0, 0, 0]


def test_what_was_changed_before_the_loop_or_in_a_whole_one_is_kept(bank: Bank) -> None:
    with bank as uow:
        uow.accounts.get(1).balance = 5
        for _ in rows(bank):
            break
        for account in rows(bank):
            account.balance += 1
        for _ in rows(bank):
            break
    assert balances(bank) == [1, 6, 1]


def test_an_error_in_the_loop_undoes_the_nested_unit_alone(bank: Bank) -> None:
    with bank as uow:
        uow.accounts.get(1).balance = 5
        with pytest.raises(ZeroDivisionError):
            for account in rows(bank):
                account.balance = 7 // 0 if account.balance else 7
        gc.collect()
    assert balances(bank) == [0, 5, 0]


def test_what_a_loop_changed_in_the_unit_of_its_generator_is_not_lost_without_a_word(
    bank: Bank, told: list[BaseException | None]
) -> None:
    for account in rows(bank):
        account.balance = 7
        break
    with pytest.raises(NestedUnitOfWork, match=LEFT_EARLY):
        raise told.pop() or AssertionError
    assert balances(bank) == [0, 0, 0]


def test_nothing_is_told_where_nothing_is_lost(bank: Bank, told: list[BaseException | None]) -> None:
    for account in rows(bank):
        assert account.balance == 0
        break
    for account in list(rows(bank)):
        account.balance = 7
    assert told == []
