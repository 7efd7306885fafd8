"""The pieces of an upcast: each changes one thing in a stored document, and says how to go back.

They work on decoded BSON and keep the order of fields. A document that a piece would have to guess about is refused, so
that going back, and translating a filter, is exact.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from boundwork.models.bson_types import MISSING
from boundwork.models.difference import same
from boundwork.models.kinds import is_array, is_document, is_mapping
from boundwork.models.upcasts.conversions import Conversion

Stored = dict[str, Any]
Function = Callable[[Stored], Mapping[str, Any]]


class Unfit(Exception):
    """A piece cannot change a document; the text says why, without values."""


@dataclass(frozen=True, slots=True)
class Piece(ABC):
    """One change of a document."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The word and the fields, for people."""

    @property
    @abstractmethod
    def fields(self) -> tuple[str, ...]:
        """The dotted paths that it reads or writes by itself."""

    @property
    def why_not_down(self) -> str | None:
        """Why there is no way back; None if there is one."""
        return None

    @abstractmethod
    def up(self, document: Stored) -> Stored:
        """Return the document of the new version, which may be the same object. Raises Unfit."""

    @abstractmethod
    def down(self, document: Stored) -> Stored:
        """Return the document of the old version. Raises Unfit."""


@dataclass(frozen=True, slots=True)
class RenameField(Piece):
    """Give a field another name at its place; dotted paths lead into documents, and into those in lists."""

    old: str
    new: str

    @property
    def title(self) -> str:
        """The word and the fields."""
        return f"rename_field {self.old} {self.new}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Both names."""
        return (self.old, self.new)

    def up(self, document: Stored) -> Stored:
        """Rename."""
        return self._renamed(document, self.old, self.new)

    def down(self, document: Stored) -> Stored:
        """Rename back."""
        return self._renamed(document, self.new, self.old)

    def _renamed(self, document: Stored, old: str, new: str) -> Stored:
        *parents, name = old.split(".")
        last = new.rpartition(".")[2]

        def rename(part: Stored) -> Stored:
            if last in part:
                raise Unfit(f"it has a field {new!r} already")
            return {last if key == name else key: value for key, value in part.items()} if name in part else part

        return changed_below(document, parents, rename)


def changed_below(part: Stored, parents: list[str], change: Callable[[Stored], Stored]) -> Stored:
    """Return a document with those at a path changed, in lists as well."""
    if not parents:
        return change(part)
    head, *rest = parents
    inner = part.get(head, MISSING)
    if is_document(inner):
        return {**part, head: changed_below(inner, rest, change)}
    if is_array(inner):
        items = [changed_below(item, rest, change) if is_document(item) else item for item in inner]
        return {**part, head: items}
    return part


@dataclass(frozen=True, slots=True)
class SetField(Piece):
    """Give a field a value where it is missing."""

    name: str
    value: Any

    @property
    def title(self) -> str:
        """The word and the field."""
        return f"set_field {self.name}"

    @property
    def fields(self) -> tuple[str, ...]:
        """The field."""
        return (self.name,)

    def up(self, document: Stored) -> Stored:
        """Add the field at the end."""
        return document if self.name in document else {**document, self.name: deepcopy(self.value)}

    def down(self, document: Stored) -> Stored:
        """Take the field away where it still has the value."""
        if same(document.get(self.name, MISSING), self.value):
            return {name: value for name, value in document.items() if name != self.name}
        return document


@dataclass(frozen=True, slots=True)
class UnsetField(Piece):
    """Take a field away; `undo` gives its value back, else there is no way back."""

    name: str
    undo: Callable[[Stored], Any] | None = None

    @property
    def title(self) -> str:
        """The word and the field."""
        return f"unset_field {self.name}"

    @property
    def fields(self) -> tuple[str, ...]:
        """The field."""
        return (self.name,)

    @property
    def why_not_down(self) -> str | None:
        """What was taken away is not kept."""
        return None if self.undo is not None else f"the values of {self.name!r} are not kept; give unset_field an undo"

    def up(self, document: Stored) -> Stored:
        """Take the field away."""
        *parents, last = self.name.split(".")
        return changed_below(document, parents, lambda part: {key: part[key] for key in part if key != last})

    def down(self, document: Stored) -> Stored:
        """Set what `undo` says."""
        if self.undo is None or "." in self.name:
            raise Unfit(f"{self.name!r} does not come back")
        return {**document, self.name: self.undo(deepcopy(document))}


@dataclass(frozen=True, slots=True)
class ConvertField(Piece):
    """Convert the values of a field one by one, so that each comes back the same."""

    name: str
    conversion: Conversion

    @property
    def title(self) -> str:
        """The word, the field and the conversion."""
        return f"convert {self.name} {self.conversion.name}"

    @property
    def fields(self) -> tuple[str, ...]:
        """The field."""
        return (self.name,)

    def up(self, document: Stored) -> Stored:
        """Convert, unless it is none of the values that are converted."""
        return self._changed(document, self.conversion)

    def down(self, document: Stored) -> Stored:
        """Convert back."""
        return self._changed(document, self.conversion.inverse())

    def _changed(self, document: Stored, conversion: Conversion) -> Stored:
        value = document.get(self.name, MISSING)
        if value is MISSING or not conversion.takes(value):
            if is_array(value) or is_document(value):
                raise Unfit(f"{self.name!r} is a {'list' if is_array(value) else 'document'}")
            return document
        now = conversion.up(value)
        if now is MISSING:
            raise Unfit(f"{self.name!r} cannot be converted ({conversion.name}) so that it would come back the same")
        return {key: now if key == self.name else part for key, part in document.items()}


@dataclass(frozen=True, slots=True)
class Compute(Piece):
    """Let a function say what some fields become; it sees a copy of the document."""

    function: Function
    names: tuple[str, ...]
    undo: Function | None = None

    @property
    def title(self) -> str:
        """The word, the function and the fields."""
        return f"compute {', '.join(self.names)} by {getattr(self.function, '__name__', 'a function')}"

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it writes."""
        return self.names

    @property
    def why_not_down(self) -> str | None:
        """A function has no inverse of its own."""
        return None if self.undo is not None else f"{self.title} has no undo"

    def up(self, document: Stored) -> Stored:
        """Set what the function says; a field that it leaves out is taken away."""
        return self._changed(document, self.function)

    def down(self, document: Stored) -> Stored:
        """Set what `undo` says."""
        if self.undo is None:
            raise Unfit("it has no undo")
        return self._changed(document, self.undo)

    def _changed(self, document: Stored, function: Function) -> Stored:
        try:
            said: Any = function(deepcopy(document))
        except Exception as error:
            raise Unfit(f"the function raised {type(error).__name__}") from error
        if not is_mapping(said) or said.keys() - set(self.names):
            raise Unfit("the function gives a dict of the fields that were named, and gave something else")
        kept = {key: value for key, value in document.items() if key not in self.names or key in said}
        return {**kept, **said}
