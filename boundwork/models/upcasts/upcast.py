"""One upcast: what leads from a schema version to the next, written down once for the model and for its revision."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from bson import encode
from bson.codec_options import CodecOptions
from bson.errors import BSONError

from boundwork.models.bson_types import CODEC_OPTIONS
from boundwork.models.fields import ID
from boundwork.models.upcasts.conversions import Named, Values, conversion
from boundwork.models.upcasts.pieces import (
    Compute,
    ConvertField,
    Function,
    Piece,
    RenameField,
    SetField,
    Stored,
    UnsetField,
)

SCHEMA_VERSION = "_sv"
"""The stored field that holds the schema version of a document; one without it is of version 1."""
OPTIONS: CodecOptions[Any] = CODEC_OPTIONS


@dataclass(frozen=True, slots=True)
class Upcast:
    """What makes a document of schema version `to` of one of the version before: `Upcast(2).rename_field("mail", "email")`.

    Each word returns a new upcast with one piece more; pieces work in their order. Names are stored names. The same value
    is given to the model (`upcasts=[...]`) and to `op.lazy` in a revision.
    """

    to: int
    pieces: tuple[Piece, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a version that nothing can be brought to."""
        to: Any = self.to
        if isinstance(to, bool) or not isinstance(to, int) or not 2 <= to < 2**31:  # noqa: PLR2004 - documents without a version are of 1
            raise ValueError(f"An upcast leads to version 2 or a higher one, not {self.to!r}: 1 is where it begins.")

    def rename_field(self, old: str, new: str) -> Self:
        """Give a field another name at its place; a dotted path leads into documents, and into those in lists.

        An old document that has the new name already is refused when it is read.
        """
        _path(old)
        _path(new)
        if old.rpartition(".")[0] != new.rpartition(".")[0] or old == new:
            raise ValueError(f"{old!r} and {new!r} are not two names at the same place.")
        return self._with(RenameField(old, new))

    def set_field(self, field: str, value: Any) -> Self:
        """Give a field a value, in its stored form, where it is missing."""
        _top(field)
        try:
            encode({field: value}, codec_options=OPTIONS)
        except (TypeError, ValueError, OverflowError, RecursionError, BSONError):
            raise ValueError(f"set_field({field!r}) takes a value in its stored form.") from None
        return self._with(SetField(field, value))

    def unset_field(self, field: str, *, undo: Callable[[Stored], Any] | None = None) -> Self:
        """Take a field away; `undo` is called with the new document and returns the value for the way back."""
        _path(field)
        if undo is not None:
            _top(field)
        return self._with(UnsetField(field, undo))

    def convert(self, field: str, how: Named | Values) -> Self:
        """Convert the values of a field: by name ("text to int"), or by a dict of old and new values.

        null stays null, and what is not of the old type stays. A value that would not come back the same, as "007", is
        refused when its document is read.
        """
        _top(field)
        return self._with(ConvertField(field, conversion(how)))

    def compute(self, function: Function, *, fields: Iterable[str], undo: Function | None = None) -> Self:
        """Let a function compute fields: it gets a copy of the document and returns a dict of those fields.

        It may be called again for the same document and must return the same. Queries on these fields are refused while
        documents of an old version are stored.
        """
        names = (fields,) if isinstance(fields, str) else tuple(fields)
        if not names or not callable(function):
            raise ValueError("compute takes a function, and the names of the fields that it gives.")
        for name in names:
            _top(name)
        return self._with(Compute(function, names, undo))

    def _with(self, piece: Piece) -> Self:
        return replace(self, pieces=(*self.pieces, piece))

    @property
    def why_not_down(self) -> str | None:
        """Why a document cannot be brought back; None if it can."""
        return next((piece.why_not_down for piece in self.pieces if piece.why_not_down), None)

    @property
    def computes(self) -> bool:
        """Tell whether functions of the program decide."""
        return any(isinstance(piece, Compute) for piece in self.pieces)

    def paths(self) -> Iterator[str]:
        """Yield the paths that the pieces change."""
        for piece in self.pieces:
            yield from piece.fields

    def facts(self) -> Iterator[tuple[str, Mapping[str, Any], Iterable[Callable[..., Any]]]]:
        """Yield of each piece its title, its values, and its functions: what two equal upcasts have in common."""
        for piece in self.pieces:
            functions = [part for part in (getattr(piece, "function", None), getattr(piece, "undo", None)) if part]
            pairs = [list(pair) for pair in getattr(getattr(piece, "conversion", None), "pairs", ())]
            yield piece.title, {"value": getattr(piece, "value", None), "pairs": pairs}, functions


def _path(path: object) -> None:
    names = path.split(".") if isinstance(path, str) else [""]
    taken = names[0] in {ID, SCHEMA_VERSION}
    if taken or any(not name or name[0] == "$" or "\0" in name or name.isdecimal() for name in names):
        raise ValueError(f"{path!r} is no field that an upcast can change: stored names with dots between, not _id.")


def _top(path: object) -> None:
    _path(path)
    if "." in str(path):
        raise ValueError(f"{path!r} lies inside of another field; only rename_field and unset_field go there.")
