"""The oracle of the rewind tests: what an object was, noted without a word of the library that is tested.

A shot goes through attributes, field sets, private and extra values and every container, and keeps the containers
themselves: a rewound object must hold the same list with the same items, not an equal one.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

SCALARS = (str, int, float, bool, type(None))
FIELDS, PRIVATE = "__dict__", "__pydantic_private__"
PARTS = (FIELDS, PRIVATE, "__pydantic_extra__")


class Shot:
    """One value and all that is in it."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.inner: dict[Any, Shot] = {}
        self.names: frozenset[str] = frozenset()
        if isinstance(value, BaseModel):
            self.names = frozenset(value.__pydantic_fields_set__)
            self.inner = {part: Shot(_part(value, part)) for part in PARTS}
        elif isinstance(value, dict):
            self.inner = {key: Shot(item) for key, item in value.items()}
        elif isinstance(value, list):
            self.inner = dict(enumerate(map(Shot, value)))
        elif isinstance(value, set):
            self.inner = {item: Shot(item) for item in value}
        else:
            assert isinstance(value, SCALARS), type(value)

    def differences(self, now: Any, path: str = "") -> Iterator[str]:
        """Iterate over what is not as it was."""
        if isinstance(self.value, SCALARS):
            if type(now) is not type(self.value) or now != self.value:
                yield f"{path}: {now!r} instead of {self.value!r}"
        elif now is not self.value and path.rpartition(".")[2] not in PARTS:
            yield f"{path}: another {type(now).__name__} than before"
        elif isinstance(now, BaseModel):
            if self.names != now.__pydantic_fields_set__:
                yield f"{path}: fields set {sorted(now.__pydantic_fields_set__)} instead of {sorted(self.names)}"
            for part in PARTS:
                yield from self.inner[part].differences(_part(now, part), f"{path}.{part}")
        else:
            yield from self._items(now, path)

    def _items(self, now: Any, path: str) -> Iterator[str]:
        if type(now) is not type(self.value):
            yield f"{path}: {now!r} instead of {self.value!r}"
            return
        items = dict(enumerate(now)) if isinstance(now, list) else {item: item for item in now}
        if isinstance(now, dict):
            items = dict(now)
        if (set(items) if isinstance(now, set) else list(items)) != (
            set(self.inner) if isinstance(now, set) else list(self.inner)
        ):
            yield f"{path}: {list(items)} instead of {list(self.inner)}"
            return
        for key, shot in self.inner.items():
            yield from shot.differences(items[key], f"{path}.{key}")

    def reloaded(self, now: BaseModel) -> "Shot":
        """Return the shot to expect once the fields were read again: those of now, and the private values of then."""
        shot = Shot(now)
        shot.inner[PRIVATE] = self.inner[PRIVATE]
        return shot


def plain(value: Any) -> Any:
    """Return what of a value is stored, as plain data that can be compared."""
    if isinstance(value, BaseModel):
        return {name: plain(item) for name, item in {**value.__dict__, **(_part(value, PARTS[2]) or {})}.items()}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return frozenset(value) if isinstance(value, set) else value


def _part(model: BaseModel, part: str) -> Any:
    """Return a part of a model past its attribute access, which is under test; `__dict__` as a copy of its own."""
    found = object.__getattribute__(model, part)
    return dict(found) if part == FIELDS else found
