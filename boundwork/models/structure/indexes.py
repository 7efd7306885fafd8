"""Indexes as a model declares them, and what they become under the stored names.

class Order(Document, collection="orders", indexes=[
    Index("customer_id", desc("placed")),
    Index("number", unique=True),
    Index(("title", "text"), ("body", "text"), weights={"title": 10}),
])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import BaseModel

from boundwork.models.expressions.sort import SortKey
from boundwork.models.structure.declared import (
    DEFAULT_LANGUAGE,
    LANGUAGE_FIELD,
    TEXT_KEY,
    DeclaredIndex,
    KeyKind,
)
from boundwork.models.structure.options import Collation, Seconds, seconds
from boundwork.models.structure.partial_filters import Where, stored_condition
from boundwork.models.structure.paths import stored_path

IndexKind = Literal["text", "2dsphere", "2d", "hashed"]
IndexKey = str | SortKey | tuple[str, IndexKind]
KEY_PARTS = 2
_KINDS: frozenset[KeyKind] = frozenset({1, -1, "text", "2dsphere", "2d", "hashed"})


@dataclass(frozen=True, slots=True, init=False)
class Index:
    """One index of a model: fields by their names in the class, `desc("placed")`, or ("title", "text").

    Dotted names reach into embedded models, through lists and dicts. `where` makes it partial, `expire_after`
    (seconds or timedelta) lets documents expire. Without a `name` it has the one that MongoDB derives.
    """

    keys: tuple[IndexKey, ...]
    name: str | None
    unique: bool
    sparse: bool
    hidden: bool
    where: Where | None
    expire_after: Seconds | None
    weights: Mapping[str, int] | None
    language: str | None
    language_field: str | None
    project: Mapping[str, bool] | None
    collation: Collation | None

    def __init__(  # noqa: PLR0913 - the options of an index, all by keyword
        self,
        *keys: IndexKey,
        name: str | None = None,
        unique: bool = False,
        sparse: bool = False,
        hidden: bool = False,
        where: Where | None = None,
        expire_after: Seconds | None = None,
        weights: Mapping[str, int] | None = None,
        language: str | None = None,
        language_field: str | None = None,
        project: Mapping[str, bool] | None = None,
        collation: Collation | None = None,
    ) -> None:
        """Note the wishes; raise TypeError for those that exclude each other."""
        given = locals()
        for field in self.__dataclass_fields__:
            object.__setattr__(self, field, given[field])
        self._check()

    def _check(self) -> None:
        if not self.keys:
            raise TypeError("An index needs at least one field: Index('customer_id').")
        if self.where is not None and self.sparse:
            raise TypeError("An index is either partial (where) or sparse: the server refuses both. Leave one out.")
        if self.expire_after is not None and len(self.keys) > 1:
            raise TypeError("Only an index of one field lets documents expire. Declare it apart.")
        if len({_name(key) for key in self.keys}) < len(self.keys):
            raise TypeError("An index names each field once.")
        kinds = {_kind(key) for key in self.keys}
        if unknown := kinds - _KINDS:
            message = f"{unknown.pop()!r} is no kind of index. There are {', '.join(sorted(map(str, _KINDS)))}."
            raise TypeError(message)
        if self.unique and kinds & {"hashed", "2dsphere", "2d", "text"}:
            message = f"An index of the kind {_named(kinds)} cannot be unique."
            raise TypeError(message)
        if "text" not in kinds and (self.weights or self.language or self.language_field):
            raise TypeError("weights, language and language_field are for text indexes: Index(('title', 'text')).")


def _kind(key: IndexKey) -> KeyKind:
    if isinstance(key, SortKey):
        return key.direction
    if isinstance(key, tuple) and len(cast("tuple[Any, ...]", key)) != KEY_PARTS:
        raise TypeError("A field with a kind is written as Index(('title', 'text')), a plain one as Index('title').")
    return 1 if isinstance(key, str) else key[1]


def _named(kinds: set[KeyKind]) -> str:
    return " and ".join(sorted(kind for kind in kinds if isinstance(kind, str)))


def _name(key: IndexKey) -> str:
    if isinstance(key, tuple):
        return key[0]
    place = key.place if isinstance(key, SortKey) else key
    if not isinstance(place, str):
        raise TypeError("Name the field of an index as text: desc('placed').")
    return place


def checked_indexes(model: type, indexes: Sequence[object]) -> tuple[Index, ...]:
    """Return the indexes of a class statement; TypeError for what is none: checkers look at no keyword of a class."""
    given = [index for index in indexes if isinstance(index, Index)]
    if len(given) < len(indexes):
        message = f"{model.__name__}: indexes takes indexes only: indexes=[Index('customer_id')]."
        raise TypeError(message)
    return tuple(given)


def declared_index(model: type[BaseModel], index: Index, inherited: Collation | None = None) -> DeclaredIndex:
    """Return an index under its stored names; TypeError names model, field and the nearest right name.

    `inherited` is the collation of the collection, which the server gives to every index that may have one.
    """
    try:
        return _declared(model, index, inherited)
    except (AttributeError, TypeError, ValueError) as error:
        shown = ", ".join(repr(_name(key)) for key in index.keys)
        message = f"{model.__name__}: Index({shown}): {error}"
        raise TypeError(message) from None


def _declared(model: type[BaseModel], index: Index, inherited: Collation | None) -> DeclaredIndex:
    keys = [(stored_path(model, _name(key)), _kind(key)) for key in index.keys]
    texts = [path for path, kind in keys if kind == "text"]
    weights = {stored_path(model, name): weight for name, weight in (index.weights or {}).items()}
    if unknown := weights.keys() - texts:
        message = f"weights names {', '.join(sorted(unknown))}, which is no text field of the index."
        raise TypeError(message)
    project = {stored_path(model, name): int(flag) for name, flag in (index.project or {}).items()}
    return DeclaredIndex(
        name=index.name or "_".join(f"{path}_{kind}" for path, kind in keys),
        keys=_without_texts(keys),
        unique=index.unique,
        sparse=index.sparse,
        hidden=index.hidden,
        where=None if index.where is None else stored_condition(model, index.where),
        expire_after_seconds=seconds(index.expire_after),
        weights={path: weights.get(path, 1) for path in texts} or None,
        default_language=(index.language or DEFAULT_LANGUAGE) if texts else None,
        language_override=(index.language_field or LANGUAGE_FIELD) if texts else None,
        projection=project or None,
        collation=_collation(keys, index.collation, inherited),
    )


def _without_texts(keys: Sequence[tuple[str, KeyKind]]) -> tuple[tuple[str, KeyKind], ...]:
    kept: list[tuple[str, KeyKind]] = []
    for path, kind in keys:
        if kind != "text":
            kept.append((path, kind))
        elif TEXT_KEY not in kept:
            kept.append(TEXT_KEY)
    return tuple(kept)


def _collation(
    keys: Sequence[tuple[str, KeyKind]], own: Collation | None, inherited: Collation | None
) -> dict[str, Any] | None:
    """Choose the collation; text and 2d indexes have none, and in a collection that has one they must say so."""
    if own is not None:
        return own.stored()
    if inherited is None:
        return None
    has_none = any(kind in {"text", "2d"} for _, kind in keys)
    return {"locale": "simple"} if has_none else inherited.stored()


def declared_indexes(model: type[BaseModel], inherited: Collation | None = None) -> tuple[DeclaredIndex, ...]:
    """Return the indexes that a model and its bases declare; raise TypeError naming a field that does not exist."""
    own = [base.__dict__.get("__boundwork_indexes__", ()) for base in reversed(model.__mro__)]
    return tuple(declared_index(model, index, inherited) for indexes in own for index in indexes)
