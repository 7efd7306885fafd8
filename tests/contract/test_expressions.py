"""The words of conditions, each on documents of every backend."""

from typing import Any

import pytest
from pymongo import MongoClient

from boundwork import (
    Document,
    Embedded,
    TransactionFailed,
    any_of,
    contains_all,
    elem,
    mod,
    near,
    raw,
    size,
    text,
    within,
    within_metres,
)
from tests.backends import Backend
from tests.contract.colours import define


class Place(Embedded):
    type: str = "Point"
    coordinates: list[float]


class Part(Embedded):
    code: int
    tags: list[str] = []


class Kit(Document[str], collection="kits"):
    number: int = 0
    parts: list[Part] = []
    tags: list[str] = []
    meta: dict[str, Any] = {}
    place: Place | None = None


line, tag = any_of(Kit.parts), any_of(Kit.tags)


@pytest.fixture
async def kits(database: Any, colour: str) -> Any:
    shop = define(colour, database, kits=Kit)
    async with shop as uow:
        uow.kits.add_all(
            [
                Kit(id="a", number=1, parts=[Part(code=1, tags=["x"]), Part(code=5)], tags=["new", "red"]),
                Kit(id="b", number=2, parts=[Part(code=3, tags=["x", "y"])], tags=["new"], meta={"$ne": 1}),
                Kit(id="c", number=3, tags=["a", "d"], place=Place(coordinates=[13.4, 52.5])),
                Kit(id="d", number=4, place=Place(coordinates=[0.0, 1.0])),
            ]
        )
    return shop


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ((line.code > 1) & (line.code < 5), "ab"),
        (elem(Kit.parts, line.code > 1, line.code < 5), "b"),
        (elem(Kit.parts, {"code": 1, "tags": "x"}), "a"),
        (elem(Kit.parts, any_of(line.tags) == "y"), "b"),
        (elem(Kit.tags, tag > "a", tag < "d"), ""),
        (elem(Kit.tags, tag > "a", tag <= "d"), "c"),
        (size(Kit.parts, 2), "a"),
        (size(Kit.parts, 0), "cd"),
        (size(line.tags, 2), "b"),
        (contains_all(Kit.tags, ["red", "new"]), "a"),
        (contains_all(line.tags, ["x", "y"]), "b"),
        (mod(Kit.number, 2, 1), "ac"),
        (mod(line.code, 5, 0), "a"),
        (Kit.meta == {"$ne": 1}, "b"),
        (Kit.meta != {"$ne": 1}, "acd"),
        (raw({"unheard": None, "number": {"$gt": 3}}), "d"),
    ],
)
async def test_a_condition_finds_what_it_says(kits: Any, condition: Any, found: str) -> None:
    async with kits as uow:
        assert "".join([kit.id for kit in await uow.kits.find(condition).sort(Kit.id).to_list()]) == found


async def test_a_misspelt_name_fails_before_the_server_is_asked(kits: Any) -> None:
    misspelt: Any = Kit
    async with kits as uow:
        with pytest.raises(ValueError, match="Did you mean 'number'"):
            await uow.kits.find({"numbr": 1}).to_list()
        with pytest.raises(AttributeError, match="Did you mean 'number'"):
            await uow.kits.find(misspelt.numbr == 1).to_list()
    assert uow.receipt.commands == 0


def create_index(backend: Backend, database_name: str, kind: str, field: str) -> None:
    if backend.uri is not None:
        with MongoClient[dict[str, Any]](backend.uri) as client:
            client[database_name].kits.create_index([(field, kind)])


async def test_places_are_found_inside_the_transaction_or_refused_by_name(
    kits: Any, backend: Backend, database_name: str
) -> None:
    create_index(backend, database_name, "2dsphere", "place")
    asked = {
        "cd": near(Kit.place, (13.0, 52.0)),
        "c": near(Kit.place, (13.0, 52.0), metres=100_000),
        "d": near(Kit.place, (13.0, 52.0), at_least=100_000),
        " c": within_metres(Kit.place, (13.0, 52.0), 100_000),
        " d": within(Kit.place, [(-1, -1), (2, -1), (2, 2), (-1, 2)]),
    }
    for found, condition in asked.items():
        async with kits.unit() as uow:
            if backend.name == "memory":
                with pytest.raises(TransactionFailed, match=r"does not know \$(near|geoWithin) in filters"):
                    await uow.kits.find(condition).to_list()
                await uow.rollback()
                continue
            assert "".join([kit.id for kit in await uow.kits.find(condition).to_list()]) == found.strip()


async def test_what_is_near_cannot_be_counted_and_the_error_says_what_can(kits: Any) -> None:
    async with kits as uow:
        with pytest.raises(ValueError, match="within_metres"):
            await uow.kits.count(near(Kit.place, (13.0, 52.0)))
        assert await uow.kits.count() == 4


async def test_words_are_found_inside_the_transaction_or_refused_by_name(
    kits: Any, backend: Backend, database_name: str
) -> None:
    if backend.name == "mongod":
        create_index(backend, database_name, "text", "tags")
        async with kits as uow:
            assert {kit.id for kit in await uow.kits.find(text("red -blue")).to_list()} == {"a"}
        return
    with pytest.raises(TransactionFailed, match=r"\$text|refused the command"):
        async with kits as uow:
            await uow.kits.find(text("red")).to_list()
