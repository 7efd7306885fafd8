"""Whether pydantic takes what is stored: each part of a dataclass or TypedDict by its name, and each value by its class.

A part can have an alias, also from the settings of the model around it, or be none of those that the constructor takes.
Of what is stored nothing would be read then, and the default written over it, so such a class is refused. So is one
that derives from `str` and the like, of which pydantic takes instances only, which no stored value is. The schema that
pydantic made of the model is asked, since it knows each way to say so.
"""

import dataclasses
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from typing import Any, cast
from uuid import UUID

from pydantic import BaseModel

from boundwork.models.bson_types import NATIVE
from boundwork.models.kinds import is_class, is_dict, is_ordered
from boundwork.models.scalars import known
from boundwork.models.shapes import UnclearType

Node = dict[str, Any]
_NO_SCHEMAS = frozenset({"metadata", "serialization", "default", "expected"})
_HANDING_ON = frozenset({
    "model-field", "dataclass", "dataclass-args", "dataclass-field", "typed-dict", "typed-dict-field", "default",
    "nullable", "list", "tuple", "set", "frozenset", "dict", "function-after",
})  # fmt: skip
"""The schemas that hand what is stored on to those inside of them as it is."""
_READ: tuple[type, ...] = (*NATIVE, int, datetime, UUID, list, dict)
_WRITTEN = (list, tuple, deque, set, frozenset, dict, Enum)
_BY_NAME = ("populate_by_name", "validate_by_name")


def check_readable(model: type[BaseModel]) -> None:
    """Raise UnclearType naming what a complete model could write and not read back."""
    top = cast("Node", model.__pydantic_core_schema__)
    shared: dict[str, Node] = {part["ref"]: part for part in top.get("definitions", ())}
    if top["type"] == "definitions":
        top = top["schema"]
    if top["type"] == "definition-ref":
        top = shared[top["schema_ref"]]
    fields, as_stored = _fields_of(top)
    for name, field in fields.items():
        for problem in _Walk(model, shared).problems(field, as_stored=as_stored):
            raise UnclearType(f"{model.__name__}.{name}: {problem}")


def _fields_of(top: Node) -> tuple[Node, bool]:
    """Find the fields of a model inside of the validators around them, and say whether they get what is stored."""
    node: Any = top
    as_stored = True
    while is_dict(node) and node["type"] != "model-fields":
        as_stored &= node["type"] in {"model", "function-after"}
        node = node.get("schema")
    return (node["fields"], as_stored) if is_dict(node) else ({"root": top}, False)


class _Walk:
    """A walk through the schema of one field; models in it are checked by themselves."""

    def __init__(self, model: type[BaseModel], shared: dict[str, Node]) -> None:
        self._model = model
        self._shared = shared
        self._seen: set[tuple[str, bool]] = set()

    def problems(self, node: Any, owner: Node | None = None, *, as_stored: bool) -> Iterator[str]:
        """Yield what cannot be read back; `owner` is the dataclass whose parts are looked for."""
        if is_ordered(node):
            for item in node:
                yield from self.problems(item, owner, as_stored=as_stored)
        elif is_dict(node):
            kind = node.get("type")
            if kind == "definition-ref":
                yield from self._of_shared(node["schema_ref"], as_stored=as_stored)
            elif kind == "is-instance" and as_stored:
                yield from _lost_class(node["cls"])
            elif kind in {"dataclass-args", "typed-dict"}:
                yield from _lost_parts(node, node if owner is None or kind == "typed-dict" else owner)
            if kind != "model" or node["cls"] is self._model:
                yield from self._inside(node, node if kind == "dataclass" else owner, as_stored=as_stored)

    def _inside(self, node: Node, owner: Node | None, *, as_stored: bool) -> Iterator[str]:
        is_schema = isinstance(node.get("type"), str)
        as_stored = as_stored and (not is_schema or node["type"] in _HANDING_ON)
        for key, part in node.items():
            if not is_schema or key not in _NO_SCHEMAS:
                yield from self.problems(part, owner, as_stored=as_stored)

    def _of_shared(self, ref: str, *, as_stored: bool) -> Iterator[str]:
        if (ref, as_stored) not in self._seen:
            self._seen.add((ref, as_stored))
            yield from self.problems(self._shared[ref], as_stored=as_stored)


def _lost_class(cls: Any) -> Iterator[str]:
    if is_class(cls) and (known(cls) or issubclass(cls, _WRITTEN)) and not any(issubclass(one, cls) for one in _READ):
        name = cls.__name__
        yield (
            f"what is stored of {name} is no {name} when it is read, and pydantic makes none of it; write "
            f"Annotated[{name}, BeforeValidator({name})], or give {name} a __get_pydantic_core_schema__"
        )


def _lost_parts(parts: Node, owner: Node) -> Iterator[str]:
    shown = owner["cls"].__name__
    by_name = any(owner.get("config", {}).get(setting) for setting in _BY_NAME)
    for name, part in _parts(parts["fields"], owner["cls"]).items():
        if part.get("init_only"):
            yield (
                f"{shown}.{name} is only for __post_init__, which runs again when {shown} is read and would not get it; "
                f"make {shown} a boundwork.Embedded"
            )
        elif part.get("init") is False:
            yield (
                f"{shown}.{name} is not taken by __init__ (init=False), so what is stored of it could not be read back; "
                f"make {shown} a boundwork.Embedded, or {name} a property"
            )
        elif not by_name and part.get("validation_alias", name) != name:
            yield (
                f"{shown}.{name} has an alias, which only models can have; make {shown} a boundwork.Embedded, or set "
                "validate_by_name=True"
            )


def _parts(fields: Any, cls: Any) -> Node:
    """Give the parts by name, with the fields of a dataclass that only `__post_init__` sets, which pydantic leaves out."""
    if is_dict(fields):
        return fields
    left_out: Node = {field.name: {"init": False} for field in dataclasses.fields(cls)}
    return left_out | {part["name"]: part for part in fields}
