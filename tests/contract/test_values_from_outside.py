"""Values that JSON can bring, where they were once sent to a server, or broke something else than the request."""

from collections.abc import Callable
from typing import Any

import pytest

from boundwork import (
    Document,
    Embedded,
    InvalidDocument,
    InvalidRequest,
    Ref,
    apply_request,
    elem,
    in_,
    inc,
    set_,
)
from tests.contract.colours import define


class Thing(Document[Any], collection="things"):
    payload: Any = None


class Place(Embedded):
    city: str = ""
    country: str = "DE"


class Parcel(Document[str], collection="parcels"):
    things: list[Ref[Thing]] = []
    count: int = 0
    place: Place = Place()


class Draft(Document[str], collection="drafts", versioned=True):
    version: int = 0


class Owned(Document[int], collection="owned", tenant_field="owner"):
    owner: Any = None


@pytest.fixture
def shop(database: Any, colour: str) -> Any:
    return define(colour, database, things=Thing, parcels=Parcel, drafts=Draft)


@pytest.mark.parametrize("wrong", [{"$gt": ""}, ["a"], {"a": "\ud800"}])
async def test_a_document_that_an_upsert_would_insert_has_an_id_that_is_one(shop: Any, wrong: Any) -> None:
    async with shop as uow:
        with pytest.raises(InvalidDocument) as caught:
            await uow.things.upsert(Thing.id == 1, set_(Thing.payload, 1), on_insert=Thing(id=wrong))
        assert caught.value.fields == ("id",)
        assert await uow.things.count() == 0


@pytest.mark.parametrize("for_update", [False, True])
async def test_half_a_character_is_no_id(shop: Any, for_update: bool) -> None:
    async with shop as uow:
        asks: list[Callable[[], Any]] = [
            lambda: uow.parcels.get("\ud800", for_update=for_update),
            lambda: uow.parcels.find_by_id("a\ud800", for_update=for_update),
            lambda: uow.things.get_many(["\ud800"], for_update=for_update),
        ]
        for ask in asks:
            with pytest.raises(InvalidDocument, match="BSON refuses it"):
                await ask()
        assert await uow.parcels.find_by_id("\N{PILE OF POO}", for_update=for_update) is None


async def test_a_reference_to_a_model_whose_ids_may_be_anything_is_one_like_others(shop: Any) -> None:
    async with shop as uow:
        thing = uow.things.add(Thing(id="a"))
        uow.parcels.add(Parcel(id="p", things=[Ref.to(thing), Ref(Thing, 5)]))
    async with shop as uow:
        parcel = await uow.parcels.find(in_(Parcel.things, [[Ref(Thing, "a"), Ref(Thing, 5)]])).one()
        assert (await uow.load(parcel.things[0])).id == "a"
        assert await uow.load(parcel.things[1], missing="none") is None


async def test_a_list_where_a_part_is_allowed_is_refused(shop: Any) -> None:
    async with shop as uow:
        parcel = uow.parcels.add(Parcel(id="p", place=Place(city="Ulm")))
        wrongs: list[Any] = [[], [{"city": "x"}], [1]]
        for wrong in wrongs:
            with pytest.raises(InvalidRequest) as caught:
                apply_request(parcel, {"place": wrong}, allow=(Parcel.place.city,))
            assert caught.value.fields[0] in {"place", "place.0"}
        assert parcel.place == Place(city="Ulm")


async def test_a_copy_that_is_nested_too_deeply_is_refused(shop: Any) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    async with shop as uow:
        uow.things.add(Thing(id="a", payload=1))
        with pytest.raises(InvalidDocument, match="nested too deeply"):
            await uow.things.merge(Thing.model_construct(id="a", payload=deep))


@pytest.mark.parametrize("wrong", ["a secret", {"a secret": 1}, 1.0, True])
async def test_a_version_that_is_no_number_is_refused_without_showing_it(shop: Any, wrong: Any) -> None:
    async with shop as uow:
        uow.drafts.add(Draft(id="a"))
        with pytest.raises(InvalidDocument, match="a version is a whole number") as caught:
            await uow.drafts.merge(Draft.model_construct(id="a", version=wrong))
        assert "secret" not in str(caught.value)


async def test_a_tenant_that_cannot_be_stored_is_refused(database: Any, colour: str) -> None:
    unit = define(colour, database, {"tenant": 2**64}, owned=Owned)
    with pytest.raises(TypeError, match=r"Owned\.owner cannot store the tenant of the unit: the number does not fit"):
        async with unit as uow:
            await uow.owned.count()


async def test_what_is_no_list_is_refused_where_a_list_belongs(shop: Any) -> None:
    wrongs: list[Any] = [5, None, 1.5, "a"]
    for wrong in wrongs:
        with pytest.raises(TypeError, match=r"in_\(Parcel\.count, \.\.\.\) takes a list of values"):
            in_(Parcel.count, wrong)
    plains: list[Any] = ["a", [], None, ["a"], {"a": 1}, [[]]]
    async with shop as uow:
        for plain in plains:
            with pytest.raises(ValueError, match=r"has \$or without a list of filters"):
                await uow.parcels.find({"$or": plain}).to_list()
            with pytest.raises(ValueError, match=r"has \$nor without a list of filters"):
                await uow.parcels.update_where({"$and": [{"$nor": plain}]}, inc(Parcel.count, 1))
            with pytest.raises(ValueError, match=r"has \$or without a list of filters"):
                elem(Parcel.things, {"$or": plain})
        assert await uow.parcels.count() == 0
