"""Documents of several schema versions in one collection: how they are asked for and changed by conditions."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from boundwork import (
    Document,
    MigrationUnfinished,
    any_of,
    asc,
    desc,
    elem,
    exists,
    in_,
    is_none,
    not_,
    not_in,
    set_,
    some,
    starts_with,
)
from tests.contract.club import Member, ids_of
from tests.contract.colours import define


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (Member.name == "Ann", [1, 4, 6]),
        (Member.name != "Ann", [2, 3, 5]),
        (not_(Member.name == "Ann"), [2, 3, 5]),
        (starts_with(Member.name, "A"), [1, 4, 6]),
        (Member.level == 1, [1, 2, 3, 4, 6]),
        (Member.level > 1, [5]),
        (in_(Member.level, [2, 3]), [5]),
        (Member.age == 41, [1]),
        (in_(Member.age, [7, 9]), [2, 6]),
        (not_in(Member.age, [7, 9]), [1, 3, 4, 5]),
        (Member.age != 41, [2, 3, 4, 5, 6]),
        (is_none(Member.age), [3]),
        (exists(Member.level), [1, 2, 3, 4, 5, 6]),
        (Member.state == "active", [1, 3, 4, 5]),
        (not_(Member.state == "active"), [2, 6]),
        ({"state": "A"}, []),
        (any_of(Member.visits).place == "north", [1, 4]),
        (elem(Member.visits, any_of(Member.visits).place == "south"), [4, 5]),
        (any_of(Member.visits).place != "north", [4, 5]),
        ((Member.name == "Ann") & (Member.points == 0) | (Member.level == 2), [1, 4, 5, 6]),
        (Member.points > 1, [3]),
    ],
)
async def test_a_filter_finds_documents_of_all_versions(club: Any, condition: Any, wanted: list[int]) -> None:
    async with club as uow:
        assert await ids_of(uow.members.find(condition)) == wanted
        assert await uow.members.count(condition) == len(wanted)


async def test_a_sort_and_its_pages_go_through_documents_of_all_versions(club: Any) -> None:
    async with club as uow:
        query = uow.members.find().sort(desc(Member.name), asc(Member.id))
        wanted = [5, 3, 2, 1, 4, 6]
        assert [member.id for member in await query.to_list()] == wanted
        assert [member.id for member in await query.skip(1).limit(3).to_list()] == wanted[1:4]
        pages: list[int] = []
        page = await query.page(2)
        pages += [member.id for member in page.items]
        while page.next is not None:
            page = await query.page(2, after=page.next)
            pages += [member.id for member in page.items]
        assert pages == wanted
        by_level = uow.members.find().sort(desc(Member.level), Member.id)
        assert [member.id for member in await by_level.to_list()] == [5, 1, 2, 3, 4, 6]


async def test_distinct_gives_the_values_of_all_versions(club: Any, backend: Any) -> None:
    async with club as uow:
        assert sorted(await uow.members.find().distinct(Member.name)) == ["Ann", "Bob", "Cid", "Eve"]
        assert sorted(await uow.members.find().distinct(Member.level)) == [1, 2]
        assert sorted(await uow.members.find().distinct(Member.state)) == ["active", "gone"]
        if backend.name != "embedded":  # it lists nothing below a list, whatever the version
            assert sorted(await uow.members.find().distinct(any_of(Member.visits).place)) == ["north", "south"]


class Row(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str
    points: int


async def test_a_projection_reads_all_versions(club: Any) -> None:
    async with club as uow:
        rows = await uow.members.find(Member.points == 5).project(Row).to_list()
    assert rows == [Row(name="Cid", points=5)]


async def test_set_based_changes_reach_all_versions(club: Any, stored_member: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        assert (await uow.members.update_where(Member.name == "Ann", set_(Member.level, 9))).modified == 3
        assert ann.level == 9
        assert (await uow.members.update_where(Member.age == 7, set_(Member.points, 70))).modified == 1
        assert await uow.members.delete_where(Member.state == "gone") == 2
    assert (await stored_member(4))["_sv"] == 3
    assert (await stored_member(4))["level"] == 9
    async with club as uow:
        assert await ids_of(uow.members.find(Member.level == 9)) == [1, 4]


async def test_one_document_is_found_and_changed_whatever_its_version(club: Any, stored_member: Any) -> None:
    async with club as uow:
        changed = await uow.members.find_and_update(
            Member.name == "Ann", set_(Member.name, "Anna"), sort=desc(Member.id)
        )
        assert (changed.id, changed.name) == (6, "Anna")
        changed = await uow.members.find_and_update(
            Member.name == "Ann", set_(Member.name, "Anna"), sort=desc(Member.id)
        )
        assert (changed.id, changed.name, changed.age) == (4, "Anna", 100)
        there = await uow.members.upsert(
            Member.name == "Bob", set_(Member.points, 1), on_insert=Member(id=8, name="Bob")
        )
        assert (there.id, there.points) == (2, 1)
        made = await uow.members.upsert(
            Member.name == "New", set_(Member.points, 1), on_insert=Member(id=8, name="New")
        )
        assert made.id == 8
    assert (await stored_member(4))["_sv"] == (await stored_member(8))["_sv"] == (await stored_member(2))["_sv"] == 3
    assert "first_name" not in await stored_member(4)


async def test_what_cannot_be_asked_of_old_documents_is_refused_until_there_are_none(club: Any) -> None:
    with pytest.raises(MigrationUnfinished, match="computed by a function"):
        async with club as uow:
            await uow.members.find(Member.slug == "ann").to_list()
    with pytest.raises(MigrationUnfinished, match="another order"):
        async with club as uow:
            await uow.members.find(some(Member.age) > 8).to_list()
    async with club as uow:
        for member in await uow.members.find().to_list():
            member.points += 1
    async with club as uow:
        assert await ids_of(uow.members.find(Member.slug == "ann")) == [1, 4, 6]
        assert await ids_of(uow.members.find(some(Member.age) > 8)) == [1, 4, 5, 6]
        assert [member.id for member in await uow.members.find().sort("age", "_id").to_list()] == [3, 2, 6, 5, 1, 4]


async def test_a_stream_gives_documents_of_all_versions(club: Any) -> None:
    async with club as uow:
        stream = uow.members.find(Member.name == "Ann").stream(batch_size=2)
        names = [member.name async for member in stream]
        assert names == ["Ann", "Ann", "Ann"]


@pytest.mark.on_servers
async def test_an_aggregation_waits_for_the_finisher(club: Any) -> None:
    class Total(BaseModel):
        model_config = ConfigDict(frozen=True)
        id: str
        members: int

    stages = [{"$group": {"_id": Member.name, "members": {"$sum": 1}}}]
    with pytest.raises(MigrationUnfinished, match="aggregation"):
        async with club as uow:
            await uow.members.aggregate(stages, into=Total)
    async with club as uow:
        for member in await uow.members.find().to_list():
            member.points += 1
    async with club as uow:
        rows = await uow.members.aggregate(stages, into=Total)
        assert {row.id: row.members for row in rows} == {"Ann": 3, "Bob": 1, "Cid": 1, "Eve": 1}


async def test_a_change_of_very_many_old_documents_at_once_is_the_finishers_work(
    club: Any, stored_member: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boundwork.uow.upcasting.door.MOST", 2)
    async with club as uow:
        with pytest.raises(MigrationUnfinished, match="more than 2"):
            await uow.members.update_where(Member.points < 9, set_(Member.level, 4))
        assert (await uow.members.update_where(Member.name == "Ann", set_(Member.level, 4))).modified == 3
    assert (await stored_member(2)).get("level") is None


async def test_a_stream_that_is_sorted_by_what_an_upcast_changes_is_refused(club: Any) -> None:
    async with club as uow:
        with pytest.raises(MigrationUnfinished, match="stream"):
            [member async for member in uow.members.find().sort(Member.name).stream()]
        assert len([member async for member in uow.members.find().sort(Member.points).stream()]) == 6


@pytest.mark.on_servers
async def test_an_aggregation_that_looks_into_old_documents_of_another_model_is_refused(
    club: Any, database: Any, colour: str
) -> None:
    class Team(Document[int], collection="club_teams"):
        leader: str

    class Row(BaseModel):
        model_config = ConfigDict(frozen=True)
        id: int
        found: list[dict[str, Any]]

    stages = [{"$lookup": {"from": "club_members", "localField": "leader", "foreignField": "name", "as": "found"}}]
    async with define(colour, database, teams=Team) as uow:  # it knows nothing of members
        uow.teams.add(Team(id=1, leader="Bob"))
        with pytest.raises(MigrationUnfinished, match="club_members"):
            await uow.teams.aggregate(stages, into=Row)
    async with club as uow:
        for member in await uow.members.find().to_list():
            member.points += 1
    async with define(colour, database, teams=Team) as uow:
        [row] = await uow.teams.aggregate(stages, into=Row)
        assert [one["_id"] for one in row.found] == [2]


async def test_a_refusal_does_not_end_the_unit(club: Any, stored_member: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        ann.points = 12
        with pytest.raises(MigrationUnfinished):
            await uow.members.count(Member.slug == "ann")
    assert (await stored_member(1))["points"] == 12
