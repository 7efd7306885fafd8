"""A filter in terms of the new version becomes one that old documents meet exactly when their upcast meets the first.

Pieces are undone from the last to the first, each by an equivalence that holds for every document, so negations,
alternatives and missing fields need no care of their own. What has no equal is refused.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from bson import Regex

from boundwork.models.kinds import is_array, is_document
from boundwork.models.upcasts.pieces import Compute, ConvertField, Piece, RenameField, SetField, UnsetField
from boundwork.models.upcasts.upcast import Upcast
from boundwork.uow.failures import SessionFailure
from boundwork.uow.sessions.memory.matching import compile_filter
from boundwork.uow.upcasting.places import GONE, Relation, Untranslatable, relation, renamed
from boundwork.uow.upcasting.values import converted

Condition = Mapping[str, Any]
Translate = Callable[[str, Any], Condition | None]
"""From a path and what stands behind it to a condition; None if nothing changes."""
JUNCTIONS = frozenset({"$and", "$or", "$nor"})
_ORDERED = frozenset({"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"})
_LISTS = frozenset({"$in", "$nin", "$all"})
_SHALLOW = frozenset({"$exists", "$size", "$type", "$mod", "$regex", "$options"})


def translated(condition: Condition, upcasts: Iterable[Upcast]) -> Condition:
    """Return a filter for the documents that the upcasts, oldest first, begin with; the same object if nothing changes."""
    for upcast in reversed(tuple(upcasts)):
        for piece in reversed(upcast.pieces):
            condition = before(condition, piece)
    return condition


def before(condition: Condition, piece: Piece) -> Condition:
    """Return a filter for documents that a piece has not changed yet. Raises Untranslatable."""
    match piece:
        case RenameField():
            return walked(condition, partial(_renaming, piece.old.split("."), piece.new.split(".")))
        case UnsetField():
            return walked(condition, partial(_removal, piece.name.split(".")))
        case SetField():
            return walked(condition, partial(_default, piece))
        case ConvertField():
            return walked(condition, partial(_conversion, piece))
        case Compute():
            return walked(condition, partial(_computed, piece))
        case _:
            raise Untranslatable(f"{piece.title} is not known")


def walked(condition: Condition, translate: Translate) -> Condition:
    """Return a filter with each condition on a path translated; the same object if none changes."""
    parts: list[Condition] = []
    changed = False
    for name, operand in condition.items():
        if name in JUNCTIONS:
            inner = [walked(part, translate) for part in operand]
            changed = changed or any(new is not old for new, old in zip(inner, operand, strict=True))
            parts.append({name: inner})
        elif name == "$comment":
            parts.append({name: operand})
        elif name.startswith("$"):
            raise Untranslatable(f"{name} looks at documents as they are stored")
        else:
            found = translate(name, operand)
            changed = changed or found is not None
            parts.append({name: operand} if found is None else found)
    return together(parts) if changed else condition


def together(parts: Sequence[Condition]) -> Condition:
    """Return the filter of what meets all conditions."""
    merged: dict[str, Any] = {}
    for part in parts:
        merged.update(part)
    return merged if len(merged) == sum(map(len, parts)) else {"$and": [part for part in parts if part]}


def tests_of(operand: Any) -> list[tuple[str, Any]]:
    """Return the single tests of what stands behind a path; `$options` go with their `$regex`."""
    if isinstance(operand, Regex):
        return [("$regex", operand)]
    if not is_operators(operand):
        return [("$eq", operand)]
    return [(name, value) for name, value in operand.items() if name != "$options"]


def is_operators(operand: Any) -> bool:
    """Tell whether what stands behind a path is operators."""
    first = next(iter(operand), "") if is_document(operand) else ""
    return first.startswith("$") and first not in {"$ref", "$id", "$db"}


def _renaming(old: Sequence[str], new: Sequence[str], path: str, operand: Any) -> Condition | None:
    where, along = relation(path, new)
    if where is Relation.BELOW:
        return {renamed(path, new, old[-1]): operand}
    if relation(path, old)[0] is Relation.BELOW:
        return {renamed(path, old, GONE): operand}
    if where is Relation.ABOVE:
        return _above(path, operand, partial(_renaming, old[along:], new[along:]))
    return None


def _removal(place: Sequence[str], path: str, operand: Any) -> Condition | None:
    where, along = relation(path, place)
    if where is Relation.BELOW:
        return {renamed(path, place, GONE): operand}
    return _above(path, operand, partial(_removal, place[along:])) if where is Relation.ABOVE else None


def _above(path: str, operand: Any, inside: Translate) -> Condition | None:
    """Translate a condition on a value in which something changes."""
    if not is_operators(operand):
        _refuse_whole(path, tests_of(operand))
        return None
    now = {name: _test_above(path, name, value, inside) for name, value in operand.items()}
    return None if all(now[name] is operand[name] for name in now) else {path: now}


def _test_above(path: str, name: str, value: Any, inside: Translate) -> Any:
    if name == "$elemMatch":
        if is_operators(value) and next(iter(value)) not in JUNCTIONS:
            _refuse_whole(path, tests_of(value))
            return value
        return walked(value, inside)
    if name == "$not":
        if not is_operators(value):
            return value
        now = {inner: _test_above(path, inner, part, inside) for inner, part in value.items()}
        return value if all(now[inner] is value[inner] for inner in now) else now
    _refuse_whole(path, [(name, value)])
    return value


def _refuse_whole(path: str, tests: Iterable[tuple[str, Any]]) -> None:
    """Refuse tests that compare whole documents or lists in which something changes."""
    for name, value in tests:
        if name == "$not" and is_operators(value):
            _refuse_whole(path, tests_of(value))
            continue
        values = value if name in _LISTS and is_array(value) else [value] if name in _ORDERED else []
        known = name in _ORDERED or name in _LISTS or name in _SHALLOW or name == "$not"
        if not known or any(is_document(one) or (is_array(one) and one) for one in values):
            raise Untranslatable(f"{path!r} is compared as a whole, and something in it is upcast")


def _default(piece: SetField, path: str, operand: Any) -> Condition | None:
    if relation(path, [piece.name])[0] is not Relation.BELOW:
        return None
    test = {path: operand}
    try:
        meets = compile_filter(test)({piece.name: piece.value})
    except SessionFailure as refusal:
        raise Untranslatable(
            f"whether the value that {piece.title} gives meets the condition is not known"
        ) from refusal
    there = {piece.name: {"$exists": not meets}}
    return {"$or" if meets else "$and": [there, test]}


def _conversion(piece: ConvertField, path: str, operand: Any) -> Condition | None:
    if path != piece.name:
        return None
    options = operand.get("$options") if is_document(operand) else None
    found = [converted(piece, name, value, options, _conversion) for name, value in tests_of(operand)]
    return together(found) if len(found) == 1 else {"$and": found}


def _computed(piece: Compute, path: str, operand: Any) -> Condition | None:  # noqa: ARG001 - as the others
    if path.partition(".")[0] in piece.names:
        raise Untranslatable(f"{path!r} is computed by a function ({piece.title})")
    return None
