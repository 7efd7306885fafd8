"""What a set-based operation changes: one update operator a field, and the update that several of them become.

Only this file and `list_changes` write update operators, and a value stands only where the server takes it as it is, so
none becomes an operator. What must not change (the id, the discriminator, frozen fields) is refused here, before the
server is asked, and so are two changes of one place.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from pathlib import PurePath
from typing import Any, TypeVar
from uuid import UUID

import bson
from pydantic import AnyUrl, BaseModel

from boundwork.models import discriminators
from boundwork.models.codec import codec_of
from boundwork.models.data import data
from boundwork.models.expressions.chosen import Chosen
from boundwork.models.expressions.fields import place_in
from boundwork.models.expressions.filters import check_root
from boundwork.models.expressions.new_values import amount, stored_value
from boundwork.models.expressions.targets import Target
from boundwork.models.fields import ID
from boundwork.models.kinds import Dataclass
from boundwork.models.references.ref import Ref

# As in conditions: with a free type variable checkers would accept any value for any field.
Value = TypeVar(
    "Value",
    str,
    bytes,
    bool,
    int,
    float,
    Decimal,
    date,
    time,
    timedelta,
    UUID,
    bson.ObjectId,
    bson.Decimal128,
    Enum,
    IPv4Address,
    IPv6Address,
    PurePath,
    AnyUrl,
    BaseModel,
    Dataclass,
    Ref[Any, Any],
    list[Any],
    set[Any],
    frozenset[Any],
    tuple[Any, ...],
    dict[str, Any],
)
Number = TypeVar("Number", int, float, Decimal)


class Change:
    """One change of one field, as `inc(Order.count, 1)` makes it."""

    __slots__ = ("operand", "operator", "place")

    def __init__(self, operator: str, place: Target, operand: Any) -> None:
        """Keep operator, place and encoded operand; TypeError for a place in any element of a list."""
        if None in place.elements:
            text = f"{place.shown} does not say which elements change. Write each(...), or a position: field[0]."
            raise TypeError(text)
        self.operator = operator
        self.place = place
        self.operand = operand

    def __repr__(self) -> str:
        """Show operator and place; values are the user's and stay out of logs."""
        return f"<Change {self.operator} {self.place.shown}>"


@data(frozen=True, slots=True)
class Update:
    """Changes as the server takes them: operators with stored paths, and which elements of lists are meant."""

    operators: dict[str, dict[str, Any]]
    array_filters: tuple[dict[str, Any], ...] = ()


def set_(field: Value | None, value: Value | None) -> Change:
    """Set a field; ValueError for a value that the model would not take."""
    place = place_in("set_", field)
    return Change("$set", place, stored_value("set_", place, value))


def unset(field: object) -> Change:
    """Remove a field, so that it is read as its default; ValueError for one that has none."""
    place = place_in("unset", field)
    if place.is_element or any(info.is_required() for info in place.fields):
        text = f"unset({place.shown}): {'pull takes an element out' if place.is_element else 'the field is required'}."
        raise ValueError(text)
    return Change("$unset", place, "")


def inc(field: Number | None, by: Number) -> Change:
    """Add a number to a field, which begins at 0 where it is missing; the sum is not checked against the model."""
    place = place_in("inc", field)
    return Change("$inc", place, amount("inc", place, by))


def mul(field: Number | None, by: Number) -> Change:
    """Multiply a field by a number; where it is missing it becomes 0."""
    place = place_in("mul", field)
    return Change("$mul", place, amount("mul", place, by))


def min_(field: Value | None, value: Value) -> Change:
    """Set a field if the value is below it, or the field is missing."""
    place = place_in("min_", field)
    return Change("$min", place, stored_value("min_", place, value))


def max_(field: Value | None, value: Value) -> Change:
    """Set a field if the value is above it, or the field is missing."""
    place = place_in("max_", field)
    return Change("$max", place, stored_value("max_", place, value))


def current_date(field: datetime | None) -> Change:
    """Set a field to the server's time; TypeError for a field that holds no datetime."""
    place = place_in("current_date", field)
    if not {datetime, Any} & set(place.kinds):
        text = f"current_date takes a field that holds a datetime, and {place.shown} does not."
        raise TypeError(text)
    return Change("$currentDate", place, True)


def compile_changes(model: type[BaseModel], changes: Sequence[Change]) -> Update:
    """Return the update that makes all changes of a model's documents.

    Raises TypeError for what is no change and for a field of another model, ValueError for none, for two of one place,
    and for a field that must not change.
    """
    if not changes:
        raise ValueError("There is nothing to change. Give at least one change, such as set_(Order.status, 'sent').")
    operators: dict[str, dict[str, Any]] = {}
    named: dict[int, str] = {}
    filters: list[dict[str, Any]] = []
    paths: dict[str, Target] = {}
    for change in changes:
        _check(model, change)
        path = ".".join(_parts(change.place, named, filters))
        _refuse_twice(paths, path, change.place)
        paths[path] = change.place
        operators.setdefault(change.operator, {})[path] = change.operand
    return Update(operators, tuple(filters))


def _check(model: type[BaseModel], change: object) -> None:
    if not isinstance(change, Change):
        text = f"A change is made by set_, inc, push and the like, not a {type(change).__name__}."
        raise TypeError(text)
    place = change.place
    check_root(model, place)
    name = place.segments[0].partition(".")[0]
    why = ""
    if name == ID:
        why = "the id of a document cannot change. Add a copy under the new id and remove the document"
    elif name in _discriminators(model):
        why = "the field decides of which class a document is. Add a document of the other class and remove this one"
    elif any(info.frozen for info in place.fields):
        why = "the field is frozen"
    if why:
        text = f"{place.shown}: {why}."
        raise ValueError(text)


def _discriminators(model: type[BaseModel]) -> set[str]:
    if not discriminators.is_family(model):
        return set()
    field = discriminators.field_of(model)
    members = discriminators.family_of(model)
    return {codec_of(member).stored(field) for member in members if field in member.model_fields}


def _parts(place: Target, named: dict[int, str], filters: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the parts of the path of a place; new array filters are named and noted."""
    first, *inner = place.segments
    yield first
    for chosen, segment in zip(place.elements, inner, strict=True):
        assert isinstance(chosen, Chosen)  # noqa: S101 - any other place was refused when the change was made
        if chosen.condition is None:
            yield "$[]"
        else:
            name = named.get(id(chosen))
            if name is None:
                name = named[id(chosen)] = f"e{len(named)}"
                filters.append(chosen.named(name))
            yield f"$[{name}]"
        if segment:
            yield segment


def _refuse_twice(paths: dict[str, Target], path: str, place: Target) -> None:
    for other, before in paths.items():
        if path == other or path.startswith(f"{other}.") or other.startswith(f"{path}."):
            text = f"{before.shown} and {place.shown} are changed at once, and one is in the other. Change it once."
            raise ValueError(text)
