"""The models of a project, found by the setting `models`: a definition, or models, by module and name."""

import importlib
import sys
from collections.abc import Iterable
from typing import Any, cast

from boundwork.alembic_like_migrations.errors import SettingsWrong
from boundwork.alembic_like_migrations.settings import SECTION, Settings
from boundwork.models import Document
from boundwork.uow.definition import UnitDefinition, is_document

Models = Iterable[type[Document[Any]]]


def load_models(settings: Settings) -> Models:
    """Import what the setting names and return its models; the folder of pyproject.toml is looked into first.

    Raises SettingsWrong where it is not set, cannot be imported, or is something else.
    """
    named = settings.section.models
    if named is None:
        why = 'says nothing of models. Add models = "shop.models:Shop", a unit of work or a list of documents.'
        raise SettingsWrong(f"[{SECTION}] of {settings.file} {why}")
    module, _, name = named.partition(":")
    make_importable(settings)
    try:
        found: object = getattr(importlib.import_module(module), name)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise SettingsWrong(f"models = {named!r} of {settings.file} cannot be imported: {why}.") from error
    models = _models_of(found)
    if models is None:
        raise SettingsWrong(f"models = {named!r} of {settings.file} is no unit of work and no list of documents.")
    return models


def make_importable(settings: Settings) -> None:
    """Let Python look into the folder of pyproject.toml first, for what revisions and settings import."""
    folder = str(settings.file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _models_of(found: object) -> Models | None:
    if isinstance(found, type) and issubclass(found, UnitDefinition):
        return found.models
    if isinstance(found, UnitDefinition):
        return type(found).models
    if isinstance(found, list | tuple | set | frozenset):
        listed = [model for model in cast("Iterable[object]", found) if is_document(model)]
        return listed if len(listed) == len(cast("list[object]", found)) else None
    return None
