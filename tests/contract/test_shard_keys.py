"""What the shard key of a model forbids, and that everything works with it where nothing is sharded."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from boundwork import Document, DocumentNotFound, DuplicateKey, Embedded, InvalidDocument, StaleDocument, inc, set_
from tests.contract.colours import define
from tests.contract.rivals import elsewhere
from tests.server.bank import raw, settled


class Place(Embedded):
    country: str
    city: str = ""


class Parcel(Document[str], collection="parcels", shard_key=("place.country", ("customer", "hashed"))):
    customer: str | None = None
    place: Place | None = None
    weight: int = 0


class Loose(Document[str], collection="parcels"):
    weight: int = 0


class Weight(BaseModel):
    model_config = ConfigDict(frozen=True)
    weight: int


@pytest.fixture
async def parcels(database: Any, colour: str) -> Any:
    shop = define(colour, database, parcels=Parcel, loose=Loose)
    async with shop as uow:
        uow.parcels.add(Parcel(id="a", customer="c", place=Place(country="DE", city="Bonn")))
    return shop


async def _weights(shop: Any) -> dict[str, int]:
    async with shop as uow:
        return {parcel.id: parcel.weight for parcel in await uow.parcels.find().to_list()}


async def test_documents_are_written_removed_and_read_again_by_their_key(parcels: Any) -> None:
    async with parcels as uow:
        parcel = await uow.parcels.get("a", for_update=True)
        parcel.weight = 1
        parcel.place.city = "Ulm"
        await uow.refresh(parcel)
        assert (parcel.weight, parcel.place.city) == (1, "Ulm")
    assert await _weights(parcels) == {"a": 1}
    async with parcels as uow:
        uow.parcels.remove(await uow.parcels.get("a"))
    assert await _weights(parcels) == {}


async def test_a_field_of_the_key_is_refused_when_it_is_assigned(parcels: Any) -> None:
    async with parcels as uow:
        parcel = await uow.parcels.get("a")
        with pytest.raises(InvalidDocument, match="customer: a field of the shard key cannot change once") as caught:
            parcel.customer = "d"
        assert (caught.value.fields, caught.value.id) == (("customer",), "a")
        parcel.customer = "c"
        parcel.weight = 1
    assert parcel.customer == "c"


async def _in_place(parcel: Any) -> None:
    parcel.place.country = "FR"


async def _as_a_whole(parcel: Any) -> None:
    parcel.place = Place(country="FR", city="Nice")


async def _away(parcel: Any) -> None:
    parcel.place = None


async def _deleted(parcel: Any) -> None:
    del parcel.customer


@pytest.mark.parametrize(
    ("change", "field"),
    [(_in_place, "place.country"), (_as_a_whole, "place.country"), (_away, "place.country"), (_deleted, "customer")],
    ids=["in-place", "as-a-whole", "away", "deleted"],
)
async def test_what_no_assignment_shows_is_refused_before_anything_is_sent(
    parcels: Any, change: Any, field: str
) -> None:
    async with parcels as uow:
        uow.parcels.add(Parcel(id="b"))
        parcel = await uow.parcels.get("a")
        await change(parcel)
        sent = uow.core.session.commands
        with pytest.raises(InvalidDocument, match="shard key") as caught:
            await uow.flush()
        assert caught.value.fields == (field,)
        assert uow.core.session.commands == sent
        await uow.rollback()
    assert await _weights(parcels) == {"a": 0}


async def test_what_is_around_the_key_may_change(parcels: Any) -> None:
    async with parcels as uow:
        parcel = await uow.parcels.get("a")
        parcel.place = Place(country="DE", city="Ulm")
    async with parcels as uow:
        assert (await uow.parcels.get("a")).place == Place(country="DE", city="Ulm")


async def test_the_key_of_a_new_document_is_free_until_it_is_sent(parcels: Any) -> None:
    async with parcels as uow:
        new = Parcel(id="new")
        uow.parcels.add(new)
        new.customer, new.place = "d", Place(country="FR")
        await uow.flush()
        with pytest.raises(InvalidDocument):
            new.customer = "e"
        new.weight = 1
    assert await _weights(parcels) == {"a": 0, "new": 1}


async def test_a_document_gets_another_key_by_its_removal_and_a_copy(parcels: Any) -> None:
    async with parcels as uow:
        parcel = await uow.parcels.get("a")
        uow.parcels.remove(parcel)
        uow.parcels.add(parcel.model_copy(update={"customer": "d"}))
    async with parcels as uow:
        assert (await uow.parcels.get("a")).customer == "d"


async def test_a_key_that_is_missing_or_none_is_null(parcels: Any) -> None:
    async with parcels as uow:
        uow.loose.add_all([Loose(id="l"), Loose(id="m")])
        uow.parcels.add(Parcel(id="n"))
    async with parcels as uow:
        for parcel in await uow.parcels.get_many(["l", "n"], for_update=True):
            parcel.weight = 3
        uow.parcels.remove(await uow.parcels.get("m"))
    assert await _weights(parcels) == {"a": 0, "l": 3, "n": 3}


async def test_a_removal_of_a_changed_document_goes_by_the_key_that_is_stored(parcels: Any) -> None:
    async with parcels as uow:
        parcel = await uow.parcels.get("a")
        parcel.place.country = "FR"
        uow.parcels.remove(parcel)
    assert await _weights(parcels) == {}


async def test_add_if_absent_asks_for_the_key_as_well(parcels: Any) -> None:
    async with parcels as uow:
        assert not await uow.parcels.add_if_absent(Parcel(id="a", customer="c", place=Place(country="DE")))
        assert await uow.parcels.add_if_absent(Parcel(id="b", customer="c", place=Place(country="DE")))
        assert await uow.parcels.add_if_absent(Parcel(id="n"))
    async with parcels as uow:
        b, n = await uow.parcels.get_many(["b", "n"])
        assert (b.customer, b.place, n.customer, n.place) == ("c", Place(country="DE"), None, None)


async def test_after_a_commit_what_was_not_read_again_is_guarded(parcels: Any, colour: str) -> None:
    async def rival() -> None:
        async with parcels as uow:
            (await uow.parcels.get("a")).weight = 9

    async with parcels as uow:
        uow.parcels.add(Parcel(id="b", customer="d"))
    with pytest.raises(StaleDocument, match="Parcel 'a' changed since it was read"):
        async with parcels as uow:
            a, b = await uow.parcels.get_many("ab")
            a.weight = 1
            await uow.commit()
            a.weight = b.weight = 2
            await uow.commit()
            await elsewhere(colour, rival)
            a.weight = b.weight = 3
    assert await _weights(parcels) == {"a": 9, "b": 2}


@pytest.mark.on_servers
async def test_a_document_that_a_call_of_the_driver_moved_is_not_met(parcels: Any) -> None:
    with pytest.raises(StaleDocument, match="Parcel 'a' changed since it was read"):
        async with parcels as uow:
            uow.parcels.add(Parcel(id="b"))
            parcel = await uow.parcels.get("a")
            await settled(raw(uow).parcels.update_one({"_id": "a"}, {"$set": {"customer": "d"}}))
            parcel.weight = 1
    assert await _weights(parcels) == {"a": 0}


async def test_locked_reads_lock_what_is_found_known_and_projected(parcels: Any, database: Any, colour: str) -> None:
    locking = define(colour, database, {"isolation": "locked_reads"}, parcels=Parcel)
    async with locking as uow:
        [parcel] = await uow.parcels.find(Parcel.customer == "c").to_list()
        assert await uow.parcels.get("a", for_update=True) is parcel
        assert await uow.parcels.find().project(Weight).to_list() == [Weight(weight=0)]
        assert len(uow.core.workspace.log.locked) == 1
        with pytest.raises(DocumentNotFound):
            await uow.parcels.get("nobody")


async def test_a_known_document_that_is_locked_later_is_not_read_again(parcels: Any) -> None:
    async with parcels as uow:
        parcel = await uow.parcels.get("a")
        sent = uow.core.session.commands
        assert await uow.parcels.get("a", for_update=True) is parcel
        assert await uow.parcels.get("a", for_update=True) is parcel
        assert uow.core.session.commands == sent + 1


async def test_no_change_of_many_documents_moves_them(parcels: Any) -> None:
    async with parcels as uow:
        with pytest.raises(ValueError, match="shard key cannot change"):
            await uow.parcels.update_where(Parcel.weight == 0, set_(Parcel.customer, "d"))
        with pytest.raises(ValueError, match="shard key cannot change"):
            await uow.parcels.update_where(Parcel.weight == 0, set_(Parcel.place, Place(country="DE")))


async def test_an_upsert_meets_only_a_document_of_the_same_key(parcels: Any) -> None:
    here = Parcel(id="b", customer="c", place=Place(country="DE"))
    async with parcels as uow:
        met = await uow.parcels.upsert(Parcel.weight == 0, inc(Parcel.weight, 1), on_insert=here)
        assert (met.id, met.weight) == ("a", 1)
    there = Parcel(id="a", customer="c", place=Place(country="FR"))
    with pytest.raises(DuplicateKey):
        async with parcels as uow:
            await uow.parcels.upsert(Parcel.weight == 1, inc(Parcel.weight, 1), on_insert=there)
    assert await _weights(parcels) == {"a": 1}
