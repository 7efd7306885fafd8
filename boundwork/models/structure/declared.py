"""Collections and indexes as the server keeps them, as plain data.

What models declare and what a database has are brought to these same forms, so that comparing them is a matter of
equality. Names and values are the stored ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boundwork.models.data import data

KeyKind = int | str
"""1, -1, or a kind such as "text"."""
DEFAULT_LANGUAGE, LANGUAGE_FIELD = "english", "language"
TEXT_KEY = ("_fts", "text")
"""What stands in the keys of a text index in place of its text fields; those are in its weights."""


@data(frozen=True, slots=True, kw_only=True)
class DeclaredIndex:
    """One index; `keys` are (stored path, kind) pairs, `weights` the fields of a text index."""

    name: str
    keys: tuple[tuple[str, KeyKind], ...]
    unique: bool = False
    sparse: bool = False
    hidden: bool = False
    where: Mapping[str, Any] | None = None
    expire_after_seconds: int | None = None
    weights: Mapping[str, int] | None = None
    default_language: str | None = None
    language_override: str | None = None
    projection: Mapping[str, Any] | None = None
    collation: Mapping[str, Any] | None = None

    @property
    def is_text(self) -> bool:
        """Tell whether it is a text index."""
        return self.weights is not None

    def specification(self) -> dict[str, Any]:
        """Return what `createIndexes` takes."""
        specification: dict[str, Any] = {"key": self._key(), "name": self.name}
        flags = {"unique": self.unique, "sparse": self.sparse, "hidden": self.hidden}
        specification |= {name: True for name, value in flags.items() if value}
        given = {
            "partialFilterExpression": self.where,
            "expireAfterSeconds": self.expire_after_seconds,
            "weights": self.weights,
            "default_language": self.default_language,
            "language_override": self.language_override,
            "wildcardProjection": self.projection,
            "collation": self.collation,
        }
        return specification | {name: value for name, value in given.items() if value is not None}

    def _key(self) -> dict[str, KeyKind]:
        key: dict[str, KeyKind] = {}
        for path, kind in self.keys:
            key |= dict.fromkeys(self.weights or (), "text") if (path, kind) == TEXT_KEY else {path: kind}
        return key


@data(frozen=True, slots=True, kw_only=True)
class StoredOptions:
    """The options of a collection; None and False are what it has without them."""

    capped_size: int | None = None
    capped_documents: int | None = None
    time_series: Mapping[str, Any] | None = None
    clustered: bool = False
    change_images: bool = False
    expire_after_seconds: int | None = None
    collation: Mapping[str, Any] | None = None
    validator: Mapping[str, Any] | None = None
    validation_level: str = "strict"
    validation_action: str = "error"

    def arguments(self) -> dict[str, Any]:
        """Return what `create` takes beside the name."""
        arguments: dict[str, Any] = {}
        if self.capped_size is not None:
            arguments |= {"capped": True, "size": self.capped_size}
        if self.clustered:
            arguments["clusteredIndex"] = {"key": {"_id": 1}, "unique": True}
        if self.change_images:
            arguments["changeStreamPreAndPostImages"] = {"enabled": True}
        given = {
            "max": self.capped_documents,
            "timeseries": self.time_series,
            "expireAfterSeconds": self.expire_after_seconds,
            "collation": self.collation,
        }
        return arguments | {name: value for name, value in given.items() if value is not None} | self.validation()

    def validation(self) -> dict[str, Any]:
        """Return the part that `collMod` takes as well; {} without a validator."""
        if self.validator is None:
            return {}
        return {
            "validator": self.validator,
            "validationLevel": self.validation_level,
            "validationAction": self.validation_action,
        }


@dataclass(frozen=True, slots=True)
class NotExpressed:
    """A rule of a model that the server cannot check: `path` begins with the model's name."""

    path: str
    reason: str


@data(frozen=True, slots=True, kw_only=True)
class DeclaredCollection:
    """One collection as its models declare it."""

    name: str
    options: StoredOptions = field(default_factory=StoredOptions)
    indexes: tuple[DeclaredIndex, ...] = ()
    not_expressed: tuple[NotExpressed, ...] = ()


@data(frozen=True, slots=True, kw_only=True)
class FoundCollection:
    """One collection as a database has it; `kind` is collection, timeseries or view."""

    name: str
    kind: str = "collection"
    options: StoredOptions = field(default_factory=StoredOptions)
    indexes: tuple[DeclaredIndex, ...] = ()
