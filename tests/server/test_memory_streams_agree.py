"""A stream of the in-memory database against one of a real mongod, while its unit writes between the batches."""

from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection

from boundwork import Document, Repository, UnitOfWork, desc, set_
from boundwork.uow.sessions.memory import MemoryDatabase
from tests.server.random_documents import seeded

pytestmark = pytest.mark.server


class Step(Document[int], collection="compared"):
    a: int = 0


class Walk(UnitOfWork):
    steps = Repository(Step)


ORDERS: dict[str, tuple[Any, ...]] = {
    "none": (),
    "ids": (Step.id,),
    "ids, the last first": (desc(Step.id),),
    "fields": (Step.a, Step.id),
}


def walked(database: Any, keys: tuple[Any, ...], seed: int) -> list[tuple[int, int]]:
    """Go through a stream and change, remove and add documents behind and in front of it."""
    draw = seeded(seed)
    walk = Walk(database)
    with walk as uow:
        uow.steps.find().delete()
        uow.steps.add_all(Step(id=number, a=draw.randrange(3)) for number in draw.sample(range(0, 40, 2), 12))
    met: list[tuple[int, int]] = []
    with walk as uow:
        found = uow.steps.find(Step.a >= draw.choice([0, 1])).sort(*keys).limit(draw.choice([20, 7]))
        for number, step in enumerate(found.stream(batch_size=draw.choice([1, 2, 3]))):
            met.append((step.id, step.a))
            match draw.randrange(4):
                case 0:
                    uow.steps.update_where(Step.a == draw.randrange(3), set_(Step.a, draw.randrange(3)))
                case 1:
                    uow.steps.delete_where(Step.id == draw.randrange(0, 40, 2))
                case 2:
                    uow.steps.add(Step(id=100 * draw.choice([1, -1]) + number, a=2))
                    uow.flush()
                case _:
                    pass
            if number > 30:
                break
    return met


@pytest.mark.parametrize("order", ORDERS)
def test_a_stream_meets_the_same_documents_that_its_unit_writes_meanwhile(
    real: Collection[RawBSONDocument], order: str
) -> None:
    for seed in range(25):
        expected = walked(real.database, ORDERS[order], seed)
        assert walked(MemoryDatabase("compared"), ORDERS[order], seed) == expected, seed
