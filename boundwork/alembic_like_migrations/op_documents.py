"""The words of revision files for documents; `op` has them all.

Each declares one step that works on every document exactly once, in batches that commit with their place in the record.
"""

import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NoReturn, TypeVar, get_args

from boundwork.alembic_like_migrations.engine.program import declare, gathering, mark
from boundwork.alembic_like_migrations.lazy.steps import LazyUpcast
from boundwork.alembic_like_migrations.steps.copies import CopyField
from boundwork.alembic_like_migrations.steps.errors import StepWrong
from boundwork.alembic_like_migrations.steps.images import UpdateKeeping
from boundwork.alembic_like_migrations.steps.moves import MoveDocuments
from boundwork.alembic_like_migrations.steps.obstacles import Obstacle
from boundwork.alembic_like_migrations.steps.renames import STOPPING, Images, MoveField, RenameField, above
from boundwork.alembic_like_migrations.steps.renaming import Conflict
from boundwork.alembic_like_migrations.steps.step import EVERYTHING, Irreversible
from boundwork.alembic_like_migrations.steps.transactions import Execute, ExecuteOutside, seeded, together
from boundwork.alembic_like_migrations.steps.transforms import TransformStep
from boundwork.alembic_like_migrations.steps.updates import (
    Update,
    UpdateStep,
    hides_its_documents,
    is_update,
    positional,
)
from boundwork.models.kinds import is_array, is_mapping
from boundwork.models.upcasts.upcast import Upcast

Filter = Mapping[str, Any]
Function = TypeVar("Function", bound=Callable[[Any], Any])
LONGEST_BATCH = 20
"""Seconds: a third of what the server lets a transaction live."""
Type = Literal["double", "string", "objectId", "bool", "date", "int", "long", "decimal"]


def update(collection: str, change: Update, *, where: Filter = EVERYTHING, undo: Update | None = None) -> None:
    """Declare an update of the documents that match `where`, by operators or by the stages of a pipeline.

    `undo` is what `op.revert()` applies: to what matches `where` by then, or, if the update changes a field that `where`
    looks at, to the very documents that were updated.
    """
    _in_order_of_ids(collection, where)
    for name, given in (("change", change), ("undo", undo)):
        if given is not None and not is_update(given):
            raise StepWrong(
                f"The {name} of op.update({collection!r}) is neither operators, as {{'$set': {{...}}}}, nor a list of stages, as "
                "[{'$set': {...}}], so no server takes it for many documents. Leave undo out if there is no way back."
            )
    path = positional(change) or positional(undo)
    if path is not None:
        raise StepWrong(
            f"{path!r} of {collection!r} leads to the items that a query finds, and a step changes its documents by their ids. "
            "Use the stages of a pipeline ($map), or op.transform."
        )
    hidden = undo is not None and hides_its_documents(change, where)
    declare(UpdateStep(collection, change, where, undo, mark() if hidden else None))


def lazy(collection: str, upcast: Upcast) -> None:
    """Declare that documents are upcast when they are read, by models that have the same upcast, and migrated later.

    Nothing is changed now; `boundwork migrate finish` brings the documents that are left. Give the very value that the
    model has: `op.lazy("users", TO_2)` beside `class User(Document, ..., schema_version=2, upcasts=[TO_2])`.
    """
    declare(LazyUpcast(collection, upcast))


def set_field(
    collection: str, field: str, value: Any, *, where: Filter = EVERYTHING, only_missing: bool = True
) -> None:
    """Declare that a field gets a value where it is missing, or everywhere.

    The way back takes it from the documents that got it and still have that value; what was overwritten comes back.
    """
    _path(collection, field)
    _in_order_of_ids(collection, where)
    label = f"set field {field} of {collection}{' where it is missing' if only_missing else ''}"
    change = {"$set": {field: value}}
    matching = _both(where, {field: {"$exists": False}}) if only_missing else where
    if only_missing and "." not in field:
        unchanged = {"$expr": {"$eq": [f"${field}", {"$literal": value}]}}
        declare(UpdateStep(collection, change, matching, {"$unset": {field: ""}}, mark(), unchanged, label))
    else:
        declare(UpdateKeeping(label, collection, change, matching, mark()))


def unset_field(collection: str, field: str, *, keep: bool = True) -> None:
    """Declare that a field goes; with `keep` its documents are kept in the undo log, so that it can come back.

    A dotted path leads into documents, and into those in arrays.
    """
    _path(collection, field)
    label = f"unset field {field} of {collection}"
    there = {field: {"$exists": True}}
    # The operator does not reach into arrays, and the stage does not take a number for a place in one.
    place = any(name.isdigit() for name in field.split("."))
    change: Update = {"$unset": {field: ""}} if place else [{"$unset": field}]
    if keep:
        declare(UpdateKeeping(label, collection, change, there, mark()))
    else:
        why = "its values are not kept (keep=False)"
        declare(UpdateStep(collection, change, there, label=f"{label} for good", why_not=why))


def rename_field(collection: str, old: str, new: str, *, on_conflict: Conflict = "error") -> None:
    """Declare another name for a field, at its place; a dotted path leads into documents, and into those in arrays.

    Where a document has both: "error" names such documents and stops, "keep_new" drops the value under the old name,
    "keep_old" the one under the new name; what was dropped comes back on the way down. "error_if_different" drops one of
    two equal values for good, and stops at others.
    """
    _same_place(collection, old, new)
    if on_conflict not in get_args(Conflict):
        raise StepWrong(f"on_conflict is {', '.join(map(repr, get_args(Conflict)))}, not {on_conflict!r}.")
    images = None if on_conflict in STOPPING else Images(mark())
    declare(RenameField(collection, old, new, images, on_conflict))


def copy_field(collection: str, old: str, new: str, *, undo: bool = True) -> None:
    """Declare a second name for a field, with its value, where that is not there yet; a dotted path leads into documents.

    Documents with an array on the way are named, and stop it. The way back takes the copies away that are still like
    their originals; without `undo` nothing is kept for it.
    """
    _same_place(collection, old, new)
    declare(CopyField(collection, old, new, mark() if undo else None))


def move_field(collection: str, old_path: str, new_path: str) -> None:
    """Declare another path for a field; documents with something there, or an array on the way, are named, and stop it."""
    _path(collection, old_path)
    _path(collection, new_path)
    if f"{new_path}.".startswith(f"{old_path}.") or f"{old_path}.".startswith(f"{new_path}."):
        raise StepWrong(f"A field of {collection!r} cannot move into itself: {old_path!r} to {new_path!r}.")
    declare(MoveField(collection, old_path, new_path, Images(mark())))


def convert_type(
    collection: str, field: str, to: Type, *, on_error: Literal["error", "keep", "null"] = "error"
) -> None:
    """Declare that a field has another type, by the server's `$convert`; null stays null.

    Values that cannot be converted: "error" names their documents and stops, "keep" leaves them, "null" loses them. What
    was there comes back on the way down.
    """
    _path(collection, field)
    if on_error not in {"error", "keep", "null"}:
        raise StepWrong(f"on_error is 'error', 'keep' or 'null', not {on_error!r}.")
    value = f"${field}"
    failed = {"$eq": [{"$convert": {"input": value, "to": to, "onError": None}}, None]}
    arrays = [{"$isArray": [f"${path}"]} for path in above(field)]
    bad = {"$or": [*arrays, *([failed] if on_error == "error" else [])]}
    otherwise = value if on_error == "keep" else None
    change = [{"$set": {field: {"$convert": {"input": value, "to": to, "onError": otherwise}}}}]
    matching = {field: {"$exists": True}, "$expr": {"$not": [{"$in": [{"$type": value}, ["missing", "null", to]]}]}}
    obstacle = Obstacle(bad, f"have a {field!r} that cannot become {to}", "Change them, or choose on_error, and go on.")
    label = f"convert field {field} of {collection} to {to}"
    declare(UpdateKeeping(label, collection, change, matching, mark(), obstacle))


def split_collection(source: str, target: str, where: Filter) -> None:
    """Declare that the documents that match move to another collection; the way back moves all that match by then."""
    _different(source, target)
    _in_order_of_ids(source, where)
    declare(MoveDocuments(source, target, where))


def merge_collections(source: str, target: str) -> None:
    """Declare that all documents move to another collection; the way back moves those documents."""
    _different(source, target)
    declare(MoveDocuments(source, target, EVERYTHING, mark()))


def transform(
    collection: str, *, where: Filter = EVERYTHING, batch: str | float | None = None, undo: bool = True
) -> Callable[[Function], Function]:
    """Declare that the function below it changes the documents that match.

    It is called with each document, a dict, and returns an update (operators, or a list of stages), the whole new
    document, or None to leave it. It may be called again for the same document, so it should do nothing else. `batch` is
    how long a transaction may take: "2s". With `undo` the documents are kept in the undo log as they were.
    """
    seconds = _seconds(batch)
    _in_order_of_ids(collection, where)

    def declared(function: Function) -> Function:
        if inspect.iscoroutinefunction(function):
            raise StepWrong(f"The function of op.transform({collection!r}) must be a plain one: it asks nobody.")
        name = "a function" if function.__name__ == "_" else function.__name__
        declare(TransformStep(collection, function, name, where, seconds, mark() if undo else None))
        return function

    return declared


def execute(function: Function, *, transaction: bool = True) -> Function:
    """Declare that a function is called with the database: a `def` by `Migrator`, an `async def` by `AsyncMigrator`.

    In the transaction, what it does with the database is done exactly once, within a minute; the call itself may be
    repeated. With `transaction=False` it is called at least once: a crash before the record makes it be called again.
    """
    name = function.__name__
    declare(Execute(function, name) if transaction else ExecuteOutside(function, name))
    return function


def seed(collection: str, documents: Sequence[Mapping[str, Any]]) -> None:
    """Declare documents that are inserted where their `_id` is not there yet, in one transaction.

    The way back deletes those that were inserted and are unchanged.
    """
    declare(seeded(collection, documents, mark()))


@contextmanager
def transaction() -> Generator[None]:
    """Put the document steps of the block into one step, of one transaction: small ones, of up to 10,000 documents."""
    with gathering() as steps:
        yield
    declare(together(steps))


def irreversible(why: str) -> NoReturn:
    """Say in `down()` that there is no way back. Raises Irreversible."""
    raise Irreversible("the revision", why)


def _seconds(batch: str | float | None) -> float | None:
    if batch is None:
        return None
    try:
        seconds = float(batch.removesuffix("s") if isinstance(batch, str) else batch)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST_BATCH:
        raise StepWrong(f"A batch takes more than 0 and at most {LONGEST_BATCH} seconds, like '2s', not {batch!r}.")
    return seconds


def _both(one: Filter, other: Filter) -> Filter:
    return {"$and": [one, other]} if one else other


def _in_order_of_ids(collection: str, where: Any) -> None:
    """Refuse filters that the server answers by an index of their own: steps go through the one of `_id`."""
    if is_array(where):
        for one in where:
            _in_order_of_ids(collection, one)
    elif is_mapping(where):
        for word, value in where.items():
            if word in {"$text", "$near", "$nearSphere"}:
                raise StepWrong(
                    f"A step on {collection!r} cannot search by {word}: it goes through the documents in the order of their ids. "
                    "Use $regex, $geoWithin, or op.execute."
                )
            _in_order_of_ids(collection, value)


def _different(source: str, target: str) -> None:
    if source == target:
        raise StepWrong(f"{source!r} is the source and the target. Name two collections.")


def _same_place(collection: str, old: str, new: str) -> None:
    _path(collection, old)
    _path(collection, new)
    if above(old) != above(new) or old == new:
        raise StepWrong(
            f"{old!r} and {new!r} of {collection!r} are not two names at the same place. Use op.move_field."
        )


def _path(collection: str, path: str) -> Sequence[str]:
    names = path.split(".")
    if not all(names) or any(name.startswith("$") for name in names) or names[0] == "_id" or "\0" in path:
        raise StepWrong(
            f"{path!r} is no field of {collection!r} that can be changed: names with dots between, not _id."
        )
    return names
