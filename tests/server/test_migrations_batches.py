"""What data steps go through on a real server: empty and large collections, those made meanwhile, and steps that raise."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from boundwork.alembic_like_migrations import Migrator, StepFailed
from boundwork.alembic_like_migrations.engine.batches import FIRST_SIZE
from tests.server.commands_seen import failing
from tests.server.counting import COUNT, DOCUMENTS, Doing, Write, numbers

pytestmark = pytest.mark.server


def test_empty_and_missing_collections_have_nothing_to_do(counted: Any, write: Write, tmp_path: Path) -> None:
    counted.create_collection("empty")
    write(
        "one", "op.update('empty', {'$inc': {'a': 1}})", "op.update('missing', {'$inc': {'a': 1}})", COUNT, down="pass"
    )
    assert Migrator(counted, tmp_path).upgrade() == ("one",)
    assert "missing" not in counted.list_collection_names()
    assert numbers(counted) == {1}


@pytest.mark.parametrize("number", [0, 1, 150, 199, 200, 299])
def test_the_document_that_the_server_refuses_is_named_and_nothing_of_its_batch_is_written(
    counted: Any, write: Write, tmp_path: Path, number: int
) -> None:
    counted.counters.update_one({"_id": number}, {"$set": {"number": "secret"}})
    write("one", COUNT)
    with pytest.raises(StepFailed, match=rf"the operator does not take\) at the document {number}\.") as raised:
        Migrator(counted, tmp_path).upgrade()
    assert "secret" not in str(raised.value)
    (record,) = Migrator(counted, tmp_path).standing().half_done
    assert record.up[0].seen == counted.counters.count_documents({"number": 1}) == number // FIRST_SIZE * FIRST_SIZE
    counted.counters.update_one({"_id": number}, {"$set": {"number": 0}})
    assert Migrator(counted, tmp_path).resume() == ("one",)
    assert numbers(counted) == {1}


def test_what_is_about_no_document_names_none(
    counted: Any, mongod_client: MongoClient[dict[str, Any]], write: Write, tmp_path: Path
) -> None:
    write("one", "op.seed('counters', [{'_id': 'new', 'number': 0}])")
    counted.command("collMod", "counters", validator={"number": {"$gt": 0}})
    with pytest.raises(StepFailed, match=r"refused a document \(code 121\)\. What"):
        Migrator(counted, tmp_path).upgrade()
    Migrator(counted, tmp_path).resolve("one", "reverted")
    write("one", COUNT)
    unauthorized = failing(mongod_client, ["update"], 50, errorCode=13, namespace=f"{counted.name}.counters")
    with unauthorized, pytest.raises(StepFailed, match=r"\(code 13.*in the batch of the documents 0 to 199"):
        Migrator(counted, tmp_path).upgrade()


def test_a_batch_whose_transaction_the_server_ended_for_its_time_is_tried_again_with_half_of_it(
    counted: Any, mongod_client: MongoClient[dict[str, Any]], write: Write, tmp_path: Path
) -> None:
    write("one", COUNT)
    seen: list[int] = []
    migrator = Migrator(counted, tmp_path, watcher=Doing(lambda record: seen.append(record.seen)))
    with failing(mongod_client, ["update"], 1, errorCode=290, namespace=f"{counted.name}.counters"):
        assert migrator.upgrade() == ("one",)
    assert seen[0] == FIRST_SIZE // 2
    assert numbers(counted) == {1}


WHOLE = """
from dataclasses import dataclass
from boundwork.alembic_like_migrations.engine.program import declare
from boundwork.alembic_like_migrations.steps.step import DataStep, Irreversible, Worked

@dataclass(frozen=True, slots=True)
class Count(DataStep):
    needs_documents = True
    title = "count"
    collection = "large"

    def inverse(self):
        raise Irreversible(self.title, "a test")

    async def work(self, batch):
        assert batch.documents[0].raw
        for one in batch.ids:
            statement = {"q": {"_id": one}, "u": {"$inc": {"number": 1}}}
            await batch.session.command({"update": "large", "updates": [statement]})
        return Worked(len(batch.ids))
"""


def test_documents_and_ids_of_many_megabytes_are_visited_each_once(counted: Any, write: Write, tmp_path: Path) -> None:
    for number in range(5):
        counted.large.insert_one({"_id": number, "number": 0, "filling": "x" * 9_000_000})
    for number in range(4):
        counted.ids.insert_one({"_id": f"{number}{'x' * 6_000_000}", "number": 0})
    write("one", "declare(Count())", down=None, top=WHOLE)
    write("two", "op.update('ids', {'$inc': {'number': 1}})", after="one")
    assert Migrator(counted, tmp_path).upgrade() == ("one", "two")
    assert numbers(counted, "large") == {1}
    assert numbers(counted, "ids") == {1}


MEANWHILE = """
import os
from dataclasses import dataclass
from pymongo import MongoClient
from boundwork.alembic_like_migrations.engine.program import declare
from boundwork.alembic_like_migrations.steps.step import DataStep, Worked
tries = []

@dataclass(frozen=True, slots=True)
class Copy(DataStep):
    title = "copy"
    collection = "counters"

    def inverse(self):
        return self

    async def work(self, batch):
        tries.append(1)
        if len(tries) == 1:
            with MongoClient(os.environ["MEANWHILE"]) as client, client.start_session() as other:
                client[os.environ["DATABASE"]].create_collection("copies", session=other)
        documents = [{"_id": one} for one in batch.ids]
        await batch.session.command({"insert": "copies", "documents": documents})
        return Worked(len(documents))
"""


def test_a_collection_that_somebody_makes_meanwhile_is_met_by_another_try(
    counted: Any, write: Write, tmp_path: Path, mongod_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEANWHILE", mongod_uri)
    monkeypatch.setenv("DATABASE", counted.name)
    write("one", "declare(Copy())", down=None, top=MEANWHILE)
    assert Migrator(counted, tmp_path).upgrade() == ("one",)
    assert counted.copies.count_documents({}) == DOCUMENTS


def test_an_error_of_a_step_itself_is_noted_and_kept_as_the_cause(counted: Any, write: Write, tmp_path: Path) -> None:
    write("one", "declare(Copy())", down=None, top=MEANWHILE.replace("tries.append(1)", "raise ValueError('secret')"))
    with pytest.raises(StepFailed, match="ValueError was raised") as raised:
        Migrator(counted, tmp_path).upgrade()
    assert isinstance(raised.value.__cause__, ValueError)
    assert "secret" not in str(raised.value)
    (record,) = Migrator(counted, tmp_path).standing().half_done
    assert (record.up[0].state, record.up[0].error) == ("failed", "ValueError")
