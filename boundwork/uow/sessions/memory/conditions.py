"""What a value must be like to satisfy the operators of a filter.

A condition asks a source for the values a path selects, with or without the elements of an array at its end,
and is satisfied if any of them passes its test. Negations deny the whole condition, never a single value.
"""

from collections.abc import Callable, Iterable
from typing import Final

from bson import MaxKey, MinKey, Regex

from boundwork.uow.sessions.memory.encoding import MISSING, Value, is_array, is_document, is_pattern, type_number
from boundwork.uow.sessions.memory.numbers import INT32_MAX, is_number, truncated, whole_number
from boundwork.uow.sessions.memory.ordering import MISSING_KEY, NAN_KEY, RANK_NULL, Key, order_key
from boundwork.uow.sessions.memory.patterns import compiled, compiled_value
from boundwork.uow.sessions.memory.refusals import (
    BAD_VALUE,
    FAILED_TO_PARSE,
    TWO_PATTERN_OPTIONS,
    TYPE_MISMATCH,
    refused,
    server_refusal,
)

Test = Callable[[Value], bool]
CompileElement = Callable[[dict[str, Value]], Test]
Source = Callable[[bool], Iterable[Value]]
"""The values that a path selects; True asks for the elements of an array at the path's end as well."""
Condition = Callable[[Source], bool]

_REFERENCE: Final = frozenset({"$ref", "$id"})
_NUMBER_TYPES: Final = frozenset({1, 16, 18, 19})
_TYPE_ALIASES: Final[dict[str, frozenset[int]]] = {
    "double": frozenset({1}),
    "string": frozenset({2}),
    "object": frozenset({3}),
    "array": frozenset({4}),
    "binData": frozenset({5}),
    "undefined": frozenset({6}),
    "objectId": frozenset({7}),
    "bool": frozenset({8}),
    "date": frozenset({9}),
    "null": frozenset({10}),
    "regex": frozenset({11}),
    "dbPointer": frozenset({12}),
    "javascript": frozenset({13}),
    "symbol": frozenset({14}),
    "javascriptWithScope": frozenset({15}),
    "int": frozenset({16}),
    "timestamp": frozenset({17}),
    "long": frozenset({18}),
    "decimal": frozenset({19}),
    "minKey": frozenset({-1}),
    "maxKey": frozenset({127}),
    "number": _NUMBER_TYPES,
}
_MOD_OPERANDS: Final = 2
_OF_PATHS: Final = frozenset(
    {
        *("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$type", "$mod", "$regex", "$options"),
        *("$all", "$elemMatch", "$size", "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear"),
        *("$near", "$nearSphere", "$geoNear", "$geoWithin", "$within", "$geoIntersects"),
    }
)


def is_operators(operand: dict[str, Value]) -> bool:
    """Tell whether a document in a filter is operators rather than a value to be equal to."""
    return next(iter(operand), "").startswith("$") and not operand.keys() >= _REFERENCE


def begins_with_operator(operand: Value) -> bool:
    """Tell whether a server that looks for operators of a path finds one; $not and what it does not know are none."""
    return is_document(operand) and next(iter(operand), "") in _OF_PATHS


def compile_conditions(operand: Value, element: CompileElement) -> Condition:
    """Compile what stands behind a path: operators, a pattern, or a value to be equal to."""
    if is_pattern(operand):
        return _any(_pattern_test(operand))
    if not is_document(operand) or not is_operators(operand):
        return _any(_equality(operand))
    conditions = [_operator(name, value, operand, element) for name, value in operand.items()]
    return conditions[0] if len(conditions) == 1 else _all(conditions)


def _any(test: Test, *, expand: bool = True) -> Condition:
    return lambda source: any(test(value) for value in source(expand))


def _all(conditions: list[Condition]) -> Condition:
    return lambda source: all(condition(source) for condition in conditions)


def _not(condition: Condition) -> Condition:
    return lambda source: not condition(source)


def _operator(name: str, operand: Value, siblings: dict[str, Value], element: CompileElement) -> Condition:  # noqa: C901, PLR0911, PLR0912 - a table, one line an operator
    match name:
        case "$eq" | "$gt" | "$gte" | "$lt" | "$lte":
            return _any(_comparison(name, operand))
        case "$ne":
            return _not(_any(_comparison(name, operand)))
        case "$in":
            return _any(_membership(name, operand))
        case "$nin":
            return _not(_any(_membership(name, operand)))
        case "$exists":
            present = _any(lambda value: value is not MISSING, expand=False)
            return present if _is_true(operand) else _not(present)
        case "$not":
            return _negation(operand, element)
        case "$regex" | "$options":
            return _any(_regex_operator(siblings))
        case "$elemMatch":
            return _any(_element_match(operand, element), expand=False)
        case "$size":
            return _any(_size(operand), expand=False)
        case "$all":
            return _containment(operand, element)
        case "$type":
            return _any(_type(operand))
        case "$mod":
            return _any(_modulo(operand))
        case _:
            raise refused(name, "filters")


def _is_true(operand: Value) -> bool:
    if is_number(operand):
        return order_key(operand) != order_key(0)
    return operand is not None and operand is not False


def _equality(operand: Value) -> Test:
    wanted = order_key(operand)
    if operand is None:
        return lambda value: value is None or value is MISSING
    return lambda value: order_key(value) == wanted


def _comparison(name: str, operand: Value) -> Test:
    if name == "$eq":
        return _equality(operand)
    if is_pattern(operand):
        raise server_refusal(BAD_VALUE, f"{name} cannot have a regular expression as its operand")
    if name == "$ne":
        return _equality(operand)
    less, inclusive = name in ("$lt", "$lte"), name in ("$lte", "$gte")
    if operand is None:
        return _equality(None) if inclusive else _never
    if isinstance(operand, MinKey | MaxKey):
        return _bound(operand, less=less, inclusive=inclusive)
    limit = order_key(operand)

    def compares(value: Value) -> bool:
        key = order_key(value)
        if key[0] != limit[0]:
            return False
        if key == limit:
            return inclusive
        if NAN_KEY in (key, limit):
            return False
        return key < limit if less else key > limit

    return compares


def _never(_value: Value) -> bool:
    return False


def _bound(operand: MinKey | MaxKey, *, less: bool, inclusive: bool) -> Test:
    """Compare with the least or the greatest value of all, which every type does."""
    limit = order_key(operand)
    beyond = less is isinstance(operand, MaxKey)
    return lambda value: inclusive if order_key(value) == limit else beyond


def _membership(name: str, operand: Value) -> Test:
    if not is_array(operand):
        raise server_refusal(BAD_VALUE, f"{name} needs an array")
    if any(is_document(item) and is_operators(item) for item in operand):
        raise server_refusal(BAD_VALUE, f"cannot nest $ under {name}")
    keys: set[Key] = {order_key(item) for item in operand}
    if (RANK_NULL,) in keys:
        keys.add(MISSING_KEY)
    patterns = [_pattern_test(item) for item in operand if is_pattern(item)]
    if not patterns:
        return lambda value: order_key(value) in keys
    return lambda value: order_key(value) in keys or any(test(value) for test in patterns)


def _negation(operand: Value, element: CompileElement) -> Condition:
    if is_pattern(operand):
        return _not(_any(_pattern_test(operand)))
    if not is_document(operand) or not operand:
        raise server_refusal(BAD_VALUE, "$not needs a regular expression or a document of operators")
    if not is_operators(operand):
        raise server_refusal(BAD_VALUE, "unknown operator in $not")
    return _not(compile_conditions(operand, element))


def _pattern_test(pattern: "Regex[str]") -> Test:
    found_in = compiled_value(pattern)
    same = order_key(pattern)

    def matches(value: Value) -> bool:
        if type(value) is str:  # JavaScript code is a str to Python, and no text to a server
            return found_in(value)
        return isinstance(value, Regex) and order_key(value) == same

    return matches


def _regex_operator(siblings: dict[str, Value]) -> Test:
    operand, options = siblings.get("$regex", MISSING), siblings.get("$options", "")
    if operand is MISSING:
        raise server_refusal(BAD_VALUE, "$options needs a $regex")
    if not isinstance(options, str):
        raise server_refusal(BAD_VALUE, "$options has to be a string")
    if is_pattern(operand):
        if int(operand.flags) and "$options" in siblings:
            raise server_refusal(TWO_PATTERN_OPTIONS, "options set in both $regex and $options")
        if int(operand.flags) or not options:
            return _pattern_test(operand)
        operand = operand.pattern
    if not isinstance(operand, str):
        raise server_refusal(BAD_VALUE, "$regex has to be a string")
    compiled(operand, options)
    return _pattern_test(Regex(operand, options))


def _element_match(operand: Value, element: CompileElement) -> Test:
    if not is_document(operand):
        raise server_refusal(BAD_VALUE, "$elemMatch needs an Object")
    test = element(operand)
    return lambda value: is_array(value) and any(test(item) for item in value)


def _size(operand: Value) -> Test:
    length = whole_number(operand)
    if length is None or length > INT32_MAX:
        raise server_refusal(BAD_VALUE, "$size needs a whole number")
    if length < 0:
        raise server_refusal(BAD_VALUE, "$size may not be negative")
    return lambda value: is_array(value) and len(value) == length


def _containment(operand: Value, element: CompileElement) -> Condition:
    if not is_array(operand):
        raise server_refusal(BAD_VALUE, "$all needs an array")
    if not operand:
        return lambda _source: False
    nested = [is_document(item) and next(iter(item), "") == "$elemMatch" for item in operand]
    if any(nested) and not all(nested):
        raise server_refusal(BAD_VALUE, "$all cannot mix $elemMatch with values")
    if not nested[0] and any(map(begins_with_operator, operand)):
        raise server_refusal(BAD_VALUE, "no $ expressions in $all")
    if nested[0]:
        return _all([compile_conditions(item, element) for item in operand])
    return _all([_any(_pattern_test(item) if is_pattern(item) else _equality(item)) for item in operand])


def _type(operand: Value) -> Test:
    wanted: set[int] = set()
    for item in operand if is_array(operand) else [operand]:
        wanted |= _type_numbers(item)
    if not wanted:
        raise server_refusal(FAILED_TO_PARSE, "$type must match at least one type")
    return lambda value: value is not MISSING and type_number(value) in wanted


def _type_numbers(item: Value) -> frozenset[int]:
    known = _TYPE_ALIASES.get(item) if isinstance(item, str) else None
    if known is not None:
        return known
    if not isinstance(item, str) and not is_number(item):
        raise server_refusal(TYPE_MISMATCH, "a type is named by a number or a string")
    number = whole_number(item)
    if number is None or frozenset({number}) not in _TYPE_ALIASES.values():
        raise server_refusal(BAD_VALUE, "$type names no BSON type")
    return frozenset({number})


def _modulo(operand: Value) -> Test:
    if not is_array(operand) or len(operand) != _MOD_OPERANDS:
        raise server_refusal(BAD_VALUE, "$mod needs an array of two numbers")
    divisor, remainder = (truncated(item) if is_number(item) else None for item in operand)
    if not divisor or remainder is None:
        raise server_refusal(BAD_VALUE, "$mod needs a divisor that is not 0 and a remainder")
    sign = abs(divisor)

    def matches(value: Value) -> bool:
        whole = truncated(value) if is_number(value) else None
        if whole is None:
            return False
        rest = abs(whole) % sign
        return (rest if whole >= 0 else -rest) == remainder

    return matches
