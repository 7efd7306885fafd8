"""Which value a change may store in a place, and in which form.

A value is checked and encoded at once, where the program wrote it: it must be what the field of the model takes, so that
documents can be read afterwards. It stands only where the server expects a value, never an operator. Texts name the
place and the reason, never the value.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Union, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError

from boundwork.models.annotations import shape_of
from boundwork.models.bson_types import NATIVE, CannotStore
from boundwork.models.expressions.operands import Expression
from boundwork.models.expressions.targets import Target, takes_none
from boundwork.models.problems import problems_of
from boundwork.models.shapes import Shape
from boundwork.models.verification import through_bson

_CONFIG = ConfigDict(arbitrary_types_allowed=True)
_NUMBERS: dict[object, tuple[type, ...]] = {int: (int,), float: (int, float), Decimal: (int, Decimal)}


def stored_value(word: str, place: Target, value: object) -> Any:
    """Return the stored form of a value of the place; TypeError for an expression, ValueError for what does not fit."""
    _refuse_expression(word, place, value)
    if value is None and not any(map(takes_none, place.annotations)):
        text = f"{word}({place.shown}, None): the field takes no None. Write unset(...) to remove it."
        raise ValueError(text)
    annotation = _annotation(place)
    adapter = TypeAdapter(annotation, config=_CONFIG)
    shape = shape_of(annotation)
    encoded: object = _encoded(word, place, shape, _fitting(word, place, adapter, value, strict=True))
    if isinstance(encoded, dict | list):  # what it holds may have been changed since it was built
        read = through_bson({"": encoded})[""]
        _fitting(word, place, adapter, read if shape.decode is None else shape.decode(read), strict=False)
    return cast("Any", encoded)


def stored_values(word: str, elements: Target, values: Iterable[object]) -> list[Any]:
    """Return the stored forms of values for the elements of a list; raises like `stored_value`, ValueError for none."""
    encoded = [stored_value(word, elements, value) for value in values]
    return _some(word, elements, encoded)


def sought_values(word: str, elements: Target, values: Iterable[object]) -> list[Any]:
    """Return the same of values that are to go, which need not fit the field any more."""
    found = list(values)
    for value in found:
        _refuse_expression(word, elements, value)
    shape = shape_of(_annotation(elements))
    return _some(word, elements, [_encoded(word, elements, shape, value) for value in found])


def amount(word: str, place: Target, value: object) -> Any:
    """Return a number to reckon with, of the kind that the field holds; TypeError for another one."""
    _refuse_expression(word, place, value)
    allowed = tuple(number for kind in place.kinds for number in _NUMBERS.get(kind, ()))
    if Any in place.kinds:
        allowed = (int, float, Decimal)
    if not allowed:
        text = f"{word} takes a field that holds a number (int, float, Decimal), and {place.shown} does not."
        raise TypeError(text)
    if isinstance(value, bool) or not isinstance(value, allowed):
        text = f"{word}({place.shown}, ...) takes {_named(allowed)}, not {type(value).__name__}."
        raise TypeError(text)
    return _encoded(word, place, Shape(), value)


def _annotation(place: Target) -> Any:
    # With None it is never a model itself, which would not take the configuration.
    return Union[(*place.annotations, None)]


def _fitting(word: str, place: Target, adapter: TypeAdapter[Any], value: object, *, strict: bool) -> Any:
    try:
        return adapter.validate_python(value, strict=strict)
    except ValidationError as error:
        where, reason = problems_of(error, _annotation(place))[0]
        inside = "" if where == "(document)" else f" at {where}"
        text = f"{word}({place.shown}, ...): the value of type {type(value).__name__} does not fit the field{inside}: {reason}."
        raise ValueError(text) from None


def _encoded(word: str, place: Target, shape: Shape, value: Any) -> Any:
    try:
        encoded = value if type(value) in NATIVE else shape.encode(value)
        through_bson({"": encoded})
    except CannotStore as error:
        text = f"{word}({place.shown}, ...): a {type(value).__name__} cannot be stored there: {error.problem}."
        raise ValueError(text) from None
    except RecursionError:
        text = f"{word}({place.shown}, ...): the {type(value).__name__} is nested too deeply, or contains itself."
        raise ValueError(text) from None
    return encoded


def _refuse_expression(word: str, place: Target, value: object) -> None:
    if isinstance(value, Expression):
        text = f"{word}({place.shown}, ...) takes a value, not {value!r}. Fields are computed from fields by pipelines."
        raise TypeError(text)


def _some(word: str, elements: Target, encoded: list[Any]) -> list[Any]:
    if not encoded:
        text = f"{word}: there are no values for {elements.shown}."
        raise ValueError(text)
    return encoded


def _named(kinds: tuple[type, ...]) -> str:
    return " or ".join(dict.fromkeys(kind.__name__ for kind in kinds))
