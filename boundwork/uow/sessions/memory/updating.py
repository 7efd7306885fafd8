"""What update operators make of a document.

The operators of one update become a tree of paths, which is applied in the server's order: fields by name,
numeric ones by number. `$[]` and `$[name]` stand for elements of an array. Two operators on one path, or on a path and one below it, are a conflict.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any, Final, NamedTuple

from boundwork.uow.sessions.memory.encoding import MISSING, Value, as_stored, encode, is_array, is_document, type_number
from boundwork.uow.sessions.memory.list_updating import LIST_OPERATORS
from boundwork.uow.sessions.memory.matching import Predicate, compile_filter
from boundwork.uow.sessions.memory.numbers import Number, added, is_number, multiplied
from boundwork.uow.sessions.memory.ordering import NAN_KEY, order_key
from boundwork.uow.sessions.memory.refusals import (
    BAD_VALUE,
    CANNOT_BACKFILL,
    CONFLICTING_OPERATORS,
    DOLLAR_PREFIXED_NAME,
    EMPTY_NAME,
    FAILED_TO_PARSE,
    IMMUTABLE_FIELD,
    PATH_NOT_VIABLE,
    TYPE_MISMATCH,
    misused,
    refused,
    server_refusal,
)

Update = Callable[[dict[str, Any]], bool]
"""Changes a decoded document in place and tells whether a server would call it modified."""
Change = Callable[[Value], Value]
"""The new value of a field, given the present one; either may be MISSING."""
Tree = dict[str, "Tree | Leaf"]


class Leaf(NamedTuple):
    """The end of a path in the tree; with `needs_way` the path may not lead through a scalar."""

    change: Change
    needs_way: bool = False


Filters = Mapping[str, Predicate]
"""Which elements the parts of a path choose: by `$[]` all, by `$[name]` those that an array filter selects."""

_TAKING_OUT: Final = {"$pull", "$pullAll", "$pop"}
_PADDING_LIMIT: Final = 1_500_000
_INDEX: Final = re.compile(r"[0-9]+")


def compile_update(update: Mapping[str, Any], array_filters: Sequence[Mapping[str, Any]] = ()) -> Update:
    """Compile operators into a change of a decoded document; raise SessionFailure for others."""
    if not update:
        raise misused("An update needs operators: a replacement is not one.")
    tree: Tree = {}
    filters: Filters = {"$[]": lambda _: True, **dict(map(_named_filter, array_filters))}
    for operator, operands in as_stored(update).items():
        compile_change = _OPERATORS.get(operator)
        if compile_change is None:
            raise refused(operator, "updates")
        if not is_document(operands):
            raise server_refusal(FAILED_TO_PARSE, f"{operator} needs a document of fields")
        for path, operand in operands.items():
            _plant(tree, path, Leaf(compile_change(path, operand), operator in _TAKING_OUT), filters)

    def apply(document: dict[str, Any]) -> bool:
        before = encode({"_id": document.get("_id")})
        changed = _apply(tree, document, filters)
        if "_id" not in document or encode({"_id": document["_id"]}) != before:
            raise server_refusal(IMMUTABLE_FIELD, "the update would modify the immutable field '_id'")
        return changed

    return apply


def _named_filter(condition: Mapping[str, Any]) -> tuple[str, Predicate]:
    """Return the part of a path that an array filter is for, and what an element must be."""
    name = next(_names_in(condition), "")
    matches = compile_filter(condition)
    return f"$[{name}]", lambda element: matches({name: element})


def _names_in(condition: Mapping[str, Any]) -> Iterator[str]:
    for key, test in condition.items():
        if key.startswith("$"):
            for part in test:
                yield from _names_in(part)
        else:
            yield key.partition(".")[0]


def _plant(tree: Tree, path: str, leaf: Leaf, filters: Filters) -> None:
    parts = path.split(".")
    if "" in parts:
        raise server_refusal(EMPTY_NAME, f"the update path {path!r} contains an empty field name")
    for part in parts:
        if part == "$":
            raise refused("the positional operator $", "updates")
        if part.startswith("$[") and part not in filters:
            raise server_refusal(BAD_VALUE, f"no array filter found for {part}")
    if parts[0].startswith("$"):
        raise server_refusal(DOLLAR_PREFIXED_NAME, f"the field {parts[0]!r} begins with a dollar sign")
    node: Tree = tree
    for part in parts[:-1]:
        inner = node.setdefault(part, {})
        if isinstance(inner, Leaf) or _mixes(node):
            raise _conflict(path)
        node = inner
    if parts[-1] in node or _mixes({**node, parts[-1]: leaf}):
        raise _conflict(path)
    node[parts[-1]] = leaf


def _mixes(node: Tree) -> bool:
    """Tell whether both elements that are chosen and names or positions stand side by side."""
    return len({name.startswith("$[") for name in node}) > 1


def _conflict(path: str) -> Exception:
    return server_refusal(CONFLICTING_OPERATORS, f"updating the path {path!r} would create a conflict")


def _by_name(left: str, right: str) -> int:
    if _INDEX.fullmatch(left) and _INDEX.fullmatch(right) and int(left) != int(right):
        return -1 if int(left) < int(right) else 1
    return -1 if left < right else int(left > right)


def _apply(tree: Tree, target: dict[str, Value] | list[Value], filters: Filters) -> bool:
    if len(tree) > 1 and any(name.startswith("$[") for name in tree):
        raise refused("several changes of the elements of one array", "updates")
    changed = False
    for name in sorted(tree, key=cmp_to_key(_by_name)):
        if name.startswith("$["):
            changed |= _apply_to_elements(tree[name], target, filters[name], filters)
        else:
            changed |= _apply_at(tree[name], target, name, filters)
    return changed


def _apply_at(node: Tree | Leaf, target: dict[str, Value] | list[Value], name: str, filters: Filters) -> bool:
    if isinstance(target, list) and not _INDEX.fullmatch(name) and _needs_way({name: node}):
        raise server_refusal(PATH_NOT_VIABLE, f"cannot look for field {name!r} in an array")
    present = _get(target, name)
    if not isinstance(node, Leaf):
        return _apply_below(node, target, name, present, filters)
    value = node.change(present)
    if value is present:
        return False
    _put(target, name, value)
    return True


def _apply_to_elements(
    node: Tree | Leaf, target: dict[str, Value] | list[Value], chosen: Predicate, filters: Filters
) -> bool:
    if isinstance(target, dict):
        raise server_refusal(BAD_VALUE, "the path must exist and be an array in order to apply array updates")
    changed = False
    for index, element in enumerate(target):
        if chosen(element):
            changed |= _apply_at(node, target, str(index), filters)
    return changed


def _apply_below(
    tree: Tree, target: dict[str, Value] | list[Value], name: str, present: Value, filters: Filters
) -> bool:
    if is_document(present) or is_array(present):
        return _apply(tree, present, filters)
    if present is not MISSING and _needs_way(tree):
        raise server_refusal(PATH_NOT_VIABLE, f"cannot look into field {name!r}: it is no document")
    created: dict[str, Value] = {}
    _apply(tree, created, filters)
    if not created:
        return False
    if present is not MISSING:
        first = next(iter(created))
        raise server_refusal(PATH_NOT_VIABLE, f"cannot create field {first!r} in field {name!r}: it is no document")
    _put(target, name, created)
    return True


def _needs_way(tree: Tree) -> bool:
    if any(name.startswith("$[") for name in tree):
        return False  # such a path is refused where its array should be
    return any(node.needs_way if isinstance(node, Leaf) else _needs_way(node) for node in tree.values())


def _get(target: dict[str, Value] | list[Value], name: str) -> Value:
    if isinstance(target, dict):
        return target.get(name, MISSING)
    if not _INDEX.fullmatch(name) or int(name) >= len(target):
        return MISSING
    return target[int(name)]


def _put(target: dict[str, Value] | list[Value], name: str, value: Value) -> None:
    if isinstance(target, dict):
        if value is MISSING:
            del target[name]
        else:
            target[name] = value
        return
    if not _INDEX.fullmatch(name):
        raise server_refusal(PATH_NOT_VIABLE, f"cannot create field {name!r} in an array")
    missing = int(name) - len(target)
    if missing > _PADDING_LIMIT:
        raise server_refusal(CANNOT_BACKFILL, f"cannot backfill more than {_PADDING_LIMIT} elements")
    target.extend([None] * (missing + 1))
    target[int(name)] = None if value is MISSING else value


def _set(_path: str, operand: Value) -> Change:
    return lambda present: present if _same(present, operand) else operand


def _same(present: Value, operand: Value) -> bool:
    return type(present) is type(operand) and encode({"": present}) == encode({"": operand})


def _set_on_insert(_path: str, _operand: Value) -> Change:
    # The document is there, or there would be nothing to update.
    return lambda present: present


def _unset(_path: str, _operand: Value) -> Change:
    return lambda _present: MISSING


def _inc(path: str, operand: Value) -> Change:
    if not is_number(operand):
        raise server_refusal(TYPE_MISMATCH, f"$inc of {path!r} needs a number")

    def increased(present: Value) -> Value:
        if present is MISSING:
            return operand
        if not is_number(present):
            raise server_refusal(TYPE_MISMATCH, f"$inc needs a number in {path!r}")
        return _unless_equal(present, added(present, operand))

    return increased


def _mul(path: str, operand: Value) -> Change:
    if not is_number(operand):
        raise server_refusal(TYPE_MISMATCH, f"$mul of {path!r} needs a number")

    def product(present: Value) -> Value:
        if present is MISSING:
            return multiplied(operand, 0)
        if not is_number(present):
            raise server_refusal(TYPE_MISMATCH, f"$mul needs a number in {path!r}")
        return _unless_equal(present, multiplied(present, operand))

    return product


def _unless_equal(present: Number, result: Number) -> Number:
    """Return the result, or the present number where an equal one of its type comes out: then it keeps its digits."""
    key = order_key(result)
    equal = key == order_key(present) and key != NAN_KEY and type_number(result) == type_number(present)
    return present if equal else result


def _min(_path: str, operand: Value) -> Change:
    return lambda present: operand if present is MISSING or order_key(operand) < order_key(present) else present


def _max(_path: str, operand: Value) -> Change:
    return lambda present: operand if present is MISSING or order_key(present) < order_key(operand) else present


def _current_date(path: str, operand: Value) -> Change:
    if operand is not True:
        raise refused(f"$currentDate of {path!r} with a type", "updates")
    now = datetime.now(UTC)
    return lambda _present: now


_OPERATORS: Final[dict[str, Callable[[str, Value], Change]]] = {
    "$set": _set,
    "$setOnInsert": _set_on_insert,
    "$unset": _unset,
    "$inc": _inc,
    "$mul": _mul,
    "$min": _min,
    "$max": _max,
    "$currentDate": _current_date,
    **LIST_OPERATORS,
}
