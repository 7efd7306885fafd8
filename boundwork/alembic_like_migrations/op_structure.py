"""The words of revision files for collections, indexes, validators and views; `op` has them all.

Each declares one step. What a word cannot know for the way back it is given as `was`; without it the step cannot be undone.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from boundwork.alembic_like_migrations.engine.program import declare
from boundwork.alembic_like_migrations.steps.collections import (
    ChangeOptions,
    CreateCollection,
    DropCollection,
    RenameCollection,
)
from boundwork.alembic_like_migrations.steps.errors import StepWrong
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex, CreateIndex, DropIndex, specified
from boundwork.alembic_like_migrations.steps.validators import Action, Level, SetValidator, Validation
from boundwork.alembic_like_migrations.steps.views import ChangeView, CreateView, DropView, View

Keys = Mapping[str, Any] | Sequence[tuple[str, Any]]
Pipeline = Sequence[Mapping[str, Any]]


def create_collection(name: str, *, indexes: Sequence[Mapping[str, Any]] = (), **options: Any) -> None:
    """Declare a collection with options of the server's `create`, and indexes as `{"key": {...}, "unique": True}`."""
    if "viewOn" in options:
        raise StepWrong(f"{name!r} would be a view. Use op.create_view, whose way back knows that it has no documents.")
    declare(CreateCollection(name, options, tuple(specified(name, index) for index in indexes)))


def drop_collection(name: str, *, was: Mapping[str, Any] | None = None) -> None:
    """Declare the dropping of a collection with its documents.

    `was` are its options, with its indexes under `indexes`: the way back makes it so, and empty.
    """
    known = None if was is None else {**was, "indexes": [specified(name, index) for index in was.get("indexes", ())]}
    declare(DropCollection(name, known))


def rename_collection(old: str, new: str) -> None:
    """Declare a new name for a collection; documents and indexes stay."""
    declare(RenameCollection(old, new))


def collection_options(collection: str, to: Mapping[str, Any], was: Mapping[str, Any] | None = None) -> None:
    """Declare other options of a collection, as `collMod` takes them: `changeStreamPreAndPostImages`, `expireAfterSeconds`."""
    declare(ChangeOptions(collection, to, was))


def create_index(collection: str, keys: Keys, *, name: str | None = None, unique: bool = False, **options: Any) -> None:
    """Declare an index; `options` are further words of the server: `sparse`, `partialFilterExpression`, `collation`.

    Documents that a unique index would refuse are named before it is tried.
    """
    given = {"key": keys, "name": name, **({"unique": True} if unique else {}), **options}
    declare(CreateIndex(collection, specified(collection, given)))


def drop_index(collection: str, name: str, *, was: Mapping[str, Any] | None = None) -> None:
    """Declare the dropping of an index; `was` is its specification, `{"key": {...}, "unique": True}`, for the way back."""
    known = None if was is None else specified(collection, {**was, "name": name})
    declare(DropIndex(collection, name, known))


def change_index(collection: str, name: str, to: Mapping[str, Any], was: Mapping[str, Any]) -> None:
    """Declare another index in the place of one; both are specifications, `{"key": {...}, "unique": True}`.

    `hidden` and `expireAfterSeconds` are changed in place. Anything else is built under a new name, which is that of
    `to`, or is chosen.
    """
    old = specified(collection, {**was, "name": name})
    new = specified(collection, to)
    kept = ChangeIndex(collection, name, {**new, "name": name}, old)
    if kept.in_place and to.get("name", name) == name:
        declare(kept)
        return
    if "name" not in to and new["name"] == name:
        new = {**new, "name": f"{name}_2"}
    if new["name"] == name:
        raise StepWrong(
            f"The index {name!r} of {collection!r} cannot be changed under its name: the new one is built while the old "
            "one is there. Give it another name, or none."
        )
    declare(ChangeIndex(collection, name, new, old))


def create_view(name: str, on: str, pipeline: Pipeline) -> None:
    """Declare a view on a collection or on another view."""
    declare(CreateView(name, View(on, tuple(pipeline))))


def drop_view(name: str, *, was: Mapping[str, Any] | None = None) -> None:
    """Declare the dropping of a view; `was` is `{"on": ..., "pipeline": [...]}`, for the way back."""
    declare(DropView(name, None if was is None else _view(name, was)))


def change_view(name: str, on: str, pipeline: Pipeline, *, was: Mapping[str, Any] | None = None) -> None:
    """Declare that a view shows something else; `was` is `{"on": ..., "pipeline": [...]}`, for the way back."""
    declare(ChangeView(name, View(on, tuple(pipeline)), None if was is None else _view(name, was)))


def set_validator(
    collection: str,
    schema: Mapping[str, Any] | None,
    *,
    level: Level = "strict",
    action: Action = "error",
    was: Mapping[str, Any] | None = None,
) -> None:
    """Declare the validator of a collection: a JSON schema, or a filter if a word of it begins with `$`; None removes it.

    `was` is the one before, {} for none; where its level or action was another, it is
    `{"validator": ..., "level": ..., "action": ...}`.
    """
    declare(SetValidator(collection, _validation({} if schema is None else schema, level, action), _before(was)))


def _validation(schema: Mapping[str, Any], level: Level, action: Action) -> Validation:
    is_filter = not schema or any(word.startswith("$") for word in schema)
    return Validation(schema if is_filter else {"$jsonSchema": schema}, level, action)


def _before(was: Mapping[str, Any] | None) -> Validation | None:
    if was is None or "validator" not in was:
        return None if was is None else _validation(was, "strict", "error")
    return _validation(was["validator"], was.get("level", "strict"), was.get("action", "error"))


def _view(name: str, was: Mapping[str, Any]) -> View:
    if set(was) != {"on", "pipeline"}:
        raise StepWrong(f"What the view {name!r} was must be {{'on': ..., 'pipeline': [...]}}.")
    return View(was["on"], tuple(was["pipeline"]))
