"""Which fields of a stored document are not for the program to write: its version, and the fields of its shard key.

`versioned=True` gives a model a counter of its updates, `shard_key=(...)` names what a sharded collection is divided
by. Both are part of every filter that names a document, so that a write reaches the document that was read, on the
shard that has it. A version of 0 stands for documents from before the model was versioned as well.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, cast

from bson import Regex
from pydantic import BaseModel

from boundwork.errors import InvalidDocument
from boundwork.models.bson_types import MISSING
from boundwork.models.codec import codec_of
from boundwork.models.data import data
from boundwork.models.difference import Update, same
from boundwork.models.expressions.targets import target_of
from boundwork.models.fields import ID
from boundwork.models.kinds import is_dict
from boundwork.models.problems import collection_of
from boundwork.models.slots import SharedNames, Tracked
from boundwork.models.structure.paths import stored_path
from boundwork.models.tracking import Tracker
from boundwork.models.values import holds_lists

ShardKeyField = str | tuple[str, Literal["hashed"]]
Look = Callable[[str], Any]
"""From a stored path to the value there, MISSING where there is none."""

VERSION = "version"
_VERSION = "__boundwork_version__"
_SHARD_KEY = "__boundwork_shard_key__"
COUNTED = "the version is counted by the unit that writes the document; it is for reading only"
DIVIDES = (
    "a field of the shard key cannot change once the document is stored; remove the document and add a copy that has "
    "the new value"
)


def declare(model: type[Any], versioned: bool | str, shard_key: Sequence[ShardKeyField]) -> None:
    """Take the keywords of a class statement, before pydantic collects its fields; TypeError for those that are wrong."""
    if versioned:
        inherited = getattr(model, _VERSION)
        name = (inherited or VERSION) if versioned is True else versioned
        if name == "id" or not name.isidentifier() or name[0] == "_":
            message = f"{model.__name__}: {name!r} cannot be the name of a version. Write versioned=True."
            raise TypeError(message)
        if inherited not in {None, name}:
            message = f"{model.__name__}: its documents have the version {inherited!r} already, declared by a parent."
            raise TypeError(message)
        setattr(model, _VERSION, name)
        _add_field(model, name)
    if shard_key:
        names = _names(model, shard_key)
        inherited = shard_key_of(model)
        if inherited and inherited != names and "__boundwork_collection__" not in model.__dict__:
            message = f"{model.__name__}: its collection has the shard key {inherited} already, declared by a parent."
            raise TypeError(message)
        setattr(model, _SHARD_KEY, names)
    if versioned or shard_key:
        _freeze(model)


def _add_field(model: type[Any], name: str) -> None:
    """Give a class the field, unless it or a parent declares it."""
    own = inspect.get_annotations(model)
    if name not in own and not any(name in getattr(base, "__pydantic_fields__", ()) for base in model.__mro__[1:]):
        model.__annotations__ = {**own, name: int}
        setattr(model, name, 0)


def _names(model: type[Any], shard_key: Sequence[ShardKeyField]) -> tuple[str, ...]:
    fields: Any = shard_key
    if isinstance(fields, str):
        message = f'{model.__name__}: shard_key takes a tuple of fields: shard_key=("{fields}",).'
        raise TypeError(message)
    plain = [field if isinstance(field, str) else field[0] for field in fields]
    hashed = [field[1] for field in fields if not isinstance(field, str)]
    if any(kind != "hashed" for kind in hashed) or len(hashed) > 1 or len(set(plain)) < len(plain):
        message = (
            f"{model.__name__}: a shard key has each field once, and one at most is hashed: "
            'shard_key=("country", ("customer_id", "hashed")).'
        )
        raise TypeError(message)
    return tuple(plain)


def shard_key_of(model: type[Any]) -> tuple[str, ...]:
    """Name the fields of a model's shard key; () where it has none."""
    return cast("tuple[str, ...]", getattr(model, _SHARD_KEY, ()))


def _freeze(model: type[Any]) -> None:
    """Refuse to write the fields of a stored document when they are assigned; nested ones are looked at by the flush."""
    names = {name for name in (getattr(model, _VERSION), *shard_key_of(model)) if name}
    inner: Any = model.__dict__.get("__setattr__") or super(model, model).__setattr__

    def guarded(self: Any, name: str, value: Any) -> None:
        if name in names:
            refuse_write(self, name, value)
        inner(self, name, value)

    setattr(model, "__setattr__", guarded)  # noqa: B010 - mypy takes the plain assignment for one to a method


def refuse_write(document: Tracked, name: str, value: Any) -> None:
    """Raise InvalidDocument if a fixed field of a stored document of a unit would get another value."""
    version = getattr(document, _VERSION)
    if name != version and name not in shard_key_of(type(document)):
        return
    now = document.__dict__.get(name, MISSING)
    if value is now or (type(value) is type(now) and value == now):
        return
    tracker = Tracker.owner_of(document)
    if tracker is not None and not (tracker.unsent is not None and tracker.unsent(document)):
        raise _written(document, name, COUNTED if name == version else DIVIDES)


def _written(document: Tracked, name: str, reason: str) -> InvalidDocument:
    model = type(document)
    return InvalidDocument(collection_of(model), document.__dict__.get("id"), [(name, reason)], stored=False)


@data(frozen=True, slots=True)
class FixedFields:
    """The fixed fields of one model: the version by its names in the class and in storage, and the shard key.

    The shard key maps stored paths to the names that were declared; `_id` is left out, since every filter has it.
    """

    version: str | None
    version_path: str
    shard_key: dict[str, str]

    def key(self, look: Look) -> dict[str, Any]:
        """Return the condition on the shard key; what is missing counts as null."""
        return {path: _operand(look(path)) for path in self.shard_key}

    def where(self, stored_id: Any, look: Look) -> dict[str, Any]:
        """Return the filter for a document as it is stored, as far as is known."""
        condition = {ID: stored_id, **self.key(look)}
        if self.version is not None:
            number = self.number(look)
            condition[self.version_path] = number or {"$in": [0, None]}
        return condition

    def number(self, look: Look) -> int | None:
        """Return the version of a stored document, 0 where it has none; None for a model without versions."""
        if self.version is None:
            return None
        number = look(self.version_path)
        return 0 if number is MISSING or number is None else int(number)

    def tell(self, document: BaseModel) -> None:
        """Count the version of a document that is stored now among its set fields, so that a copy carries it."""
        names = document.__pydantic_fields_set__
        if self.version is not None and type(names) is not SharedNames:
            names.add(self.version)

    def counted(self, operators: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return operators of an update of many documents that count the version too; ValueError for a fixed field."""
        for operator, changes in operators.items():
            for path in changes:
                self._refuse(path, operator)
        made = {operator: dict(changes) for operator, changes in operators.items()}
        if self.version is not None:
            made.setdefault("$inc", {})[self.version_path] = 1
        return made

    def _refuse(self, path: str, operator: str) -> None:
        if self.version is not None and _overlap(path, self.version_path):
            message = f"{operator} on {self.version}: {COUNTED}."
            raise ValueError(message)
        for fixed, name in self.shard_key.items():
            if _overlap(path, fixed):
                message = f"{operator} on {name}: {DIVIDES}."
                raise ValueError(message)

    def check(self, document: Tracked, update: Update, before: Look, now: Look) -> None:
        """Raise InvalidDocument if an update writes a fixed field, or changes it by what it writes around it."""
        written = (*update.set, *update.unset, *update.push)
        fixed = {**self.shard_key, self.version_path: self.version} if self.version else self.shard_key
        for path, name in fixed.items():
            if any(_overlap(path, other) for other in written) and not _alike(before(path), now(path)):
                reason = COUNTED if name == self.version else DIVIDES
                raise _written(document, name or path, reason)


def _operand(value: Any) -> Any:
    if value is MISSING:
        return None
    literal: Any = {"$eq": value}  # a document could be taken for operators, and a regular expression for a search
    return literal if is_dict(value) or isinstance(value, Regex | re.Pattern) else value


def _overlap(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.")


def _alike(before: Any, now: Any) -> bool:
    return same(None if before is MISSING else before, None if now is MISSING else now)


def fixed_fields(model: type[Any]) -> FixedFields | None:
    """Give the fixed fields of a complete model, None if it has none; TypeError for those that it cannot have."""
    version, names = getattr(model, _VERSION, None), shard_key_of(model)
    if version is None and not names:
        return None
    path = "" if version is None else _version_path(model, version)
    paths = {_key_path(model, name): name for name in names}
    paths.pop(ID, None)
    return FixedFields(version, path, paths)


def _version_path(model: type[Any], name: str) -> str:
    info = model.__pydantic_fields__[name]
    if info.annotation is not int or info.default != 0:
        message = f"{model.__name__}.{name}: a version is declared as `{name}: int = 0`, or left to versioned=True."
        raise TypeError(message)
    return codec_of(model).stored(name)


def _key_path(model: type[Any], name: str) -> str:
    problem: object = "it lies in a list, and what divides a collection has one value a document."
    try:
        path = stored_path(model, name)
        if not _reaches_into_lists(model, name.split(".")):
            return path
    except (AttributeError, TypeError, ValueError) as error:
        problem = error
    message = f"{model.__name__}: shard_key {name!r}: {problem}"
    raise TypeError(message)


def _reaches_into_lists(model: type[Any], parts: Iterable[str]) -> bool:
    first, *rest = parts
    if first not in model.model_fields:
        return False
    target = target_of(model, first)
    for part in rest:
        if holds_lists(target):
            return True
        try:
            target = target.attribute(part)
        except AttributeError:
            return False
    return any(kind is not Any for kind in target.kinds) and holds_lists(target)
