"""What a unit says of a document that somebody else deleted, or changed past its model, after it was read."""

from typing import Any

import pytest

from boundwork import Document, DocumentNotFound, NotInUnit, StaleDocument
from tests.contract.colours import define
from tests.contract.rivals import elsewhere
from tests.contract.shop import Account, Order


class Note(Document[int], collection="notes"):
    text: str = ""


class MarkedNote(Document[int], collection="notes"):
    text: str = ""
    legacy: list[int] = [1]


@pytest.fixture
def notes(database: Any, colour: str) -> Any:
    return define(colour, database, notes=Note)


@pytest.fixture
def marked(database: Any, colour: str) -> Any:
    return define(colour, database, notes=MarkedNote)


@pytest.fixture
async def account(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1, balance=1))


async def _deleted_meanwhile(uow: Any, shop: Any, colour: str) -> Any:
    """Return account 1, read in a transaction that was committed; then somebody else has deleted it."""

    async def rival() -> None:
        async with shop as other:
            other.accounts.remove(await other.accounts.get(1))

    account = await uow.accounts.get(1)
    await uow.commit()
    await elsewhere(colour, rival)
    return account


async def _balances(shop: Any) -> dict[int, int]:
    async with shop as uow:
        return {account.id: account.balance for account in await uow.accounts.find().to_list()}


async def test_a_field_that_the_model_does_not_know_does_not_make_a_document_stale(notes: Any, marked: Any) -> None:
    async with marked as uow:
        uow.notes.add(MarkedNote(id=1))
    async with notes as uow:
        note = await uow.notes.get(1)
        note.text = "a"
        await uow.commit()
        note.text = "b"
        await uow.commit()
        uow.notes.remove(note)
        await uow.flush()
        await uow.rollback()
    async with marked as uow:
        assert (await uow.notes.get(1)).text == "b"


@pytest.mark.parametrize("legacy", [None, [2]], ids=["unset", "changed"])
async def test_a_rivals_change_of_a_field_that_the_model_does_not_know_is_noticed(
    notes: Any, marked: Any, colour: str, legacy: Any
) -> None:
    async def rival() -> None:
        async with marked as uow:
            note = await uow.notes.get(1)
            if legacy is None:
                del note.legacy
            else:
                note.legacy = legacy

    async with marked as uow:
        uow.notes.add(MarkedNote(id=1))
    with pytest.raises(StaleDocument):
        async with notes as uow:
            note = await uow.notes.get(1)
            await uow.commit()
            await elsewhere(colour, rival)
            note.text = "b"


@pytest.mark.parametrize("word", ["find_by_id", "get_many", "refresh", "add_if_absent"])
async def test_where_a_document_was_found_deleted_another_one_may_take_its_id(
    shop: Any, colour: str, account: None, word: str
) -> None:
    async with shop as uow:
        old = await _deleted_meanwhile(uow, shop, colour)
        new = Account(id=1, balance=7)
        if word == "add_if_absent":
            assert await uow.accounts.add_if_absent(new)
        else:
            if word == "find_by_id":
                assert await uow.accounts.find_by_id(1) is None
            else:
                with pytest.raises(DocumentNotFound):
                    await (uow.refresh(old) if word == "refresh" else uow.accounts.get_many([1]))
            uow.accounts.add(new)
        uow.accounts.remove(old)
        assert await uow.accounts.get(1) is new
        await uow.flush()
        assert await uow.accounts.find(Account.balance == 7).to_list() == [new]
        new.balance += 1
    assert await _balances(shop) == {1: 8}


async def test_a_change_of_a_document_that_was_found_deleted_says_so(shop: Any, colour: str, account: None) -> None:
    with pytest.raises(StaleDocument, match="Account 1"):
        async with shop as uow:
            old = await _deleted_meanwhile(uow, shop, colour)
            assert await uow.accounts.find_by_id(1) is None
            uow.accounts.add(Account(id=1, balance=7))
            await uow.flush()
            old.balance = 5
    assert await _balances(shop) == {}


async def test_a_document_that_was_found_deleted_may_be_added_again(shop: Any, colour: str, account: None) -> None:
    async with shop as uow:
        old = await _deleted_meanwhile(uow, shop, colour)
        assert await uow.accounts.find_by_id(1) is None
        old.balance = 5
        uow.accounts.add(old)
        assert await uow.accounts.get(1) is old
    assert await _balances(shop) == {1: 5}


async def test_without_having_asked_a_second_document_with_the_id_is_refused_and_the_error_says_what_helps(
    shop: Any, colour: str, account: None
) -> None:
    async with shop as uow:
        await _deleted_meanwhile(uow, shop, colour)
        with pytest.raises(NotInUnit, match="find_by_id"):
            uow.accounts.add(Account(id=1))


async def test_a_rollback_takes_back_that_a_document_was_found_deleted(shop: Any, colour: str, account: None) -> None:
    async def restore() -> None:
        async with shop as uow:
            uow.accounts.add(Account(id=1, balance=9))

    async with shop as uow:
        old = await _deleted_meanwhile(uow, shop, colour)
        assert await uow.accounts.find_by_id(1) is None
        uow.accounts.add(Account(id=1, balance=7))
        await uow.rollback()
        await elsewhere(colour, restore)
        assert await uow.accounts.get(1) is old
        assert old.balance == 9
        old.balance = 10
    assert await _balances(shop) == {1: 10}


@pytest.mark.parametrize("flushed", [False, True])
async def test_a_failed_nested_unit_takes_back_that_a_document_was_found_deleted(
    shop: Any, colour: str, account: None, flushed: bool
) -> None:
    async with shop as uow:
        old = await _deleted_meanwhile(uow, shop, colour)
        with pytest.raises(ZeroDivisionError):
            async with uow:
                assert await uow.accounts.find_by_id(1) is None
                uow.accounts.add(Account(id=1, balance=7))
                if flushed:
                    await uow.flush()
                raise ZeroDivisionError
        assert await uow.accounts.find_by_id(1) is None
        uow.accounts.add(Account(id=1, balance=8))
    assert old.balance == 1
    assert await _balances(shop) == {1: 8}


@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("inside", [False, True])
async def test_a_failed_nested_unit_takes_back_that_a_deleted_document_was_added_again(
    shop: Any, colour: str, account: None, inside: bool, flushed: bool
) -> None:
    async with shop as uow:
        old = await _deleted_meanwhile(uow, shop, colour)
        if not inside:
            assert await uow.accounts.find_by_id(1) is None
            uow.accounts.add(old)
        with pytest.raises(ZeroDivisionError):
            async with uow:
                if inside:
                    assert await uow.accounts.find_by_id(1) is None
                    uow.accounts.add(old)
                old.balance = 5
                if flushed:
                    await uow.flush()
                raise ZeroDivisionError
        assert await uow.accounts.find_by_id(1) is (None if inside else old)
        assert old.balance == 1
    assert await _balances(shop) == ({} if inside else {1: 1})


async def test_a_query_without_a_flush_leaves_out_what_the_unit_removes(quiet_shop: Any) -> None:
    async with quiet_shop as uow:
        uow.orders.add_all([Order(number="A"), Order(number="B")])
    async with quiet_shop as uow:
        going, staying = await uow.orders.find().sort("number").to_list()
        uow.orders.remove(going)
        assert await uow.orders.find().to_list() == [staying]
        assert await uow.orders.find_by_id(going.id) is None
        uow.orders.add(going)
        assert await uow.orders.get(going.id) is going
        assert await uow.orders.find().sort("number").to_list() == [going, staying]
        uow.orders.remove(going)
    async with quiet_shop as uow:
        assert [order.number for order in await uow.orders.find().to_list()] == ["B"]


async def test_a_removal_that_a_failed_nested_unit_takes_back_leaves_the_document_guarded(
    shop: Any, colour: str, account: None
) -> None:
    async def rival() -> None:
        async with shop as uow:
            (await uow.accounts.get(1)).balance = 100

    with pytest.raises(StaleDocument):
        async with shop as uow:
            mine = await uow.accounts.get(1)
            await uow.commit()
            await elsewhere(colour, rival)
            with pytest.raises(ZeroDivisionError):
                async with uow:
                    uow.accounts.remove(mine)
                    raise ZeroDivisionError
            mine.balance += 1
    assert await _balances(shop) == {1: 100}
