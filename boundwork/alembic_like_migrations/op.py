"""The words of a revision file: each declares a step, and does nothing by itself.

from boundwork.alembic_like_migrations import op

def up():
op.update("counters", {"$inc": {"number": 1}}, undo={"$inc": {"number": -1}})

def down():
op.revert()
"""

from collections.abc import Mapping, Sequence
from typing import Any

from boundwork.alembic_like_migrations.engine.program import declare, revert
from boundwork.alembic_like_migrations.op_structure import (
    change_index,
    change_view,
    collection_options,
    create_collection,
    create_index,
    create_view,
    drop_collection,
    drop_index,
    drop_view,
    rename_collection,
    set_validator,
)
from boundwork.alembic_like_migrations.steps.step import EVERYTHING
from boundwork.alembic_like_migrations.steps.updates import UpdateStep

__all__ = [
    "change_index",
    "change_view",
    "collection_options",
    "create_collection",
    "create_index",
    "create_view",
    "drop_collection",
    "drop_index",
    "drop_view",
    "rename_collection",
    "revert",
    "set_validator",
    "update",
]

Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def update(
    collection: str, change: Update, *, where: Mapping[str, Any] = EVERYTHING, undo: Update | None = None
) -> None:
    """Declare an update of the documents that match `where`, by operators or by the stages of a pipeline.

    Each document is updated exactly once, whatever happens on the way. `undo` is what `op.revert()` applies.
    """
    declare(UpdateStep(collection, change, where, undo))
