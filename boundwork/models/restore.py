"""What a value was, so that it can be put back in place.

A record holds the containers themselves and a shallow copy of each one's contents. Restoring changes no identity: a
list that somebody else holds is the same list with the old items. A reading moves what there is to go back to, but only
of what it has changed: `reread` and `keeping`.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from boundwork.models.bson_types import NATIVE
from boundwork.models.kinds import is_array, is_dict, is_list, is_model, is_mutable_set, is_record, is_tuple
from boundwork.models.references.ref import Ref
from boundwork.models.slots import FIELDS_SET, SharedNames

ATOMS = NATIVE | {int, datetime, date, time, timedelta, Decimal, UUID, Ref}
EXTRA, NAMES, PRIVATE = "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__"
PAIR = 2
"""What a record keeps of each container: itself, and what it held."""
_set_slot = object.__setattr__


class ModelState:
    """The attributes, field set, extra and private values of one model, shallowly."""

    __slots__ = ("extra", "inside", "names", "private", "values")

    def __init__(self, model: BaseModel) -> None:
        """Note the model as it is now."""
        names = model.__pydantic_fields_set__
        self.names = names if type(names) is SharedNames else set(names)
        self.values = dict(model.__dict__)
        extra = model.__pydantic_extra__
        self.extra = None if extra is None else dict(extra)
        private = model.__pydantic_private__
        self.private = None if private is None else dict(private)
        self.inside: Record | None = None

    def reread(self, before: "ModelState", then: "ModelState") -> frozenset[str]:
        """Be what to go back to after a reading: what that left as it was `before` is as it was `then`.

        Return what it changed: names of fields, and of the slots for extra values and for the field set.
        """
        changed = _changed(before.values, self.values)
        self.values.update((name, then.values[name]) for name in self.values.keys() & then.values.keys() - changed)
        self.private = then.private
        if _changed(before.extra or {}, self.extra or {}) or list(before.extra or ()) != list(self.extra or ()):
            changed.add(EXTRA)
        else:
            self.extra = then.extra
        if before.names != self.names:
            changed.add(NAMES)
        else:
            self.names = then.names
        return frozenset(changed)

    def restore(self, model: BaseModel) -> None:
        """Put it back; dicts that exist keep their identity."""
        values: Any = model.__dict__
        values.clear()
        values.update(self.values)
        FIELDS_SET.__set__(model, self.names if type(self.names) is SharedNames else set(self.names))
        for slot, before in ((EXTRA, self.extra), (PRIVATE, self.private)):
            now = getattr(model, slot)
            if is_dict(now) and before is not None:
                now.clear()
                now.update(before)
            else:
                _set_slot(model, slot, None if before is None else dict(before))
        if self.inside is not None:
            self.inside.restore()

    def holds(self, model: BaseModel) -> bool:
        """Tell whether a model is as it was, but for what is inside its values."""
        now = ModelState(model)
        return (
            _all_equal(self.values, now.values)
            and self.names == now.names
            and _all_equal(self.extra or {}, now.extra or {})
            and _all_equal(self.private or {}, now.private or {})
            and (self.inside is None or self.inside.holds())
        )

    @property
    def more(self) -> bool:
        """Whether there are extra or private values."""
        return bool(self.extra or self.private)

    def inner(self) -> Iterator[Any]:
        """Give the extra and private values, which may be mutable themselves."""
        for more in (self.extra, self.private):
            if more:
                yield from more.values()


class Record:
    """The contents of one value and of everything mutable inside it.

    `partial` says that some model in it had fields that were not set, so that its stored form may lack them.
    """

    __slots__ = ("_flat", "_seen", "partial")

    def __init__(self, value: Any) -> None:
        """Note the value as it is now."""
        self._seen: list[Any] = []
        self.partial = False
        self._flat = True
        self._note((value,))

    @property
    def more(self) -> bool:
        """Whether there is anything that can be changed in place."""
        return bool(self._seen)

    def restore(self) -> None:
        """Put every container's contents back."""
        seen = iter(self._seen)
        for value, contents in zip(seen, seen, strict=True):
            if is_model(value):
                _restore_model(value, contents)
            elif is_list(value):
                value.clear()
                value.extend(contents)
            elif is_dict(value):
                value.clear()
                value.update(contents)
            elif is_mutable_set(value):
                value.clear()
                for item in contents:
                    value.add(item)
            else:
                for name, part in contents:
                    _set_slot(value, name, part)

    def holds(self) -> bool:
        """Tell whether everything is as it was."""
        seen = iter(self._seen)
        return all(_holds(value, contents) for value, contents in zip(seen, seen, strict=True))

    def keeping(self, older: "Record") -> "Record":
        """Return the record, with the field sets and private values that an older one has of the models in both."""
        then = dict(older.models())
        kept = Record(None)
        kept.partial = self.partial
        seen = iter(self._seen)
        for value, contents in zip(seen, seen, strict=True):
            kept._seen += (value, _like(value, contents, then[id(value)]) if id(value) in then else contents)
        return kept

    def models(self) -> Iterator[tuple[int, Any]]:
        """Give the contents of each model, by its identity."""
        seen = iter(self._seen)
        return ((id(value), contents) for value, contents in zip(seen, seen, strict=True) if is_model(value))

    def flat(self) -> Sequence[Any] | None:
        """Give the value and what it held, and then the same of each model in it; None for what is not flat.

        Flat is a complete model, or a list of nothing but those or nothing but values that cannot be changed; and the
        models hold nothing but such values.
        """
        seen = self._seen
        if not self._flat or not seen or not (len(seen) == PAIR or len(seen) // PAIR - 1 == len(seen[1])):
            return None
        return seen

    def _note(self, values: Iterable[Any]) -> None:
        for value in values:
            if type(value) in ATOMS:
                continue
            if is_model(value):
                self._note_model(value)
            elif is_array(value):
                self._flat = self._flat and not self._seen
                self._seen += (value, list(value))
                if not ATOMS.issuperset(map(type, value)):
                    self._note(value)
            elif not isinstance(value, Enum):
                self._flat = False
                self._note_other(value)

    def _note_other(self, value: Any) -> None:
        if is_list(value):
            self._seen += (value, list(value))
            self._note(value)
        elif is_dict(value):
            self._seen += (value, dict(value))
            self._note(value.values())
        elif is_mutable_set(value):
            self._seen += (value, frozenset(value))
        elif is_tuple(value):
            self._note(value)
        elif is_record(value):
            parts = tuple((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
            self._seen += (value, parts)
            self._note(part for _, part in parts)

    def _note_model(self, model: BaseModel) -> None:
        names = model.__pydantic_fields_set__
        if type(names) is SharedNames and model.__pydantic_extra__ is None and model.__pydantic_private__ is None:
            values = dict(model.__dict__)
            self._seen += (model, values)
        else:
            self._flat = False
            state = ModelState(model)
            values = state.values
            self._seen += (model, state)
            if type(names) is not SharedNames and len(names) < len(type(model).__pydantic_fields__):
                self.partial = True
            if state.private:
                state.inside = Record(tuple(state.private.values()))
            if state.extra:
                self._note(state.extra.values())
        if not ATOMS.issuperset(map(type, values.values())):
            inside = [value for value in values.values() if not is_atom(value)]
            if inside:
                self._flat = False
                self._note(inside)


def is_atom(value: Any) -> bool:
    """Tell whether a value is of a kind that is known to have no parts that could be changed."""
    return type(value) in ATOMS or isinstance(value, Enum)


def stand_in(model: BaseModel, values: dict[str, Any]) -> Any:
    """Make a throw-away instance of the class of a model with other values."""
    cls = type(model)
    instance = cls.__new__(cls)
    _set_slot(instance, "__dict__", values)
    _set_slot(instance, NAMES, set())
    _set_slot(instance, EXTRA, None)
    _set_slot(instance, PRIVATE, None)
    return instance


def _restore_model(model: BaseModel, contents: Any) -> None:
    """Put a model back: all of its state, or its values where there was nothing else and no field was unset."""
    if isinstance(contents, ModelState):
        contents.restore(model)
        return
    values: Any = model.__dict__
    values.clear()
    values.update(contents)
    if type(model.__pydantic_fields_set__) is not SharedNames:
        FIELDS_SET.__set__(model, set(type(model).__pydantic_fields__))


def _holds(value: Any, contents: Any) -> bool:
    if isinstance(contents, ModelState):
        return contents.holds(value)
    if is_model(value):
        complete = len(value.__pydantic_fields_set__) == len(type(value).__pydantic_fields__)
        return complete and _all_equal(contents, value.__dict__)
    if is_list(value):
        return len(value) == len(contents) and all(map(_equal, value, contents))
    if is_dict(value):
        return _all_equal(contents, value)
    if is_mutable_set(value):
        return bool(value == contents)
    return all(_equal(getattr(value, name), part) for name, part in contents)


def _all_equal(before: Mapping[Any, Any], now: Mapping[Any, Any]) -> bool:
    return list(before) == list(now) and all(map(_equal, before.values(), now.values()))


def _equal(before: Any, now: Any) -> bool:
    """Tell whether a value is the same one, or one without parts that equals it."""
    return before is now or (type(before) is type(now) and type(before) in ATOMS and bool(before == now))


def _like(model: BaseModel, contents: Any, then: Any) -> ModelState:
    """Return contents of a model with the field set and private values of other ones."""
    state = ModelState(model)
    is_state = isinstance(contents, ModelState)
    state.values, state.extra = (contents.values, contents.extra) if is_state else (contents, None)
    if isinstance(then, ModelState):
        state.names, state.private, state.inside = then.names, then.private, then.inside
    else:
        state.names = set(type(model).__pydantic_fields__)
    return state


def _changed(before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    """Return the names under which there is another value than before, or none."""
    common = before.keys() & now.keys()
    return (before.keys() ^ now.keys()) | {name for name in common if before[name] is not now[name]}
