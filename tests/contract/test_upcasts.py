"""Documents of several schema versions in one collection: what a unit of work sees, asks and writes."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from boundwork import (
    Document,
    Embedded,
    MigrationUnfinished,
    NewerDocument,
    StaleDocument,
    Upcast,
    UpcastFailed,
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
from tests.contract.colours import define
from tests.contract.rivals import elsewhere


def _slug(member: dict[str, Any]) -> dict[str, Any]:
    return {"slug": member["name"].lower()}


TO_2 = (
    Upcast(2)
    .rename_field("first_name", "name")
    .set_field("level", 1)
    .convert("age", "text to int")
    .rename_field("visits.shop", "visits.place")
)
TO_3 = Upcast(3).unset_field("legacy").convert("state", {"A": "active", "G": "gone"}).compute(_slug, fields=["slug"])


class OldVisit(Embedded):
    shop: str


class OldMember(Document[int], collection="club_members"):
    first_name: str
    age: str | None = None
    state: str = "A"
    legacy: str = "x"
    visits: list[OldVisit] = []
    points: int = 0


class Visit(Embedded):
    place: str


class Member(Document[int], collection="club_members", schema_version=3, upcasts=[TO_2, TO_3]):
    name: str
    level: int = 0
    age: int | None = None
    state: str = "active"
    visits: list[Visit] = []
    slug: str = ""
    points: int = 0


class AsStored(Document[int], collection="club_members"):
    model_config = ConfigDict(extra="allow")
    version: int | None = Field(None, alias="_sv")


@pytest.fixture
async def club(database: Any, colour: str) -> Any:
    """Four members of the first version, and two of the present one."""
    async with define(colour, database, members=OldMember) as uow:
        uow.members.add(OldMember(id=1, first_name="Ann", age="41", visits=[OldVisit(shop="north")]))
        uow.members.add(OldMember(id=2, first_name="Bob", age="7", state="G"))
        uow.members.add(OldMember(id=3, first_name="Cid", age=None, points=5))
        uow.members.add(
            OldMember(id=4, first_name="Ann", age="100", visits=[OldVisit(shop="south"), OldVisit(shop="north")])
        )
    club = define(colour, database, members=Member)
    async with club as uow:
        uow.members.add(Member(id=5, name="Eve", level=2, age=30, slug="eve", visits=[Visit(place="south")]))
        uow.members.add(Member(id=6, name="Ann", level=1, age=9, state="gone", slug="ann"))
    return club


@pytest.fixture
def stored(database: Any, colour: str) -> Any:
    """Return what is stored under an id."""

    async def look(key: int) -> dict[str, Any]:
        async with define(colour, database, members=AsStored) as uow:
            found = await uow.members.get(key)
            return {"_sv": found.version, **(found.model_extra or {})}

    return look


async def _ids(query: Any) -> list[int]:
    return sorted(member.id for member in await query.to_list())


async def test_an_old_document_is_loaded_as_the_present_version_and_not_written(club: Any, stored: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        assert (ann.name, ann.level, ann.age, ann.state, ann.slug) == ("Ann", 1, 41, "active", "ann")
        assert [visit.place for visit in ann.visits] == ["north"]
        assert await uow.members.get(1) is ann
    assert uow.receipt.updated == 0
    assert (await stored(1))["first_name"] == "Ann"
    assert (await stored(1))["_sv"] is None


async def test_a_new_document_is_stored_with_its_version(club: Any, stored: Any) -> None:
    assert (await stored(5))["_sv"] == 3
    async with club as uow:
        assert await uow.members.add_if_absent(Member(id=7, name="Fay"))
        uow.members.add_all(Member(id=number, name="Many") for number in range(1000, 2100))
    assert (await stored(7))["_sv"] == (await stored(2000))["_sv"] == 3


async def test_the_first_change_writes_all_that_the_upcast_changes(club: Any, stored: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        ann.points = 3
        ann.visits[0].place = "west"
        await uow.flush()
        ann.points = 4
    found = await stored(1)
    wanted = {"_sv": 3, "age": 41, "state": "active", "visits": [{"place": "west"}], "points": 4}
    assert found == {**wanted, "name": "Ann", "level": 1, "slug": "ann"}


async def test_a_removed_document_may_be_an_old_one(club: Any) -> None:
    async with club as uow:
        uow.members.remove(await uow.members.get(1))
    async with club as uow:
        assert await _ids(uow.members.find()) == [2, 3, 4, 5, 6]


async def test_a_rollback_leaves_an_old_document_old_and_its_object_as_it_was_read(club: Any, stored: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        ann.name = "Anna"
        await uow.flush()
        await uow.rollback()
        assert ann.name == "Ann"
        again = await uow.members.get(1)
        assert again is ann
        again.name = "Annie"
    assert (await stored(1))["name"] == "Annie"
    assert "first_name" not in await stored(1)


async def test_a_document_of_a_commit_before_is_compared_and_renewed(club: Any, stored: Any, colour: str) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        bob = await uow.members.get(2)
        await uow.commit()
        ann.points = 8
        await uow.commit()
        bob.points = 9

        async def rival() -> None:
            async with club as other:
                (await other.members.get(2)).points = 1

        await elsewhere(colour, rival)
        with pytest.raises(StaleDocument):
            await uow.flush()
        await uow.rollback()
    assert (await stored(1))["points"] == 8
    assert (await stored(1))["_sv"] == 3


async def test_a_newer_document_is_named_with_both_versions(club: Any, database: Any, colour: str) -> None:
    async with define(colour, database, members=AsStored) as uow:
        uow.members.add(AsStored.model_validate({"id": 9, "_sv": 4, "name": "Zed"}))
    with pytest.raises(NewerDocument) as caught:
        async with club as uow:
            await uow.members.get(9)
    assert (caught.value.collection, caught.value.id, caught.value.found, caught.value.known) == (
        "club_members",
        9,
        4,
        3,
    )


async def test_a_document_that_cannot_be_upcast_is_named_without_its_contents(
    club: Any, database: Any, colour: str
) -> None:
    async with define(colour, database, members=OldMember) as uow:
        uow.members.add(OldMember(id=9, first_name="Zed", age="secret"))
    with pytest.raises(UpcastFailed) as caught:
        async with club as uow:
            await uow.members.get(9)
    assert (caught.value.id, caught.value.step) == (9, "convert age text to int")
    assert "secret" not in str(caught.value)


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
        assert await _ids(uow.members.find(condition)) == wanted
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


async def test_set_based_changes_reach_all_versions(club: Any, stored: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        assert (await uow.members.update_where(Member.name == "Ann", set_(Member.level, 9))).modified == 3
        assert ann.level == 9
        assert (await uow.members.update_where(Member.age == 7, set_(Member.points, 70))).modified == 1
        assert await uow.members.delete_where(Member.state == "gone") == 2
    assert (await stored(4))["_sv"] == 3
    assert (await stored(4))["level"] == 9
    async with club as uow:
        assert await _ids(uow.members.find(Member.level == 9)) == [1, 4]


async def test_one_document_is_found_and_changed_whatever_its_version(club: Any, stored: Any) -> None:
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
    assert (await stored(4))["_sv"] == (await stored(8))["_sv"] == (await stored(2))["_sv"] == 3
    assert "first_name" not in await stored(4)


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
        assert await _ids(uow.members.find(Member.slug == "ann")) == [1, 4, 6]
        assert await _ids(uow.members.find(some(Member.age) > 8)) == [1, 4, 5, 6]
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


@pytest.mark.parametrize(
    ("word", "keywords", "problem"),
    [
        ("version", {"upcasts": [TO_2]}, "schema_version"),
        ("step", {"schema_version": 3, "upcasts": [TO_2]}, "one by one"),
        ("number", {"schema_version": 0}, "at least 1"),
    ],
)
def test_a_class_statement_that_contradicts_itself_is_refused(word: str, keywords: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        type("Wrong", (Document,), {"__module__": __name__}, collection=f"wrong_{word}", **keywords)


def test_an_id_and_a_place_in_a_list_by_number_cannot_be_upcast() -> None:
    for wrong in ("_id", "_sv", "lines.0.sku", "$name", ""):
        with pytest.raises(ValueError, match="no field"):
            Upcast(2).unset_field(wrong)


class Settled(Document[int], collection="club_members", schema_version=3):
    """The model once all are migrated."""

    model_config = ConfigDict(extra="allow")
    name: str


async def test_a_model_without_upcasts_sees_no_version_and_refuses_old_and_newer_documents(
    club: Any, database: Any, colour: str
) -> None:
    settled = define(colour, database, members=Settled)
    async with settled as uow:
        eve = await uow.members.get(5)
        assert (eve.name, "_sv" in (eve.model_extra or {})) == ("Eve", False)
        hidden = Settled.model_validate({"id": 20, "name": "\x10_sv\x00\x03\x00\x00\x00", "inner": {"_sv": 3}})
        uow.members.add(hidden)
    async with settled as uow:
        found = await uow.members.get(20)
        assert (found.name, found.model_extra) == (hidden.name, {"inner": {"_sv": 3}})
    async with settled as uow:
        with pytest.raises(UpcastFailed):
            await uow.members.get(1)
        assert (await uow.members.get(5)).id == 5


async def test_a_change_of_very_many_old_documents_at_once_is_the_finishers_work(
    club: Any, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boundwork.uow.upcasting.door.MOST", 2)
    async with club as uow:
        with pytest.raises(MigrationUnfinished, match="more than 2"):
            await uow.members.update_where(Member.points < 9, set_(Member.level, 4))
        assert (await uow.members.update_where(Member.name == "Ann", set_(Member.level, 4))).modified == 3
    assert (await stored(2)).get("level") is None


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


async def test_a_refusal_does_not_end_the_unit(club: Any, stored: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        ann.points = 12
        with pytest.raises(MigrationUnfinished):
            await uow.members.count(Member.slug == "ann")
    assert (await stored(1))["points"] == 12
