"""Which fields of a document a projection leaves.

Plain inclusion and exclusion of dotted fields; expressions and array operators are refused by name.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from boundwork.uow.sessions.memory.encoding import MISSING, Value, as_stored, is_array, is_document
from boundwork.uow.sessions.memory.numbers import is_number
from boundwork.uow.sessions.memory.ordering import order_key
from boundwork.uow.sessions.memory.paths import split
from boundwork.uow.sessions.memory.refusals import (
    EMPTY_NAME,
    MIXED_PROJECTION,
    PATH_COLLISION,
    refused,
    server_refusal,
)

Fields = dict[str, "Fields | None"]
Projection = Callable[[dict[str, Any]], dict[str, Any]]


def compile_projection(projection: Mapping[str, Any]) -> Projection:
    """Compile a projection; raise SessionFailure for one that is not plain."""
    wanted = {path: _is_wanted(value) for path, value in as_stored(projection).items()}
    keeps = {keep for path, keep in wanted.items() if path != "_id"}
    if len(keeps) > 1:
        raise server_refusal(MIXED_PROJECTION, "a projection cannot both include and exclude fields")
    fields = _tree(path for path in wanted if path != "_id")
    identity = wanted.get("_id", True)
    include = keeps == {True} or (not keeps and identity and bool(wanted))
    if identity is include:
        fields["_id"] = None
    return (lambda document: _kept(document, fields)) if include else (lambda document: _rest(document, fields))


def _is_wanted(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if is_number(value):
        return order_key(value) != order_key(0)
    operator = next(iter(value), "an expression") if is_document(value) else "an expression"
    raise refused(operator, "projections")


def _tree(paths: Iterable[str]) -> Fields:
    tree: Fields = {}
    for path in paths:
        if "$" in path:
            raise refused(path, "projections")
        parts = split(path)
        if "" in parts:
            raise server_refusal(EMPTY_NAME, "a projected path has an empty field name")
        node = tree
        for part in parts[:-1]:
            inner = node.setdefault(part, {})
            if inner is None:
                raise server_refusal(PATH_COLLISION, f"the projection names {path} and a field above it")
            node = inner
        if parts[-1] in node:
            raise server_refusal(PATH_COLLISION, f"the projection names {path} and a field below it")
        node[parts[-1]] = None
    return tree


def _kept(document: dict[str, Value], fields: Fields) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for name, value in document.items():
        if name in fields:
            inner = fields[name]
            kept = value if inner is None else _kept_below(value, inner)
            if kept is not MISSING:
                result[name] = kept
    return result


def _kept_below(value: Value, fields: Fields) -> Value:
    if is_document(value):
        return _kept(value, fields)
    if is_array(value):
        return [kept for kept in (_kept_below(item, fields) for item in value) if kept is not MISSING]
    return MISSING


def _rest(document: dict[str, Value], fields: Fields) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for name, value in document.items():
        inner = fields.get(name, {})
        if inner is not None:
            result[name] = _rest_below(value, inner) if inner else value
    return result


def _rest_below(value: Value, fields: Fields) -> Value:
    if is_document(value):
        return _rest(value, fields)
    if is_array(value):
        return [_rest_below(item, fields) for item in value]
    return value
