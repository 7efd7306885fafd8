"""Which documents a filter selects.

A filter is compiled once into a predicate. Its logical operators and paths are here; what a single value must
be like is decided in `conditions`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from boundwork.uow.sessions.memory.conditions import Condition, compile_conditions, is_operators
from boundwork.uow.sessions.memory.encoding import Value, as_stored, is_array, is_document
from boundwork.uow.sessions.memory.paths import as_document, candidates, split
from boundwork.uow.sessions.memory.refusals import BAD_VALUE, refused, server_refusal

Predicate = Callable[[dict[str, Any]], bool]

_IGNORED: Final = "$comment"


def compile_filter(condition: Mapping[str, Any]) -> Predicate:
    """Compile a filter; raise SessionFailure for what a server, or this database, does not accept."""
    return compile_stored(as_stored(condition))


def compile_stored(condition: dict[str, Value]) -> Predicate:
    """Compile a filter whose values are decoded BSON."""
    predicates = [_clause(name, operand) for name, operand in condition.items() if name != _IGNORED]
    if len(predicates) == 1:
        return predicates[0]
    return lambda document: all(predicate(document) for predicate in predicates)


def _clause(name: str, operand: Value) -> Predicate:
    if name.startswith("$"):
        return _logical(name, operand)
    return _on_path(name, compile_conditions(operand, compile_element))


def _on_path(path: str, condition: Condition) -> Predicate:
    parts = split(path)
    return lambda document: condition(lambda expand: candidates(document, parts, expand=expand))


def _logical(name: str, operand: Value) -> Predicate:
    if name not in ("$and", "$or", "$nor"):
        raise refused(name, "filters")
    if not is_array(operand) or not operand:
        raise server_refusal(BAD_VALUE, f"{name} must be a nonempty array")
    predicates = [compile_stored(_document(name, item)) for item in operand]
    if name == "$and":
        return lambda document: all(predicate(document) for predicate in predicates)
    wanted = name == "$or"
    return lambda document: any(predicate(document) for predicate in predicates) is wanted


def _document(name: str, item: Value) -> dict[str, Value]:
    if not is_document(item):
        raise server_refusal(BAD_VALUE, f"{name} entries need to be full objects")
    return item


def compile_element(operand: dict[str, Value]) -> Callable[[Value], bool]:
    """Compile the operand of $elemMatch into a test of one element of an array."""
    first = next(iter(operand), "")
    if is_operators(operand) and first not in ("$and", "$or", "$nor"):
        condition = compile_conditions(operand, compile_element)
        return lambda element: condition(lambda _: (element,))
    predicate = compile_stored(operand)

    def matches(element: Value) -> bool:
        if is_array(element):
            return predicate(as_document(element))
        return is_document(element) and predicate(element)

    return matches
