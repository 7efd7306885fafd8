"""What the server is told about one scalar: its stored type, and the rules for its value.

The stored form decides: a Decimal is a decimal, a timedelta a number of microseconds, a UUID binary data. A rule that
has no keyword for that form (the length of bytes, the bounds of a date) is noted.
"""

import math
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from enum import Enum, Flag
from typing import Any

from bson import Decimal128
from pydantic import FutureDate, FutureDatetime, PastDate, PastDatetime, SecretStr

from boundwork.models.bson_types import encode_timedelta, encode_value
from boundwork.models.decimal128 import DecimalRange, from_decimal
from boundwork.models.difference import same
from boundwork.models.scalars import kind_of
from boundwork.models.shapes import Shape
from boundwork.models.stored_schema.patterns import Uncarried, carried
from boundwork.models.stored_schema.place import Place
from boundwork.models.stored_schema.rules import Rules, pattern_text, with_defaults

Schema = dict[str, Any]
_TYPES = {
    "str": ("string",), "int": ("int", "long"), "float": ("double", "int", "long"), "bool": ("bool",),
    "null": ("null",), "bytes": ("binData",), "Binary": ("binData",), "uuid": ("binData",), "datetime": ("date",),
    "decimal": ("decimal",), "regex": ("regex",), "ObjectId": ("objectId",), "Int64": ("int", "long"),
    "Code": ("javascript", "javascriptWithScope"), "DBRef": ("object",), "MaxKey": ("maxKey",), "MinKey": ("minKey",),
    "Timestamp": ("timestamp",), "array": ("array",), "document": ("object",),
}  # fmt: skip
_INT64 = (-(2**63), 2**63 - 1)
_IN_TIME = {PastDate: "past", FutureDate: "future", PastDatetime: "past", FutureDatetime: "future"}


def types_of(kinds: Iterable[str]) -> list[str]:
    """Name the BSON types of kinds of stored values."""
    return sorted({name for kind in kinds for name in _TYPES[kind]})


def typed(names: list[str]) -> Schema:
    """Return the schema of values of these types."""
    return {"bsonType": names[0] if len(names) == 1 else names}


def nullable(schema: Schema) -> Schema:
    """Return a schema that takes null as well."""
    if not schema or schema.get("bsonType") == "null":
        return schema
    if set(schema) == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], {"bsonType": "null"}]}
    if "bsonType" not in schema or "anyOf" in schema:
        return {"anyOf": [schema, {"bsonType": "null"}]}
    names = schema["bsonType"]
    wider = {**schema, "bsonType": sorted({*([names] if isinstance(names, str) else names), "null"})}
    if "enum" in schema:
        wider["enum"] = [*schema["enum"], *([] if None in schema["enum"] else [None])]
    return wider


def values_schema(values: Iterable[Any]) -> Schema:
    """Return the schema of an Enum's or a Literal's values; equal stored forms stand once, as the server demands."""
    forms: list[Any] = []
    for value in values:
        form = encode_value(value)
        if not any(_equal(form, other) for other in forms):
            forms.append(form)
    return {**typed(types_of(kind_of(form) for form in forms)), "enum": forms}


def _equal(one: Any, other: Any) -> bool:
    """Compare as the server does, for which 1 and 1.0 are the same."""
    first, second = _as_number(one), _as_number(other)
    if first is None or second is None:
        return same(one, other)
    return bool(first == second) or (first != first and second != second)  # noqa: PLR0124 - two NaN


def _as_number(value: Any) -> Any:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def enum_schema(cls: type[Enum], place: Place) -> Schema:
    """Return the schema of an Enum; the flags of a Flag can be combined, so only their type is known."""
    if issubclass(cls, Flag):
        place.note("which flags there are")
        return typed(["int", "long"])
    return values_schema(member.value for member in cls) if len(cls) else {}


def scalar_schema(annotation: Any, shape: Shape, rules: Rules, place: Place) -> Schema:
    """Return the schema of a scalar class."""
    schema = typed(types_of(shape.kinds))
    cls: Any = shape.classes[0] if len(shape.classes) == 1 else None
    if annotation in _IN_TIME:
        place.note(f"lies in the {_IN_TIME[annotation]}")
    if shape.kinds == frozenset({"str"}):
        schema |= _text(annotation, rules, place)
    elif cls is Decimal:
        schema |= _decimal(rules, place)
    elif cls in {int, float, timedelta}:
        schema |= _number(cls, rules, place)
    elif shape.kinds == frozenset({"uuid"}):
        place.note("the subtype of the binary data is that of a UUID")
    return schema


def _text(annotation: Any, rules: Rules, place: Place) -> Schema:
    if not isinstance(annotation, type) or not issubclass(annotation, str | SecretStr):
        place.note(f"the text is that of {_named(annotation)}")
        return {}
    if annotation is str:
        with_defaults(rules, place.config)
    schema: Schema = {}
    for rule, keyword in (("min_length", "minLength"), ("max_length", "maxLength")):
        length = rules.take(rule)
        if length is not None:
            schema[keyword] = length
    pattern = rules.take("pattern")
    if pattern is not None:
        schema |= _pattern(pattern, place)
    return schema


def _named(cls: Any) -> str:
    return str(getattr(cls, "__name__", cls))


def _pattern(pattern: Any, place: Place) -> Schema:
    text = None if place.config.get("regex_engine") == "python-re" else pattern_text(pattern)
    if text is None:
        place.note("the pattern is one of Python's, which the server would read otherwise")
        return {}
    try:
        return {"pattern": carried(text)}
    except Uncarried as part:
        place.note(f"the pattern: the server would read {part} otherwise")
        return {}


def _number(cls: type, rules: Rules, place: Place) -> Schema:
    lowest = _bounds(rules, "ge", "gt", cls)
    highest = _bounds(rules, "le", "lt", cls)
    finite = rules.take("allow_inf_nan") is False or place.config.get("allow_inf_nan") is False
    if cls is float and finite:
        lowest, highest = lowest or [(-math.inf, True)], highest or [(math.inf, True)]
    schema = _limits(lowest, highest)
    multiple = rules.open.get("multiple_of")
    if cls is int and isinstance(multiple, int) and multiple > 0:
        schema["multipleOf"] = rules.take("multiple_of")
    return schema


def _decimal(rules: Rules, place: Place) -> Schema:
    lowest, highest = _bounds(rules, "ge", "gt", Decimal), _bounds(rules, "le", "lt", Decimal)
    infinite = rules.take("allow_inf_nan")
    if infinite is None:
        infinite = place.config.get("allow_inf_nan", False)
    schema: Schema = {}
    if not infinite:
        whole, places = _digits(rules, place)
        if whole is not None:
            limit = Decimal(1).scaleb(whole)
            lowest, highest = [*lowest, (limit.copy_negate(), True)], [*highest, (limit, True)]
        lowest, highest = lowest or [(Decimal("-Infinity"), True)], highest or [(Decimal("Infinity"), True)]
        multiple = rules.open.get("multiple_of")
        if places is not None:
            schema["multipleOf"] = Decimal128(Decimal(1).scaleb(-places))
        elif isinstance(multiple, int | Decimal) and multiple > 0:
            schema["multipleOf"] = Decimal128(Decimal(rules.take("multiple_of")))
    return schema | _limits(lowest, highest)


def _digits(rules: Rules, place: Place) -> tuple[int | None, int | None]:
    """Return how many digits may stand before the point and behind it."""
    most, places = rules.open.get("max_digits"), rules.open.get("decimal_places")
    if most is None:
        return None, rules.take("decimal_places")
    if places is None:
        place.note("max_digits in total; only the digits on each side of the point are counted")
        return rules.take("max_digits"), most
    if most < places:
        return None, rules.take("decimal_places")
    return rules.take("max_digits") - places, rules.take("decimal_places")


Limit = tuple[Any, bool]
"""A bound, and whether it is itself excluded."""


def _bounds(rules: Rules, inclusive: str, exclusive: str, cls: type) -> list[Limit]:
    bounds: list[Limit] = []
    for name, excluded in ((inclusive, False), (exclusive, True)):
        if name in rules.open:
            value = _stored_bound(rules.open[name], cls)
            if value is not None:
                rules.take(name)
                bounds.append((value, excluded))
    return bounds


def _stored_bound(value: Any, cls: type) -> Any:
    if cls is timedelta:
        return encode_timedelta(value) if isinstance(value, timedelta) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if cls is Decimal:
        return _decimal_bound(value)
    if isinstance(value, int) and not _INT64[0] <= value <= _INT64[1]:
        return math.inf if value > 0 else -math.inf
    return float(value) if isinstance(value, Decimal) else value


def _decimal_bound(value: Any) -> Decimal | None:
    bound = Decimal(str(value))
    try:
        from_decimal(bound)
    except DecimalRange:
        return None
    return bound


def _limits(lowest: list[Limit], highest: list[Limit]) -> Schema:
    schema: Schema = {}
    if lowest:
        value, excluded = max(lowest)
        schema |= {"minimum": _number_of(value)} | ({"exclusiveMinimum": True} if excluded else {})
    if highest:
        value, excluded = min(highest, key=lambda bound: (bound[0], not bound[1]))
        schema |= {"maximum": _number_of(value)} | ({"exclusiveMaximum": True} if excluded else {})
    return schema


def _number_of(value: Any) -> Any:
    return Decimal128(value) if isinstance(value, Decimal) else value


def key_names(annotation: Any) -> list[Any] | None:
    """Return the only values that keys may have, where the annotation names them: an Enum."""
    if isinstance(annotation, type) and issubclass(annotation, Enum) and not issubclass(annotation, Flag):
        return [member.value for member in annotation]
    return None


def is_distinct(shape_kinds: frozenset[str]) -> bool:
    """Tell whether items that differ in Python differ in BSON, too; a NaN and a cut microsecond do not."""
    return shape_kinds <= {"str", "int", "bool", "ObjectId", "uuid", "bytes"}
