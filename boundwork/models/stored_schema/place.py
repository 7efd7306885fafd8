"""Where the converter is inside a model, and the list of rules that the server cannot check.

The path begins with the model's name and goes on by python field names; `[]` is an item, `{}` the value of a key.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, Self

from boundwork.models.data import data
from boundwork.models.structure.declared import NotExpressed


@data(frozen=True, slots=True)
class Place:
    """One place: its path, the models it lies in, the settings of the innermost one, and the notes of all places."""

    path: str
    notes: list[NotExpressed] = field(default_factory=list[NotExpressed])
    models: tuple[type, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def inside(self, part: str) -> Self:
        """Go on to a field (`.city`), an item (`[]`) or the value of a key (`{}`)."""
        return replace(self, path=self.path + part)

    def of(self, model: type, config: Mapping[str, Any]) -> Self:
        """Enter a model, a dataclass or a TypedDict."""
        return replace(self, models=(*self.models, model), config=config)

    def note(self, reason: str) -> None:
        """List a rule that the server cannot check."""
        found = NotExpressed(self.path, reason)
        if found not in self.notes:
            self.notes.append(found)
