"""Structure steps as the words of `op` that declare them: what a squash writes anew."""

from collections.abc import Mapping
from typing import Any

from boundwork.alembic_like_migrations.autogenerate.words import Word
from boundwork.alembic_like_migrations.steps.collections import (
    ChangeOptions,
    CreateCollection,
    DropCollection,
    RenameCollection,
)
from boundwork.alembic_like_migrations.steps.indexes import ChangeIndex, CreateIndex, DropIndex
from boundwork.alembic_like_migrations.steps.step import AnyStep
from boundwork.alembic_like_migrations.steps.validators import SetValidator, Validation
from boundwork.alembic_like_migrations.steps.views import ChangeView, CreateView, DropView, View


def word_of(step: AnyStep) -> Word | None:
    """Return the word that declares a step; None for a step that only its own file can declare."""
    return _of_collection(step) or _of_index(step) or _of_view(step)


def _of_collection(step: AnyStep) -> Word | None:
    match step:
        case CreateCollection():
            indexes = {"indexes": list(step.indexes)} if step.indexes else {}
            return Word("create_collection", (step.name,), {**indexes, **step.options})
        case DropCollection():
            return Word("drop_collection", (step.name,), _was(step.was))
        case RenameCollection():
            return Word("rename_collection", (step.old, step.new), {})
        case ChangeOptions():
            return Word("collection_options", (step.name, step.to), _was(step.was))
        case SetValidator():
            how = {"level": step.to.level, "action": step.to.action, **_was(_validation(step.was))}
            return Word("set_validator", (step.collection, step.to.validator), how)
        case _:
            return None


def _of_index(step: AnyStep) -> Word | None:
    match step:
        case CreateIndex():
            keys: Mapping[str, Any] = step.specification["key"]
            usual = "_".join(f"{path}_{kind}" for path, kind in keys.items())
            rest = {word: value for word, value in step.specification.items() if word != "key"}
            if rest["name"] == usual:
                del rest["name"]
            return Word("create_index", (step.collection, keys), rest)
        case DropIndex():
            return Word("drop_index", (step.collection, step.name), _was(step.was))
        case ChangeIndex():
            return Word("change_index", (step.collection, step.name, step.to, step.was), {})
        case _:
            return None


def _of_view(step: AnyStep) -> Word | None:
    match step:
        case CreateView():
            return Word("create_view", (step.name, step.view.on, step.view.pipeline), {})
        case DropView():
            return Word("drop_view", (step.name,), _was(_view(step.was)))
        case ChangeView():
            return Word("change_view", (step.name, step.to.on, step.to.pipeline), _was(_view(step.was)))
        case _:
            return None


def _was(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if value is None else {"was": value}


def _view(view: View | None) -> dict[str, Any] | None:
    return None if view is None else {"on": view.on, "pipeline": view.pipeline}


def _validation(was: Validation | None) -> dict[str, Any] | None:
    return None if was is None else {"validator": was.validator, "level": was.level, "action": was.action}
