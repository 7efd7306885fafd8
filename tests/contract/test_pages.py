"""Pages of a result: forward and back, stable while documents come and go, and only with tokens of their own."""

import random
from typing import Any

import pytest

from boundwork import Document, Embedded, InvalidPageToken, StaleDocument, UnitDoomed, any_of, desc, some
from tests.contract.colours import define
from tests.contract.shop import Account, Customer


class Rank(Embedded):
    points: int


class Player(Document[int], collection="players"):
    name: str
    level: int | None = None
    score: int | str | None = None
    rank: Rank | None = None
    tags: list[str] = []
    extra: Any = None


@pytest.fixture
async def players(database: Any, colour: str) -> Any:
    shop = define(colour, database, players=Player, accounts=Account, customers=Customer)
    draw = random.Random(1)
    async with shop as uow:
        for number in range(30):
            uow.players.add(
                Player(
                    id=number,
                    name=f"player {number % 7}",
                    level=draw.choice([None, 1, 2, 3]),
                    score=draw.choice([None, 5, 50, "five", "fifty"]),
                    rank=draw.choice([None, Rank(points=1), Rank(points=2)]),
                )
            )
    return shop


SORTS: list[tuple[tuple[Any, ...], Any]] = [
    ((), Player.id),
    ((Player.id,), None),
    ((desc(Player.id), Player.name), None),
    ((Player.name,), Player.id),
    ((desc(Player.level), Player.name), Player.id),
    ((Player.score,), Player.id),
    ((desc(Player.score), desc(Player.level)), desc(Player.id)),
    ((some(Player.rank).points, "-name"), "-_id"),
    (("-rank.points",), desc(Player.id)),
]
"""Sorts, and the tie-breaker that makes the same order of each without a page."""


async def walked(query: Any, size: int) -> tuple[list[list[int]], Any]:
    """Return the ids of all pages, forward, and the last page."""
    pages: list[list[int]] = []
    page = await query.page(size)
    while True:
        pages.append([item.id for item in page.items])
        if page.next is None:
            return pages, page
        page = await query.page(size, after=page.next)


@pytest.mark.parametrize(("sort", "tie"), SORTS, ids=str)
@pytest.mark.parametrize("size", [1, 7, 30, 50])
async def test_pages_are_the_result_in_parts_forward_and_back(
    players: Any, sort: tuple[Any, ...], tie: Any, size: int
) -> None:
    async with players as uow:
        query = uow.players.find(Player.id < 30).sort(*sort)
        forward, page = await walked(query, size)
        together = [number for part in forward for number in part]
        total = (*sort, tie) if tie is not None else sort
        assert together == [player.id for player in await query.sort(*total).to_list()]
        assert len(forward) == -(-30 // size)
        back = [[item.id for item in page.items]]
        while page.previous is not None:
            page = await query.page(size, after=page.previous)
            back.insert(0, [item.id for item in page.items])
        assert [number for part in back for number in part] == together
        again = await query.page(size)
        assert again.previous is None
        assert [item.id for item in again] == forward[0]
        assert len(again) == len(forward[0])


async def test_a_page_is_in_the_order_of_the_sort(players: Any) -> None:
    async with players as uow:
        query = uow.players.find(Player.level != None).sort(desc(Player.level), Player.name)  # noqa: E711 - an expression
        pages, _ = await walked(query, 4)
        found = [await uow.players.get(number) for part in pages for number in part]
        keys = [(-player.level, player.name, player.id) for player in found]
        assert keys == sorted(keys)


async def test_pages_stay_as_they_are_when_documents_come_and_go(players: Any) -> None:
    async with players as uow:
        query = uow.players.find().sort(Player.name)
        first = await query.page(10)
        token, seen = first.next, [player.id for player in first]
    async with players as uow:
        uow.players.add_all([Player(id=100 + number, name="a player in front") for number in range(5)])
        uow.players.remove(await uow.players.get(seen[-1]))
        uow.players.remove(await uow.players.get(seen[0]))
    async with players as uow:
        query = uow.players.find().sort(Player.name)
        while token is not None:
            page = await query.page(10, after=token)
            seen += [player.id for player in page]
            token = page.next
    assert sorted(seen) == list(range(30))
    assert len(seen) == len(set(seen))


async def test_a_page_that_has_become_empty_leads_back_to_where_it_was_come_from(players: Any) -> None:
    async with players as uow:
        query = uow.players.find().sort(Player.id)
        second = await query.page(29)
        uow.players.remove(await uow.players.get(29))
        empty = await query.page(29, after=second.next)
        assert (empty.items, empty.next) == ([], None)
        back = await query.page(29, after=empty.previous)
        assert [player.id for player in back] == list(range(29))
        assert back.previous is None
        assert (await query.page(5, after=back.next)).items == []


async def test_a_page_holds_the_documents_of_the_unit(players: Any) -> None:
    async with players as uow:
        mine = await uow.players.get(3)
        mine.name = "z"
        page = await uow.players.find().sort(desc(Player.name)).page(1)
        assert page.items[0] is mine
        page.items[0].name = "y"
    async with players as uow:
        assert (await uow.players.get(3)).name == "y"
        assert repr(page) == "<Page of 1, has next>"


async def test_a_token_of_another_query_is_refused(players: Any) -> None:
    async with players as uow:
        by_name = (await uow.players.find().sort(Player.name).page(2)).next
        signed = (await uow.players.find().sort(Player.name).page(2, key="secret")).next
        for query in (
            uow.players.find().sort(desc(Player.name)),
            uow.players.find().sort(Player.level),
            uow.players.find(),
            uow.accounts.find(),
        ):
            with pytest.raises(InvalidPageToken):
                await query.page(2, after=by_name)
        with pytest.raises(InvalidPageToken):
            await uow.players.find().sort(Player.name).page(2, after=by_name, key="secret")
        with pytest.raises(InvalidPageToken):
            await uow.players.find().sort(Player.name).page(2, after=signed)
        page = await uow.players.find().sort(Player.name).page(2, after=signed, key="secret")
        assert len(page.items) == 2


async def test_what_a_page_cannot_follow_is_refused(players: Any) -> None:
    async with players as uow:
        query = uow.players.find()
        for field in (Player.tags, any_of(Player.tags), Player.rank, Player.extra, "tags", "extra.x"):
            with pytest.raises(TypeError, match="A page cannot follow"):
                await query.sort(field).page(2)
        for wrong in (query.skip(1), query.limit(1)):
            with pytest.raises(ValueError, match="leave skip and limit out"):
                await wrong.page(2)
        with pytest.raises(ValueError, match="positive number"):
            await query.page(0)
        with pytest.raises(ValueError, match="do not go together"):
            await uow.customers.find().collation("en", strength=2).page(2)
    assert uow.receipt.commands == 0


async def test_stored_data_that_a_page_cannot_follow_is_named(database: Any, colour: str, players: Any) -> None:
    class Loose(Document[int], collection="players"):
        score: Any = None

    async with define(colour, database, loose=Loose) as uow:
        for player in await uow.loose.find().to_list():
            player.score = ["a list"]
    async with players as uow:
        with pytest.raises(TypeError, match="A page cannot follow 'score'"):
            await uow.players.find().sort(Player.score).page(2)


async def test_what_a_page_saw_is_compared_by_a_replay(players: Any) -> None:
    for rival_changes in (False, True):
        async with players.unit() as uow:
            query = uow.players.find().sort(Player.id)
            await query.page(3, after=(await query.page(3)).next)
            if rival_changes:
                async with players.independent() as rival:
                    (await rival.players.get(5)).name = "changed"
            await uow.core.restart()
            if not rival_changes:
                assert await uow.players.count() == 30
                continue
            with pytest.raises(UnitDoomed) as doomed:
                await uow.players.count()
            assert isinstance(doomed.value.__cause__, StaleDocument)
            await uow.rollback()
