"""Whether pydantic reads each part of a dataclass or TypedDict under the name that it is stored by.

A part can have an alias, also from the settings of the model around it, or be none of those that the constructor takes.
Of what is stored nothing would be read then, and the default written over it, so such a class is refused. The schema
that pydantic made of the model is asked, since it knows each way to say so.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any, cast

from pydantic import BaseModel

from boundwork.models.kinds import is_dict, is_ordered
from boundwork.models.shapes import UnclearType

Node = dict[str, Any]
_NO_SCHEMAS = frozenset({"metadata", "serialization", "default", "expected"})
_BY_NAME = ("populate_by_name", "validate_by_name")


def check_readable(model: type[BaseModel]) -> None:
    """Raise UnclearType naming what a dataclass or TypedDict in a complete model holds and could not be read back."""
    top = cast("Node", model.__pydantic_core_schema__)
    shared: dict[str, Node] = {part["ref"]: part for part in top.get("definitions", ())}
    if top["type"] == "definitions":
        top = top["schema"]
    if top["type"] == "definition-ref":
        top = shared[top["schema_ref"]]
    for name, field in (_fields_of(top) or {"root": top}).items():
        for problem in _Walk(model, shared).problems(field):
            raise UnclearType(f"{model.__name__}.{name}: {problem}")


def _fields_of(node: Any) -> Node | None:
    """Find the fields of a model inside of the validators around them."""
    while is_dict(node) and node["type"] != "model-fields":
        node = node.get("schema")
    return node["fields"] if is_dict(node) else None


class _Walk:
    """A walk through the schema of one field; models in it are checked by themselves."""

    def __init__(self, model: type[BaseModel], shared: dict[str, Node]) -> None:
        self._model = model
        self._shared = shared
        self._seen: set[str] = set()

    def problems(self, node: Any, owner: Node | None = None) -> Iterator[str]:
        """Yield what cannot be read back; `owner` is the dataclass whose parts are looked for."""
        if is_ordered(node):
            for item in node:
                yield from self.problems(item, owner)
        elif is_dict(node):
            kind = node.get("type")
            if kind == "definition-ref":
                yield from self._of_shared(node["schema_ref"])
            elif kind in {"dataclass-args", "typed-dict"}:
                yield from _lost_parts(node, node if owner is None or kind == "typed-dict" else owner)
            if kind != "model" or node["cls"] is self._model:
                owner = node if kind == "dataclass" else owner
                for key, part in node.items():
                    if not isinstance(kind, str) or key not in _NO_SCHEMAS:
                        yield from self.problems(part, owner)

    def _of_shared(self, ref: str) -> Iterator[str]:
        if ref not in self._seen:
            self._seen.add(ref)
            yield from self.problems(self._shared[ref])


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
