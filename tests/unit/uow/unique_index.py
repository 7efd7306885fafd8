"""A tiny model of a collection with unique indexes: it carries out writes one by one and refuses a taken key.

It shares no code with the plan that is tested against it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

from boundwork.uow.commands import DeleteOne, InsertOne, UniqueKey, UpdateOne, Write

ABSENT = object()


class KeyIsTaken(Exception):
    """A write met a key that another document holds."""


@dataclass
class Index:
    key: UniqueKey
    sparse: bool = False

    def entries(self, document: Mapping[str, Any]) -> set[str]:
        found = [list(_values(document, path.split("."))) for path in self.key.paths]
        if self.sparse and all(values == [ABSENT] for values in found):
            return set()
        return {repr([None if value is ABSENT else value for value in row]) for row in product(*found)}


def _values(value: Any, parts: Sequence[str]) -> Iterator[Any]:
    if _is(list, value):
        for element in value:
            yield from _values(element, parts)
    elif not parts:
        yield value
    elif _is(dict, value) and parts[0] in value:
        yield from _values(value[parts[0]], parts[1:])
    else:
        yield ABSENT


class ModelCollection:
    def __init__(self, documents: Iterable[Mapping[str, Any]], indexes: Sequence[Index]) -> None:
        self.indexes = indexes
        self.documents: dict[Any, dict[str, Any]] = {}
        for document in documents:
            self._put(deepcopy(dict(document)))

    def carry_out(self, writes: Iterable[Write]) -> None:
        for write in writes:
            if isinstance(write, InsertOne):
                if write.document["_id"] in self.documents:
                    raise KeyIsTaken("_id")
                self._put(deepcopy(dict(write.document)))
            elif isinstance(write, UpdateOne):
                changed = deepcopy(self.documents[write.filter["_id"]])
                _apply(changed, write.update)
                self._put(changed)
            elif isinstance(write, DeleteOne):
                del self.documents[write.filter["_id"]]

    def _put(self, document: dict[str, Any]) -> None:
        for index in self.indexes:
            mine = index.entries(document)
            for other_id, other in self.documents.items():
                if other_id != document["_id"] and mine & index.entries(other):
                    raise KeyIsTaken(index.key.name)
        self.documents[document["_id"]] = document


def _apply(document: dict[str, Any], operators: Mapping[str, Mapping[str, Any]]) -> None:
    for path, value in operators.get("$set", {}).items():
        holder, name = _holder(document, path)
        holder[name] = deepcopy(value)
    for path in operators.get("$unset", {}):
        holder, name = _holder(document, path)
        holder.pop(name, None)
    for path, value in operators.get("$push", {}).items():
        holder, name = _holder(document, path)
        holder[name].extend(deepcopy(value["$each"]))


def _holder(document: dict[str, Any], path: str) -> tuple[Any, Any]:
    *parents, name = path.split(".")
    holder: Any = document
    for part in parents:
        holder = holder[int(part)] if _is(list, holder) else _inner(holder, part)
    return holder, int(name) if _is(list, holder) else name


def _inner(holder: dict[str, Any], part: str) -> Any:
    return holder.setdefault(part, {})


def _is(kind: type, value: object) -> bool:
    return isinstance(value, kind)
