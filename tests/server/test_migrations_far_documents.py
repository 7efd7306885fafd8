"""Few documents of many match: the next ones are looked for outside of a transaction, and each is still changed once."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bson import MaxKey
from pymongo import MongoClient

from boundwork.alembic_like_migrations import Migrator
from boundwork.alembic_like_migrations.engine.batches import FIRST_SIZE, Ahead, Pace, look_ahead, run_batch
from boundwork.alembic_like_migrations.engine.lease import acquire
from boundwork.alembic_like_migrations.engine.ledger import Ledger, Place, Record, StepRecord
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.steps.updates import UpdateStep
from boundwork.uow.run_sync import run_sync
from tests.server.commands_seen import failing
from tests.server.counting import DOCUMENTS, Write, numbers, server_of

pytestmark = pytest.mark.server
TOO_LONG = 50
RARE = list(range(20, 20 + FIRST_SIZE + 50))
"""More than the first batch has."""
STEP = UpdateStep("counters", {"$inc": {"number": 1}}, {"rare": True})
PLACE = Place("one", "up", 0, 1)


@pytest.fixture
def rare(counted: Any) -> Any:
    counted.counters.update_many({"_id": {"$in": RARE}}, {"$set": {"rare": True}})
    return counted


@pytest.fixture
def holder(rare: Any) -> Server:
    """Return the server of who has the lease, in the middle of a revision."""
    server = run_sync(acquire(server_of(rare), 30, 0)).server
    assert server.epoch == PLACE.epoch
    run_sync(Ledger(server).put(Record("one", "upgrading", "", (StepRecord.of(STEP),))))
    return server


def test_documents_that_a_transaction_does_not_find_in_time_are_changed_once(
    rare: Any, mongod_client: MongoClient[dict[str, Any]], write: Write, tmp_path: Path
) -> None:
    rare.counters.insert_one({"_id": MaxKey(), "number": 0, "rare": True})
    write("one", "op.update('counters', {'$inc': {'number': 1}}, where={'rare': True}, undo={'$inc': {'number': -1}})")
    looking = failing(mongod_client, ["find"], 1, errorCode=TOO_LONG, namespace=f"{rare.name}.counters")
    with looking:
        assert Migrator(rare, tmp_path).upgrade() == ("one",)
    assert {one["_id"] for one in rare.counters.find({"number": 1})} == {*RARE, MaxKey()}
    assert numbers(rare) == {0, 1}
    Migrator(rare, tmp_path).downgrade("base")
    assert numbers(rare) == {0}


def test_a_batch_that_was_found_ahead_and_is_repeated_after_it_committed_does_nothing(
    rare: Any, holder: Server
) -> None:
    ahead = run_sync(look_ahead(holder, STEP, PLACE, 2))
    assert list(ahead.ids) == RARE[:2]
    for _ in range(2):
        record = run_sync(holder.fenced(partial(run_batch, step=STEP, place=PLACE, pace=Pace(), ahead=ahead)))
        assert (list(record.after), record.seen) == (RARE[1:2], 2)
    assert numbers(rare) == {0, 1}


def test_documents_that_match_no_more_when_their_transaction_begins_are_left(rare: Any, holder: Server) -> None:
    ahead = run_sync(look_ahead(holder, STEP, PLACE, DOCUMENTS))
    rare.counters.update_many({}, {"$unset": {"rare": ""}})
    record = run_sync(holder.fenced(partial(run_batch, step=STEP, place=PLACE, pace=Pace(), ahead=ahead)))
    assert (record.state, list(record.after), record.seen) == ("running", RARE[-1:], 0)
    end = run_sync(look_ahead(holder, STEP, PLACE, DOCUMENTS))
    assert end == Ahead(RARE[-1:], [])
    record = run_sync(holder.fenced(partial(run_batch, step=STEP, place=PLACE, pace=Pace(), ahead=end)))
    assert record.state == "done"
    assert numbers(rare) == {0}
