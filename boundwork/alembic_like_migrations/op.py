"""The words of a revision file: each declares a step, and does nothing by itself.

from boundwork.alembic_like_migrations import op

def up():
op.update("counters", {"$inc": {"number": 1}}, undo={"$inc": {"number": -1}})

def down():
op.revert()
"""

from boundwork.alembic_like_migrations.engine.program import keep, revert
from boundwork.alembic_like_migrations.op_documents import (
    convert_type,
    copy_field,
    execute,
    irreversible,
    lazy,
    merge_collections,
    move_field,
    rename_field,
    seed,
    set_field,
    split_collection,
    transaction,
    transform,
    unset_field,
    update,
)
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

__all__ = [
    "change_index",
    "change_view",
    "collection_options",
    "convert_type",
    "copy_field",
    "create_collection",
    "create_index",
    "create_view",
    "drop_collection",
    "drop_index",
    "drop_view",
    "execute",
    "irreversible",
    "keep",
    "lazy",
    "merge_collections",
    "move_field",
    "rename_collection",
    "rename_field",
    "revert",
    "seed",
    "set_field",
    "set_validator",
    "split_collection",
    "transaction",
    "transform",
    "unset_field",
    "update",
]
