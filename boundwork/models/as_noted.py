"""What a touched field was in storage, as far as anybody asks.

Reading a list hands it out, and mostly little is changed in it. So what is flat, a list or a model with nothing in it
that could be changed in turn, is not encoded then: the record that a rollback needs anyway has the old objects, and
whether they are all still there is soon seen. Of a model in which some are not, only those are encoded.
"""

from collections.abc import Sequence
from operator import is_
from typing import Any

from pydantic import BaseModel

from boundwork.models.bson_types import MISSING, NATIVE, CannotStore
from boundwork.models.codec import codec_of
from boundwork.models.difference import Changed, same
from boundwork.models.fields import StoredField
from boundwork.models.kinds import is_array, is_model
from boundwork.models.restore import PAIR, Record, is_atom, stand_in
from boundwork.models.slots import Stored, take_unknown

UNSTORABLE: Any = object()
"""The stored form of what cannot be stored."""


def encoded(field: StoredField, value: Any) -> Any:
    """Give the stored form of a field; UNSTORABLE if it has none."""
    if type(value) in NATIVE or value is MISSING:
        return value
    try:
        return field.shape.encode(value)
    except (CannotStore, RecursionError):  # reading an attribute must not fail; writing the document will say it
        return UNSTORABLE


def noted(field: StoredField, value: Any, record: Record) -> Any:
    """Give the stored form of a field that was just recorded, or an `AsNoted` that will give it."""
    then = record.flat()
    return encoded(field, value) if then is None else AsNoted(field, then)


class AsNoted:
    """The stored form of a field as it was recorded, not worked out yet."""

    __slots__ = ("_field", "_then")

    def __init__(self, field: StoredField, then: Sequence[Any]) -> None:
        """Stand for the contents of a flat record."""
        self._field = field
        self._then = then

    def compare(self, value: Any, changed: Changed) -> "AsNoted | None":
        """Note what turns the stored form into that of `value`, and give what stands for this; None if it is not so simple.

        Simple is the same value with the same items in it, of which models may have other attributes.
        """
        then = self._then
        if value is not then[0]:
            return None
        first = 0
        if is_array(value):
            if len(value) != len(then[1]) or not all(map(is_, value, then[1])):
                return None
            first = PAIR
        places = [
            place
            for place in range(first, len(then), PAIR)
            if not all(map(is_, then[place].__dict__.values(), then[place + 1].values()))
            or then[place].__dict__.keys() != then[place + 1].keys()
        ]
        return self._compared(first, places, changed) if places else self

    def _compared(self, first: int, places: Sequence[int], changed: Changed) -> "AsNoted | None":
        """Note the attributes that models at these places have, and had not."""
        field, later, paths = self._field, list(self._then), dict[str, Any]()
        shape = field.shape.item if first else field.shape
        for place in places:
            model, was = self._then[place], self._then[place + 1]
            now = later[place + 1] = dict(model.__dict__)
            if shape is None or not is_model(model) or type(model) is not shape.holds or now.keys() != was.keys():
                return None
            head = f"{field.stored}.{place // PAIR - 1}" if first else field.stored
            fields = codec_of(type(model)).by_name
            for name, value in now.items():
                if value is not was[name] and (part := fields.get(name)) is not None:
                    before, after = encoded(part, was[name]), encoded(part, value)
                    if after is UNSTORABLE or not is_atom(value):
                        return None
                    if not same(before, after):
                        paths[f"{head}.{part.stored}"] = after
        changed.set.update(paths)
        return AsNoted(field, later)

    def stored(self) -> Any:
        """Give the stored form."""
        then = self._then
        if is_model(then[0]):
            return encoded(self._field, _as_it_was(then[0], then[1]))
        models = {id(model): contents for model, contents in zip(then[2::2], then[3::2], strict=True)}
        items = then[1]
        return encoded(self._field, [_as_it_was(item, models[id(item)]) for item in items] if models else items)


def _as_it_was(model: BaseModel, contents: dict[str, Any]) -> Any:
    copied = stand_in(model, contents)
    if isinstance(model, Stored):
        take_unknown(copied, model)
    return copied
