"""The expression that gives a field another name where it stands: order and values of all others stay as they are.

`$rename` moves the field to the end, overwrites what has the new name, and does not reach into arrays. This one rebuilds
the documents on the way to the field, those in arrays as well, from their pairs of name and value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Conflict = Literal["error", "error_if_different", "keep_new", "keep_old"]
Expression = Any


@dataclass(frozen=True, slots=True)
class Renaming:
    """The fields on the way, the last of them to be renamed, and the new name of that one."""

    parents: Sequence[str]
    old: str
    new: str
    on_conflict: Conflict

    def stages(self) -> list[dict[str, Any]]:
        """Return the pipeline that renames."""
        return [{"$replaceWith": self._below(list(self.parents), "$$ROOT", 0)}]

    def conflict(self) -> Expression:
        """Return the expression that is true for documents with both names, at one place at least.

        With "error_if_different", two names with the same value are none.
        """
        return self._has_both(list(self.parents), "$$ROOT", 0)

    def _below(self, parents: list[str], value: str, depth: int) -> Expression:
        entry = f"e{depth}"
        if not parents:
            return self._renamed(value, entry)
        name, inner = f"$${entry}.k", f"$${entry}.v"
        deeper = _everywhere(inner, f"i{depth}", lambda one: self._below(parents[1:], one, depth + 1))
        changed = {"k": name, "v": deeper}
        each = {"$cond": [{"$eq": [name, {"$literal": parents[0]}]}, changed, f"$${entry}"]}
        return {"$arrayToObject": {"$map": {"input": {"$objectToArray": value}, "as": entry, "in": each}}}

    def _renamed(self, value: str, entry: str) -> Expression:
        name, inner = f"$${entry}.k", f"$${entry}.v"
        pairs: Expression = {"$objectToArray": value}
        if self.on_conflict != "error":
            loses, stays = (self.new, self.old) if self.on_conflict == "keep_old" else (self.old, self.new)
            lost = {"$and": [{"$eq": [name, {"$literal": loses}]}, _there(f"{value}.{stays}")]}
            pairs = {"$filter": {"input": pairs, "as": entry, "cond": {"$not": [lost]}}}
        renamed = {"k": {"$literal": self.new}, "v": inner}
        each = {"$cond": [{"$eq": [name, {"$literal": self.old}]}, renamed, f"$${entry}"]}
        return {"$arrayToObject": {"$map": {"input": pairs, "as": entry, "in": each}}}

    def _has_both(self, parents: list[str], value: str, depth: int) -> Expression:
        if not parents:
            paths = [f"{value}.{self.old}", f"{value}.{self.new}"]
            different = [{"$ne": list(map(_short, paths))}] if self.on_conflict == "error_if_different" else []
            return {"$and": [*map(_there, paths), *different]}
        inner = f"{value}.{parents[0]}"
        item = f"i{depth}"
        in_items = {
            "$anyElementTrue": {
                "$map": {
                    "input": _short(inner),
                    "as": item,
                    "in": {"$and": [_is_document(f"$${item}"), self._has_both(parents[1:], f"$${item}", depth + 1)]},
                }
            }
        }
        in_document = {"$and": [_is_document(inner), self._has_both(parents[1:], inner, depth + 1)]}
        return {"$cond": [{"$isArray": [_short(inner)]}, in_items, in_document]}


def _everywhere(value: str, item: str, change: Callable[[str], Expression]) -> Expression:
    """Apply a change to a value that is a document, and to the documents in one that is an array."""
    each = {"$cond": [_is_document(f"$${item}"), change(f"$${item}"), f"$${item}"]}
    branches = [
        {"case": _is_document(value), "then": change(value)},
        {"case": {"$isArray": [value]}, "then": {"$map": {"input": value, "as": item, "in": each}}},
    ]
    return {"$switch": {"branches": branches, "default": value}}


def _is_document(value: str) -> Expression:
    return {"$eq": [{"$type": _short(value)}, "object"]}


def _there(path: str) -> Expression:
    return {"$ne": [{"$type": _short(path)}, "missing"]}


def _short(path: str) -> str:
    """Write a path into the whole document without naming it: not every server finds what is missing there else."""
    return path.replace("$$ROOT.", "$", 1)
