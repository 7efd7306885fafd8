"""What update operators make of a list: values are appended, inserted, taken out or cut off.

Elements are compared as MongoDB compares values, so that 1 and 1.0 are equal and 1 and True are not.
"""

from collections.abc import Callable
from typing import Any, Final

from boundwork.uow.sessions.memory.conditions import begins_with_operator
from boundwork.uow.sessions.memory.encoding import MISSING, Value, is_array, is_document
from boundwork.uow.sessions.memory.matching import compile_element, compile_stored
from boundwork.uow.sessions.memory.ordering import order_key
from boundwork.uow.sessions.memory.refusals import BAD_VALUE, FAILED_TO_PARSE, TYPE_MISMATCH, refused, server_refusal

Change = Callable[[Value], Value]
_CLAUSES: Final = ("$each", "$position", "$slice")


def _items(operator: str, path: str, operand: Value) -> list[Value]:
    """Return the values to add: those in `$each`, or the operand itself."""
    if not is_document(operand) or "$each" not in operand:
        return [operand]
    if not is_array(operand["$each"]):
        raise server_refusal(BAD_VALUE, f"$each in {operator} of {path!r} needs an array")
    return operand["$each"]


def _present(operator: str, path: str, value: Value) -> list[Value]:
    if value is not MISSING and not is_array(value):
        code = TYPE_MISMATCH if operator == "$pop" else BAD_VALUE
        raise server_refusal(code, f"{operator}: the field {path!r} must be an array")
    return [] if value is MISSING else value


def _push(path: str, operand: Value) -> Change:
    items = _items("$push", path, operand)
    clauses: dict[str, Any] = operand if is_document(operand) and "$each" in operand else {}
    for clause in clauses:
        if clause == "$sort":
            raise refused("$sort of $push", "updates")
        if clause not in _CLAUSES:
            raise server_refusal(BAD_VALUE, f"unrecognized clause in $push of {path!r}")
    position, kept = clauses.get("$position"), clauses.get("$slice")

    def pushed(present: Value) -> Value:
        before = _present("$push", path, present)
        at = len(before) if position is None else position
        at = max(0, len(before) + at) if at < 0 else at
        after = [*before[:at], *items, *before[at:]]
        if kept is not None:
            after = after[:kept] if kept >= 0 else after[kept:]
        return after if items or present is MISSING or len(after) < len(before) else present

    return pushed


def _add_to_set(path: str, operand: Value) -> Change:
    items = _items("$addToSet", path, operand)

    def joined(present: Value) -> Value:
        before = _present("$addToSet", path, present)
        keys = {order_key(value) for value in before}
        new: list[Value] = []
        for item in items:
            if (key := order_key(item)) not in keys:
                keys.add(key)
                new.append(item)
        return [*before, *new] if new or present is MISSING else present

    return joined


def _pull_all(path: str, operand: Value) -> Change:
    if not is_array(operand):
        raise server_refusal(BAD_VALUE, "$pullAll requires an array argument")
    keys = {order_key(value) for value in operand}
    return _without("$pullAll", path, lambda element: order_key(element) in keys)


def _pull(path: str, operand: Value) -> Change:
    if is_document(operand):
        return _without("$pull", path, _pulled(operand))
    key = order_key(operand)
    return _without("$pull", path, lambda element: order_key(element) == key)


def _pulled(operand: dict[str, Value]) -> Callable[[Value], bool]:
    """Return which elements a condition takes out; one on fields is met by documents alone, by no array."""
    if begins_with_operator(operand):
        return compile_element(operand)
    if "$not" in operand:
        raise server_refusal(BAD_VALUE, "unknown top level operator: $not")
    matches = compile_stored(operand)
    return lambda element: is_document(element) and matches(element)


def _without(operator: str, path: str, goes: Callable[[Value], bool]) -> Change:
    def filtered(present: Value) -> Value:
        if present is MISSING:
            return present
        left = [element for element in _present(operator, path, present) if not goes(element)]
        return left if len(left) < len(present) else present

    return filtered


def _pop(path: str, operand: Value) -> Change:
    if operand not in {1, -1}:
        raise server_refusal(FAILED_TO_PARSE, "$pop expects 1 or -1")

    def popped(present: Value) -> Value:
        if present is MISSING:
            return present
        before = _present("$pop", path, present)
        if not before:
            return present
        return before[:-1] if operand == 1 else before[1:]

    return popped


LIST_OPERATORS: Final[dict[str, Callable[[str, Value], Change]]] = {
    "$push": _push,
    "$addToSet": _add_to_set,
    "$pull": _pull,
    "$pullAll": _pull_all,
    "$pop": _pop,
}
