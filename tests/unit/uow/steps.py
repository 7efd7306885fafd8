"""Steps from one state of a collection to another, and the check that a plan carries one out without a taken key."""

from collections.abc import Mapping, Sequence
from typing import Any

from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.flush_plan import PlannedBulk, planned
from tests.unit.uow.people import alteration, insertion, removal
from tests.unit.uow.unique_index import Index, KeyIsTaken, ModelCollection

Documents = Mapping[int, Mapping[str, Any]]
TAGS = Index(UniqueKey("tags_1", ("tags",)))


def step(before: Documents, after: Documents, replaced: frozenset[int]) -> list[Change]:
    """Give the changes from one state to the other; replaced documents are removed and inserted anew."""
    changes: list[Change] = []
    for number in sorted({*before, *after}):
        old, new = before.get(number), after.get(number)
        if old is not None and new is not None and number not in replaced:
            if old != new:
                changes.append(alteration(number, old, new))
            continue
        if old is not None:
            changes.append(removal(number, old))
        if new is not None:
            changes.append(insertion(number, new))
    return changes


def consistent(documents: Documents, indexes: Sequence[Index]) -> bool:
    try:
        ModelCollection(stored(documents), indexes)
    except KeyIsTaken:
        return False
    return True


def stored(documents: Documents) -> list[dict[str, Any]]:
    return [{"_id": number, **fields} for number, fields in documents.items()]


def check(
    before: Documents, after: Documents, replaced: frozenset[int], indexes: Sequence[Index]
) -> PlannedBulk | None:
    changes = step(before, after, replaced)
    if not changes:
        return None
    collection = ModelCollection(stored(before), indexes)
    bulk = planned("people", changes, [index.key for index in indexes])
    collection.carry_out(bulk.command().writes)
    assert collection.documents == {document["_id"]: document for document in stored(after)}
    return bulk
