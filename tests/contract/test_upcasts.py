"""Documents of several schema versions in one collection: how they are read and written, and what is refused."""

from typing import Any

import pytest
from pydantic import ConfigDict

from boundwork import Document, NewerDocument, StaleDocument, Upcast, UpcastFailed
from tests.contract.club import TO_2, AsStored, Member, OldMember, ids_of
from tests.contract.colours import define
from tests.contract.rivals import elsewhere


async def test_an_old_document_is_loaded_as_the_present_version_and_not_written(club: Any, stored_member: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        assert (ann.name, ann.level, ann.age, ann.state, ann.slug) == ("Ann", 1, 41, "active", "ann")
        assert [visit.place for visit in ann.visits] == ["north"]
        assert await uow.members.get(1) is ann
    assert uow.receipt.updated == 0
    assert (await stored_member(1))["first_name"] == "Ann"
    assert (await stored_member(1))["_sv"] is None


async def test_a_new_document_is_stored_with_its_version(club: Any, stored_member: Any) -> None:
    assert (await stored_member(5))["_sv"] == 3
    async with club as uow:
        assert await uow.members.add_if_absent(Member(id=7, name="Fay"))
        uow.members.add_all(Member(id=number, name="Many") for number in range(1000, 2100))
    assert (await stored_member(7))["_sv"] == (await stored_member(2000))["_sv"] == 3


async def test_the_first_change_writes_all_that_the_upcast_changes(club: Any, stored_member: Any) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        ann.points = 3
        ann.visits[0].place = "west"
        await uow.flush()
        ann.points = 4
    found = await stored_member(1)
    wanted = {"_sv": 3, "age": 41, "state": "active", "visits": [{"place": "west"}], "points": 4}
    assert found == {**wanted, "name": "Ann", "level": 1, "slug": "ann"}


async def test_a_removed_document_may_be_an_old_one(club: Any) -> None:
    async with club as uow:
        uow.members.remove(await uow.members.get(1))
    async with club as uow:
        assert await ids_of(uow.members.find()) == [2, 3, 4, 5, 6]


async def test_a_rollback_leaves_an_old_document_old_and_its_object_as_it_was_read(
    club: Any, stored_member: Any
) -> None:
    async with club as uow:
        ann = await uow.members.get(1)
        ann.name = "Anna"
        await uow.flush()
        await uow.rollback()
        assert ann.name == "Ann"
        again = await uow.members.get(1)
        assert again is ann
        again.name = "Annie"
    assert (await stored_member(1))["name"] == "Annie"
    assert "first_name" not in await stored_member(1)


async def test_a_document_of_a_commit_before_is_compared_and_renewed(
    club: Any, stored_member: Any, colour: str
) -> None:
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
    assert (await stored_member(1))["points"] == 8
    assert (await stored_member(1))["_sv"] == 3


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
