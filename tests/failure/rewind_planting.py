"""How a fault is planted in the library, for as long as a `MonkeyPatch` lives."""

from collections.abc import Callable
from typing import Any

from pytest import MonkeyPatch  # noqa: PT013 - a type here, and nothing else of pytest

from boundwork.models.restore import ModelState, Record

Plant = Callable[[MonkeyPatch], None]
FAULTS: dict[str, Plant] = {}


def fault(plant: Plant) -> Plant:
    FAULTS[plant.__name__.strip("_").replace("_", " ")] = plant
    return plant


def instead(
    patch: MonkeyPatch, owner: Any, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Put what `make` makes of a function in its place."""
    patch.setattr(owner, name, make(getattr(owner, name)))


def nothing(*_: Any, **__: Any) -> None:
    return None


def without(patch: MonkeyPatch, name: str, part: str) -> None:
    """Let a restored model keep one of its slots as it is."""

    def make(restored: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: ModelState, model: Any) -> None:
            before = getattr(self, part)
            setattr(self, part, getattr(ModelState(model), part))
            restored(self, model)
            setattr(self, part, before)

        return faulty

    instead(patch, ModelState, name, make)


def skipping(patch: MonkeyPatch, skips: Callable[[Any], bool]) -> None:
    """Let the records leave out some containers, but not what is in them."""

    def make(init: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any, value: Any) -> None:
            init(self, value)
            pairs = list(zip(self._seen[::2], self._seen[1::2], strict=True))
            self._seen = [part for pair in pairs if not skips(pair[0]) for part in pair]

        return faulty

    instead(patch, Record, "__init__", make)
