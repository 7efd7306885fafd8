"""What a unit does with documents that come, go and come back, between flushes, rollbacks and commits."""

import threading

import pytest

from boundwork import Document, DuplicateKey, Repository, StaleDocument, UnitOfWork
from boundwork.uow.commands import BulkWrite, DeleteOne
from boundwork.uow.run_sync import run_sync
from boundwork.uow.sessions.memory import MemoryDatabase


class Account(Document[int], collection="accounts"):
    owner: str = ""
    year: int = 0
    lines: list[dict[str, int]] = []


class Bank(UnitOfWork):
    accounts = Repository(Account)


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def bank(database: MemoryDatabase) -> Bank:
    bank = Bank(database)
    with bank as uow:
        uow.accounts.add(Account(id=1, owner="Anna"))
    return bank


def ids(database: MemoryDatabase) -> list[int]:
    return [stored["_id"] for stored in database.documents("accounts")]


def rival(bank: Bank, owner: str) -> None:
    def work() -> None:
        with bank as uow:
            uow.accounts.get(1).owner = owner

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_document_comes_back_after_its_removal_was_flushed(bank: Bank, database: MemoryDatabase) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        uow.accounts.remove(account)
        assert uow.accounts.count() == 0
        uow.accounts.add(account)
        assert uow.accounts.get(1) is account
        uow.flush()
        account.owner = "Anne"
    assert database.documents("accounts")[0]["owner"] == "Anne"


def test_a_document_that_came_back_and_goes_again_is_gone(bank: Bank, database: MemoryDatabase) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        uow.accounts.remove(account)
        uow.flush()
        uow.accounts.add(account)
        uow.accounts.remove(account)
        assert uow.accounts.find_by_id(1) is None
    assert ids(database) == []


def test_a_document_that_came_back_is_there_after_a_rollback(bank: Bank) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        uow.accounts.remove(account)
        uow.flush()
        uow.accounts.add(account)
        uow.flush()
        uow.rollback()
        assert uow.accounts.get(1) is account
        account.owner = "Anne"
    with bank as uow:
        assert uow.accounts.get(1).owner == "Anne"


def test_add_if_absent_brings_a_removed_document_back(bank: Bank, database: MemoryDatabase) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        uow.accounts.remove(account)
        uow.flush()
        assert uow.accounts.add_if_absent(account)
    assert ids(database) == [1]


def test_removing_a_document_twice_removes_it_once(bank: Bank, database: MemoryDatabase) -> None:
    with bank as uow:
        account = uow.accounts.get(1)
        uow.accounts.remove(account)
        uow.flush()
        uow.accounts.remove(account)
    assert uow.receipt.removed == 1
    assert ids(database) == []


def test_a_new_document_that_was_flushed_and_removed_is_new_again_after_a_rollback(
    bank: Bank, database: MemoryDatabase
) -> None:
    with bank as uow:
        account = uow.accounts.add(Account(id=5))
        uow.flush()
        uow.accounts.remove(account)
        uow.rollback()
        uow.accounts.add(account)
    assert ids(database) == [1, 5]


def test_after_a_commit_a_removal_is_guarded_even_if_nothing_else_is_known(
    bank: Bank, database: MemoryDatabase
) -> None:
    with pytest.raises(StaleDocument), bank as uow:
        account = uow.accounts.get(1)
        uow.commit()
        rival(bank, "Rival")
        uow.accounts.remove(account)
    assert database.documents("accounts")[0]["owner"] == "Rival"


def test_after_a_commit_a_document_that_was_removed_and_taken_back_is_still_guarded(bank: Bank) -> None:
    with pytest.raises(StaleDocument), bank as uow:
        account = uow.accounts.get(1)
        uow.commit()
        rival(bank, "Rival")
        uow.accounts.remove(account)
        uow.accounts.add(account)
        account.owner = "Anne"


def test_add_if_absent_names_the_document_whose_other_key_is_taken(bank: Bank, database: MemoryDatabase) -> None:
    database.create_unique_index("accounts", "owner")
    with pytest.raises(DuplicateKey) as caught, bank as uow:
        uow.accounts.add_if_absent(Account(id=9, owner="Anna"))
    assert (caught.value.id, caught.value.fields) == (9, ("owner",))


def test_an_update_that_met_nothing_is_found_beside_an_exchange_of_keys(bank: Bank, database: MemoryDatabase) -> None:
    database.create_unique_index("accounts", "owner")
    with bank as uow:
        uow.accounts.add_all([Account(id=2, owner="Bert"), Account(id=3, owner="Carl")])
    with pytest.raises(StaleDocument, match="Account 3"), bank as uow:
        first, second, third = (uow.accounts.get(number) for number in (1, 2, 3))
        run_sync(uow.core.session.write([BulkWrite("accounts", (DeleteOne({"_id": 3}),))]))  # as a raw call would
        first.owner, second.owner = second.owner, first.owner
        third.year = 7


def test_two_halves_of_a_compound_key_may_be_changed_in_one_unit(bank: Bank, database: MemoryDatabase) -> None:
    with bank as uow:
        uow.accounts.add(Account(id=2, owner="Bert"))
    database.create_unique_index("accounts", "owner", "year")
    with bank as uow:
        uow.accounts.get(1).owner = "Bert"
        uow.accounts.get(2).year = 1
    assert [(stored["owner"], stored["year"]) for stored in database.documents("accounts")] == [
        ("Bert", 0),
        ("Bert", 1),
    ]


@pytest.mark.parametrize("in_place", [True, False])
def test_a_unique_value_in_an_array_may_pass_to_another_document(
    bank: Bank, database: MemoryDatabase, in_place: bool
) -> None:
    database.create_unique_index("accounts", "lines.sku", sparse=True)
    with bank as uow:
        uow.accounts.get(1).lines = [{"sku": 1}]
        uow.accounts.add(Account(id=2, lines=[{"sku": 2}]))
    with bank as uow:
        first, second = uow.accounts.get(1), uow.accounts.get(2)
        if in_place:
            first.lines[0]["sku"], second.lines[0]["sku"] = 2, 3
        else:
            first.lines, second.lines = [{"sku": 2}, {"sku": 5}], [{"sku": 3}, {"sku": 6}]
    assert [stored["lines"][0]["sku"] for stored in database.documents("accounts")] == [2, 3]
