"""In which order the in-memory database meets documents that no sort puts in order, against a real mongod.

It decides which document `first` and `find_and_update` mean, and whether a change of many meets a unique value that
another one is about to give up.
"""

from functools import partial
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from boundwork.uow.commands import Find
from tests.server.both_databases import compare, filled, outcome
from tests.server.random_documents import Document, seeded
from tests.server.test_memory_agrees_with_mongod import changed_in_memory, changed_on_server

pytestmark = pytest.mark.server

TESTS: list[Any] = [
    3,
    {"$gte": 2},
    {"$gt": 1, "$lt": 6},
    {"$in": [7, 1, 4, 2]},
    {"$ne": 4},
    {"$nin": [0, 5]},
    {"$exists": True},
    {"$type": "number"},
    {"$mod": [2, 1]},
    {"$not": {"$gt": 6}},
]
CONDITIONS: list[Document] = [
    {},
    *({path: test} for path in ("_id", "x", "y") for test in TESTS),
    {"$and": [{"x": {"$gte": 2}}, {"y": 1}]},
    {"$or": [{"x": {"$gte": 2}}]},
    {"x": {"$lt": 7}, "y": {"$lte": 1}},
]


def documents(seed: int) -> list[Document]:
    draw = seeded(seed)
    ids, xs = draw.sample(range(20), 8), draw.sample(range(8), 8)
    return [{"_id": one, "x": x, "y": draw.randrange(3)} for one, x in zip(ids, xs, strict=True)]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("paths", [("x",), ("x", "y")])
def test_documents_are_met_in_the_same_order(
    real: Collection[RawBSONDocument], paths: tuple[str, ...], sparse: bool
) -> None:
    real.create_index([(path, 1) for path in paths], unique=True, sparse=sparse)
    database = filled(real, documents(1))
    database.create_unique_index("compared", *paths, sparse=sparse)
    compare(real, database, [Find("compared", condition) for condition in CONDITIONS])


@pytest.mark.parametrize("step", [1, -1])
def test_moving_unique_values_on_meets_the_same_ones(real: Collection[RawBSONDocument], step: int) -> None:
    real.create_index("x", unique=True)
    for seed in range(10):
        real.delete_many({})
        # A gap at 2, so that the least of those that move may move down.
        database = filled(real, [document for document in documents(seed) if document["x"] != 2])
        database.create_unique_index("compared", "x")
        asked, change = {"x": {"$gte": 3}}, {"$inc": {"x": step}}
        expected = outcome(partial(changed_on_server, real, asked, change, ()))
        assert (expected == "refused") is (step == 1)
        assert outcome(partial(changed_in_memory, database, asked, change, ())) == expected, seed
