"""What is sent for documents of the present version where old ones are stored."""

from typing import Any

from bson.raw_bson import RawBSONDocument

from boundwork import Upcast
from boundwork.models.identity import identity_key
from boundwork.models.upcasts.lineage import Lineage
from boundwork.uow.commands import DeleteOne, InsertOne, UpdateMany, UpdateOne, UpsertOne
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.upcasting.documents import AS_BSON, encoded, opened, stripped
from boundwork.uow.upcasting.writing import Writer, commutes

LINEAGE = Lineage(3, (Upcast(2).rename_field("a.x", "a.y"), Upcast(3).set_field("b", 1)))
OLD = opened("things", LINEAGE, {"_id": 7, "_sv": 2, "a": {"y": 1, "z": [1]}, "k": 1})


def written(write: Any, old: Any = None) -> Any:
    writer = Writer(old or {})
    return writer.one("things", write, LINEAGE)


def known() -> Any:
    return {("things", identity_key(7)): OLD}


def test_the_update_of_an_old_document_asks_for_its_version_and_makes_it_new() -> None:
    update = UpdateOne({"_id": 7, "shard": "s"}, {"$set": {"a.y": 2}, "$push": {"a.z": {"$each": [2]}}})
    found = written(update, known())
    assert found.filter == {"_id": 7, "shard": "s", "_sv": 2}
    assert found.update == {"$set": {"a.y": 2, "b": 1, "_sv": 3}, "$push": {"a.z": {"$each": [2]}}}


def test_only_the_first_update_of_a_call_makes_an_old_document_new() -> None:
    writer = Writer(known())
    first, second = (writer.one("things", UpdateOne({"_id": 7}, {"$unset": {"k": ""}}), LINEAGE) for _ in range(2))
    assert isinstance(first, UpdateOne)
    assert isinstance(second, UpdateOne)
    assert (first.filter, second.filter) == ({"_id": 7, "_sv": 2}, {"_id": 7, "_sv": {"$nin": [None, 2]}})
    assert second.update == {"$unset": {"k": ""}}


def test_other_writes_get_the_version_or_stay() -> None:
    assert written(InsertOne({"_id": 1})).document == {"_id": 1, "_sv": 3}
    raw = written(InsertOne(RawBSONDocument(encoded({"_id": 1, "a": "x"}), AS_BSON))).document
    assert decode(bytes(raw.raw)) == {"_id": 1, "a": "x", "_sv": 3}
    assert written(UpsertOne({"_id": 1}, {"s": 1})) == UpsertOne({"_id": 1, "_sv": 3}, {"s": 1})
    lock = UpdateOne({"_id": 7}, {"$set": {"_boundwork_lock": 1}})
    assert written(lock, known()) is lock
    gone = DeleteOne({"_id": 7})
    assert written(gone, known()) is gone


def test_a_change_commutes_with_an_upcast_that_touches_nothing_of_it() -> None:
    def changing(path: str) -> UpdateMany:
        return UpdateMany({}, {"$set": {path: 1}})

    assert commutes(changing("k"), LINEAGE)
    for path in ("b", "a", "a.x", "a.y.z", "a.$[].y"):
        assert not commutes(changing(path), LINEAGE)
    assert not commutes(UpdateMany({}, {"$rename": {"k": "b"}}), LINEAGE)
    computing = Lineage(2, (Upcast(2).compute(lambda _: {}, fields=["q"]),))
    assert not commutes(changing("k"), computing)


def test_the_version_is_cut_out_of_a_document_wherever_it_stands() -> None:
    settled = Lineage(3)
    for stored in ({"_id": 1, "_sv": 3, "b": 2}, {"_id": 1, "b": {"_sv": 3}, "_sv": 3}, {"_sv": 3, "_id": 1}):
        found = decode(stripped("things", settled, encoded(stored)))
        assert found == {name: value for name, value in stored.items() if name != "_sv"}
