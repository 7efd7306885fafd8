"""The oracle of the rewind tests: what an object was, noted without a word of the library that is tested.

A shot goes through attributes, field sets, private and extra values and every container, and keeps the containers
themselves: a rewound object must hold the same list with the same items, not an equal one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

SCALARS = {str, int, float, bool, type(None)}
FIELDS, PRIVATE, EXTRA = "__dict__", "__pydantic_private__", "__pydantic_extra__"
UNKNOWN = "__boundwork_unknown__"
PARTS = (FIELDS, PRIVATE, EXTRA, UNKNOWN)
STORED = (FIELDS, EXTRA, UNKNOWN)


NOTHING: "Mapping[int, Shot]" = {}


class Shot:
    """One value and all that is in it."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.inner: dict[Any, Shot] = {key: Shot(item) for key, item in _items(value).items()}
        self.names = _names(value)

    def differences(self, now: Any, path: str = "", first: "Mapping[int, Shot]" = NOTHING) -> Iterator[str]:
        """Iterate over what is not as it was; of a container that is in `first` that shot counts."""
        known = first.get(id(self.value), self)
        if known is not self:
            yield from known.differences(now, path, first)
            return
        if now.__class__ is not self.value.__class__ or (now.__class__ in SCALARS and now != self.value):
            yield f"{path}: {now!r} instead of {self.value!r}"
            return
        if now is not self.value and now.__class__ not in SCALARS and path.rpartition(".")[2] not in PARTS:
            yield f"{path}: another {now.__class__.__name__} than before"
            return
        if _names(now) != self.names:
            yield f"{path}: fields set {sorted(_names(now))} instead of {sorted(self.names)}"
        items = _items(now)
        if list(items) != list(self.inner) and not (now.__class__ is set and items.keys() == self.inner.keys()):
            yield f"{path}: {list(items)} instead of {list(self.inner)}"
            return
        for key, shot in self.inner.items():
            yield from shot.differences(items[key], f"{path}.{key}", first)

    def containers(self) -> Iterator[tuple[int, "Shot"]]:
        """Iterate over the shots of all that can be changed, by identity."""
        if self.value.__class__ not in SCALARS:
            yield id(self.value), self
        for shot in self.inner.values():
            yield from shot.containers()

    def cut_off(self, now: Any, held: set[int], path: str = "") -> Iterator[str]:
        """Iterate over what is held and stored and was replaced though it is as it was; extra values are never."""
        if now.__class__ is not self.value.__class__ or now.__class__ in SCALARS:
            return
        is_extra = path.endswith(EXTRA)
        if now is not self.value and id(self.value) in held and (is_extra or plain(now) == plain(self.value)):
            yield f"{path}: another {now.__class__.__name__} than the one that is held"
        items = _items(now)
        for key, shot in self.inner.items():
            if key in items and key not in {PRIVATE, UNKNOWN}:
                yield from shot.cut_off(items[key], held, f"{path}.{key}")

    def reread(self, before: "Shot", now: BaseModel) -> "Shot":
        """Return the shot to expect after a reading: what that changed is as it is now, all else as it was here.

        A reading changes fields one by one, the extra values and the names of the fields set each as a whole, and no
        private value. A model that stays inside a changed field keeps its own names and private values.
        """
        shot = Shot(now)
        if shot.names == before.names:
            shot.names = self.names
        shot.inner[PRIVATE] = self.inner[PRIVATE]
        if not any(before.inner[EXTRA].differences(shot.inner[EXTRA].value)):
            shot.inner[EXTRA] = self.inner[EXTRA]
        models = dict(self.containers())
        fields = shot.inner[FIELDS].inner
        for name, field in fields.items():
            if not any(before.inner[FIELDS].inner[name].differences(field.value)):
                fields[name] = self.inner[FIELDS].inner[name]
            else:
                field._keep(models)
        return shot

    def _keep(self, models: dict[int, "Shot"]) -> None:
        then = models.get(id(self.value)) if isinstance(self.value, BaseModel) else None
        if then is not None:
            self.names, self.inner[PRIVATE] = then.names, then.inner[PRIVATE]
        for key, shot in self.inner.items():
            if then is None or key != PRIVATE:
                shot._keep(models)


def plain(value: Any) -> Any:
    """Return what of a value is stored, as plain data that can be compared."""
    kind: Any = value.__class__
    if issubclass(kind, BaseModel):
        return {name: item for part in STORED for name, item in plain(_part(value, part) or {}).items()}
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is list:
        return [plain(item) for item in value]
    return frozenset(value) if kind is set else value


def _items(value: Any) -> dict[Any, Any]:
    kind: Any = value.__class__
    if issubclass(kind, BaseModel):
        return {part: _part(value, part) for part in PARTS}
    if kind is dict:
        return dict(value)
    if kind is list:
        return {place: value[place] for place in range(len(value))}
    if kind is set:
        return {item: item for item in value}
    assert kind in SCALARS, kind
    return {}


def _names(value: Any) -> frozenset[str]:
    return frozenset(value.__pydantic_fields_set__) if isinstance(value, BaseModel) else frozenset()


def _part(model: Any, part: str) -> Any:
    """Return a part of a model past its attribute access, which is under test; `__dict__` as a copy of its own."""
    try:
        found = object.__getattribute__(model, part)
    except AttributeError:
        return None
    return dict(found) if part == FIELDS else found
