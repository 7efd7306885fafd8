"""Many new documents at once: any iterable, nothing sent while one of them is bad, all of them repeated if need be."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from boundwork import Document, DuplicateKey, InvalidDocument, NotInUnit, TransientFailure
from boundwork.uow import log
from tests.contract.colours import define
from tests.contract.rivals import Rival
from tests.contract.shop import Account

NUMBER = 1200


class Row(Document[int], collection="rows"):
    text: str = ""
    key: UUID = UUID(int=5)
    other: dict[str, int] = {}


class Key(Document[dict[str, int]], collection="keys"):
    pass


@pytest.fixture
def rows(database: Any, colour: str) -> Any:
    return define(colour, database, rows=Row, keys=Key, accounts=Account)


def new(number: int) -> Iterator[Row]:
    return (Row(id=each, text=f"row {each}", other={"n": each}) for each in range(number))


async def test_a_generator_of_many_documents_is_stored(rows: Any) -> None:
    async with rows as uow:
        added = uow.rows.add_all(new(NUMBER))
        assert await uow.rows.get(9) is added[9]
        assert await uow.rows.count() == NUMBER
        added[5].text = "changed"
    assert uow.receipt.inserted == NUMBER
    async with rows as uow:
        found = await uow.rows.find().sort("_id").to_list()
        assert [row.id for row in found] == list(range(NUMBER))
        assert (found[5].text, found[7].text, found[7].other, found[7].key) == (
            "changed",
            "row 7",
            {"n": 7},
            UUID(int=5),
        )


@pytest.mark.parametrize("wrong", [5, "\ud800"], ids=["type", "lone surrogate"])
async def test_a_bad_document_in_the_middle_is_named_before_anything_is_sent(rows: Any, wrong: Any) -> None:
    fresh: list[Any] = list(new(NUMBER))
    fresh[600].text = wrong
    async with rows as uow:
        uow.rows.add_all(fresh)
        sent = uow.core.session.commands
        with pytest.raises(InvalidDocument, match="600") as refused:
            await uow.flush()
        assert (refused.value.fields, uow.core.session.commands) == (("text",), sent)
        fresh[600].text = "mended"
    async with rows as uow:
        assert (await uow.rows.get(600)).text == "mended"
        assert await uow.rows.count() == NUMBER


async def test_what_is_no_document_of_the_model_registers_nothing(rows: Any) -> None:
    async with rows as uow:
        with pytest.raises(TypeError, match="was given Account"):
            uow.rows.add_all([*new(3), Account(id=1)])

        def breaking() -> Iterator[Row]:
            yield Row(id=1)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            uow.rows.add_all(breaking())
        assert await uow.rows.count() == 0


async def test_where_one_cannot_be_added_none_is(rows: Any) -> None:
    async with rows as uow:
        kept, removed = uow.rows.add(Row(id=7)), uow.rows.add(Row(id=8))
        await uow.flush()
        uow.rows.remove(removed)
        first, second = Row(id=1), Row(id=2)
        with pytest.raises(NotInUnit, match="Row 1 cannot be added"):
            uow.rows.add_all([kept, first, removed, second, Row(id=1)])
        assert [row.id for row in await uow.rows.find().to_list()] == [7]
        uow.rows.add(first)
    async with rows as uow:
        assert [row.id for row in await uow.rows.find().sort("_id").to_list()] == [1, 7]


@pytest.mark.parametrize("known", ["added", "read", "of an earlier transaction", "twice among them"])
async def test_where_one_of_many_new_ones_is_a_second_object_none_is_added(rows: Any, known: str) -> None:
    async with rows as uow:
        uow.rows.add(Row(id=7))
    async with rows as uow:
        kept = uow.rows.add(Row(id=8)) if known == "added" else await uow.rows.get(7)
        if known == "of an earlier transaction":
            await uow.commit()
        first, second = Row(id=1), Row(id=2 if known == "twice among them" else kept.id)
        with pytest.raises(NotInUnit, match=f"Row {second.id} cannot be added"):
            uow.rows.add_all([first, Row(id=2), second])
        uow.rows.add_all([first])
    async with rows as uow:
        ids = [row.id for row in await uow.rows.find().sort("_id").to_list()]
        assert ids == ([1, 7, 8] if known == "added" else [1, 7])


async def test_many_new_ones_take_the_places_of_those_that_are_removed(rows: Any) -> None:
    async with rows as uow:
        uow.rows.add_all([Row(id=1, text="old"), Row(id=2, text="old")])
    async with rows as uow:
        uow.rows.remove(await uow.rows.get(1))
        uow.rows.add_all([Row(id=1, text="new"), Row(id=3, text="new")])
        assert (await uow.rows.get(1)).text == "new"
    async with rows as uow:
        texts = {row.id: row.text for row in await uow.rows.find().to_list()}
        assert texts == {1: "new", 2: "old", 3: "new"}


async def test_a_taken_key_among_many_is_named_and_nothing_is_stored(rows: Any) -> None:
    async with rows as uow:
        uow.rows.add(Row(id=700))
    with pytest.raises(DuplicateKey, match="700") as taken:
        async with rows as uow:
            uow.rows.add_all(new(NUMBER))
    assert (taken.value.id, taken.value.fields) == (700, ("_id",))
    async with rows as uow:
        assert await uow.rows.count() == 1


async def test_many_documents_are_undone_with_a_nested_unit_and_repeated_after_one(rows: Any) -> None:
    async with rows as uow:
        uow.rows.add_all(new(NUMBER))
        await uow.flush()
        with pytest.raises(ZeroDivisionError):
            async with rows as inner:
                inner.rows.add_all([Row(id=NUMBER + each) for each in range(NUMBER)])
                inner.keys.add_all([Key(id={"a": each}) for each in range(NUMBER)])
                await inner.flush()
                raise ZeroDivisionError
    async with rows as uow:
        assert (await uow.rows.count(), await uow.keys.count()) == (NUMBER, 0)


async def test_past_the_budget_a_unit_is_not_repeated(
    rows: Any, shop: Any, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rows as uow:
        uow.accounts.add(Account(id=1))
        uow.rows.add(Row(id=-1))
    for budget, repeats in ((1_000_000, True), (1000, False)):
        monkeypatch.setattr(log, "INSERT_BUDGET_BYTES", budget)
        rival = Rival(shop, colour)
        await rival.start()
        failed = False
        try:
            async with rows as uow:
                uow.rows.add_all(new(NUMBER))
                await uow.flush()
                rival.end_once_met(uow, commits=False)
                (await uow.accounts.get(1)).balance += 1
                await uow.flush()
                await uow.rollback()
        except TransientFailure:
            failed = True
        await rival.finish(commits=False)
        assert failed is not repeats


async def test_one_document_is_no_list_of_documents(rows: Any) -> None:
    async with rows as uow:
        with pytest.raises(TypeError, match=r"given one Row; add\(\) takes one"):
            uow.rows.add_all(Row(id=1))
