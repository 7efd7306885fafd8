"""What comes after a position, for MongoDB: the filter of a page against the order of a sort, value by value."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from pymongo.collection import Collection

from boundwork.models.bson_types import CODEC_OPTIONS, decode_all
from boundwork.repositories.keyset import after, position_of
from boundwork.uow.commands import Find, InsertOne
from boundwork.uow.sessions.memory import MemoryDatabase
from tests.backends import Backend
from tests.server.both_databases import found_in_memory, write_in_memory

VALUES: list[Any] = [
    ..., None, MinKey(), math.nan, Decimal128("NaN"), -math.inf, -1, 0, -0.0, Int64(2**40), 1, 1.0, Decimal128("1"), 1.5,
    Decimal128("Infinity"), "", "a", "a\0b", "ab", "Z", "é", b"", b"ab", b"b", Binary(b"ab", 5), UUID(int=7), UUID(int=8),
    ObjectId("0123456789abcdef01234567"), ObjectId("fedcba9876543210fedcba98"), False, True,
    datetime(1969, 12, 31, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC), Timestamp(5, 1), Timestamp(5, 2), MaxKey(),
]  # fmt: skip


BINARY = (bytes, UUID)
"""The embedded server compares these with nothing but themselves, so a page there cannot follow them."""


def stored(*, binary: bool) -> list[dict[str, Any]]:
    """Return documents with every value twice, ids of several types, and the same values one level down."""
    documents: list[dict[str, Any]] = []
    values = [value for value in VALUES if binary or not isinstance(value, BINARY)]
    for number, (value, twin) in enumerate(product(values, range(2))):
        document: dict[str, Any] = {"_id": number if twin else f"id-{number}", "b": number % 3}
        if value is not ...:
            document |= {"a": value, "in": {"a": value}}
        documents.append(document)
    documents.append({"_id": UUID(int=1) if binary else True, "b": 1, "in": 5})
    return documents


ORDERS = [
    (("a", 1), ("_id", 1)),
    (("a", -1), ("_id", -1)),
    (("a", -1), ("_id", 1)),
    (("b", 1), ("a", -1), ("_id", 1)),
    (("in.a", 1), ("_id", -1)),
    (("_id", 1),),
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_what_comes_after_each_document_is_the_rest_of_the_sort(
    order: tuple[tuple[str, int], ...], backend: Backend, database_name: str
) -> None:
    ask = asker(backend, database_name)
    everything = ask({}, order)
    assert len(everything) > 50
    for number, document in enumerate(everything):
        position = position_of(document, order)
        assert ids(ask(after(order, position), order)) == ids(everything[number + 1 :]), (number, position)
        if number % 7 == 0:
            assert ids(ask(after(order, position, inclusive=True), order)) == ids(everything[number:])


def ids(documents: list[dict[str, Any]]) -> list[Any]:
    return [document["_id"] for document in documents]


Order = tuple[tuple[str, int], ...]


def asker(backend: Backend, name: str) -> Callable[[dict[str, Any], Order], list[dict[str, Any]]]:
    """Store the documents, and return what finds some of them in an order."""
    if backend.uri is None:
        memory = MemoryDatabase("compared")
        write_in_memory(memory, *map(InsertOne, stored(binary=True)))

        def in_memory(condition: dict[str, Any], order: Order) -> list[dict[str, Any]]:
            return decode_all(b"".join(found_in_memory(memory, Find("compared", condition, order))))

        return in_memory
    real: Collection[dict[str, Any]] = backend.sync_database(name).get_collection(
        "compared", codec_options=CODEC_OPTIONS
    )
    real.insert_many(stored(binary=backend.name == "mongod"))

    def on_server(condition: dict[str, Any], order: Order) -> list[dict[str, Any]]:
        return list(real.find(condition).sort(list(order)))

    return on_server
