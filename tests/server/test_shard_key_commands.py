"""Every filter that names a document of a sharded collection has its whole key: seen from the driver's own events."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from boundwork import Document, Embedded, inc
from tests.contract.colours import define
from tests.server.bank import raw, settled
from tests.server.commands_seen import CommandsSeen, name_of

KEY = {"place.country", "customer"}
FREE = {"_id", "kind", "rev"}


class Place(Embedded):
    country: str


class Parcel(Document[int], collection="parcels", versioned="rev", shard_key=("place.country", ("customer", "hashed"))):
    customer: str | None = None
    place: Place | None = None
    code: str | None = None
    weight: int = 0


class Weight(BaseModel):
    model_config = ConfigDict(frozen=True)
    weight: int


class Plain(Document[int], collection="plain"):
    customer: str | None = None
    weight: int = 0


@pytest.fixture
async def parcels(opened: Callable[..., Any], colour: str, seen: CommandsSeen) -> Any:
    database = opened()
    await settled(database.parcels.create_index("code", unique=True, partialFilterExpression={"code": {"$gt": ""}}))
    shop = define(colour, database, {"replay_seconds": 0.0}, parcels=Parcel, plain=Plain)
    async with shop as uow:
        uow.parcels.add_all([_parcel(number) for number in range(6)])
        uow.parcels.add(Parcel(id=6))
        uow.plain.add(Plain(id=1))
    seen.take()
    return shop


def _parcel(number: int) -> Parcel:
    return Parcel(id=number, customer=f"c{number}", place=Place(country="DE"), code=str(number))


def _filters(commands: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Iterate over all filters of writes, and those of reads that name one document."""
    for command in commands:
        for statement in (*command.get("updates", ()), *command.get("deletes", ())):
            yield statement["q"]
        if name_of(command) == "findAndModify":
            yield command["query"]
        wanted: Mapping[str, Any] = command["filter"] if name_of(command) == "find" else {}
        alternatives: list[Mapping[str, Any]] = wanted.get("$or", [wanted])
        yield from (each for each in alternatives if "_id" in each)


def _named(seen: CommandsSeen) -> list[Mapping[str, Any]]:
    found = list(_filters(seen.take()))
    assert found
    return found


def _assert_whole(seen: CommandsSeen) -> list[Mapping[str, Any]]:
    found = _named(seen)
    assert [each for each in found if not set(each) >= {"_id", *KEY}] == []
    assert [each for each in found if set(each) - KEY - FREE] == []
    return found


async def test_updates_and_removals_of_few_and_of_many(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        all_of_them = await uow.parcels.find().to_list()
        for parcel in all_of_them:
            parcel.weight = 1
        await uow.flush()
        all_of_them[0].weight = 2
        await uow.flush()
        for parcel in all_of_them[1:]:
            uow.parcels.remove(parcel)
    found = _assert_whole(seen)
    assert len(found) == 7 + 1 + 6
    assert {each["rev"] for each in found if not isinstance(each["rev"], dict)} == {1}
    [bare, _] = [each for each in found if each["_id"] == 6]
    assert (bare["customer"], bare["place.country"]) == (None, None)


async def test_an_exchange_of_unique_values(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        one, two = await uow.parcels.get_many([1, 2])
        seen.take()
        one.code, two.code = two.code, one.code
    assert len(_assert_whole(seen)) == 3


async def test_an_insert_unless_it_is_there(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        assert not await uow.parcels.add_if_absent(_parcel(1))
        assert await uow.parcels.add_if_absent(Parcel(id=9))
    assert len(_assert_whole(seen)) == 2


async def test_locks_of_what_is_read_and_of_what_is_known(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        await uow.parcels.get(1, for_update=True)
        known = await uow.parcels.get(2)
        known.weight = 2
        await uow.parcels.get(2, for_update=True)
        await uow.parcels.get_many([2, 3, 4], for_update=True)
        assert await uow.parcels.find_by_id(77, for_update=True) is None
    written = list(_filters(seen.take_named("update")))
    assert {each["_id"] for each in written} == {1, 2, 3, 4}
    assert [each for each in written if not set(each) >= KEY] == []


async def test_locked_reads(parcels: Any, opened: Callable[..., Any], colour: str, seen: CommandsSeen) -> None:
    locking = define(colour, opened(), {"isolation": "locked_reads"}, parcels=Parcel)
    async with locking as uow:
        await uow.parcels.find(Parcel.code == "1").to_list()
        await uow.parcels.find(Parcel.code == "2").page(1)
        await uow.parcels.get(3)
        await uow.parcels.find(Parcel.code == "4").project(Weight).to_list()
        await uow.parcels.find(Parcel.code == "5").project(Weight).page(1)
    written = list(_filters(seen.take_named("update")))
    assert {each["_id"] for each in written} == {1, 2, 3, 4, 5}
    assert [each for each in written if not set(each) >= KEY] == []


async def test_a_refresh_and_guarded_writes_after_a_commit(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        one, two, three = await uow.parcels.get_many([1, 2, 3])
        await uow.commit()
        seen.take()
        await uow.refresh(one)
        two.weight = 2
        await uow.flush()
        assert len(_assert_whole(seen)) == 3
        await uow.commit()
        two.weight = 3
        uow.parcels.remove(three)
        await uow.flush()
        assert len(_assert_whole(seen)) == 4


async def test_what_is_found_and_changed(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        changed = await uow.parcels.find_and_update(Parcel.code == "1", inc(Parcel.weight, 5))
        assert (changed.id, changed.weight) == (1, 5)
        assert await uow.parcels.find_and_update(Parcel.code == "77", inc(Parcel.weight, 5)) is None
    [written] = [command["query"] for command in seen.take_named("findAndModify")]
    assert (written["_id"], written["customer"], written["place.country"]) == (1, "c1", "DE")


async def test_a_merge(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        await uow.parcels.get(1)
        seen.take()
        await uow.parcels.merge(Parcel.model_validate({"id": 1, "weight": 7, "rev": 0}))
    assert len(_assert_whole(seen)) == 1


async def test_a_model_without_key_and_version_sends_its_id_only(parcels: Any, seen: CommandsSeen) -> None:
    async with parcels as uow:
        plain = await uow.plain.get(1, for_update=True)
        plain.weight = 2
        await uow.refresh(plain)
        await uow.commit()
        uow.plain.remove(plain)
    assert all(set(each) == {"_id"} for each in _named(seen))


async def test_what_is_found_changed_is_looked_for_by_its_id_alone(parcels: Any, seen: CommandsSeen) -> None:
    """The one exception: after a miss, so that the error can say what is there."""
    with pytest.raises(Exception, match=r"Parcel 1 changed since it was read \(version 0, now 5\)"):
        async with parcels as uow:
            one = await uow.parcels.get(1)
            await settled(raw(uow).parcels.update_one({"_id": 1}, {"$set": {"rev": 5}}))
            seen.take()
            one.weight = 2
    update, find = _named(seen)
    assert (set(update), set(find)) == ({"_id", "rev", *KEY}, {"_id"})
