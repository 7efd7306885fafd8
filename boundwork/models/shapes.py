"""What the library knows about one annotation: how its values are written, read back and settled.

A shape is compiled once per annotation and class; loading and writing only call what is in it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from boundwork.models.bson_types import Encoder, ForeignClass, encode_value
from boundwork.models.data import data

Decoder = Callable[[Any], Any]
Settler = Callable[[Any, Any], None]

EVERY_KIND = frozenset({
    "str", "int", "float", "bool", "null", "bytes", "datetime", "decimal", "uuid", "array", "document", "regex", "other",
})  # fmt: skip
"""The kinds of stored values, by the type that decoding gives."""


@data(frozen=True, slots=True)
class Shape:
    """How the values of one annotation are stored.

    `encode` takes a value whose type is not NATIVE. `decode` turns the stored value into what the validator takes;
    None: it is that already. `settle(stored, value)` finishes a validated value, and `settle_each` a list of them where
    that is cheaper than one by one. `kinds` are the stored kinds.
    `converted`: only the annotation can tell the Python type from the stored kind. `steered`: writing needs the
    annotation too. `classes`: the Python types meant. `whole`: what is stored may look different, so that it is
    replaced whole and never by a path into it. `holds`: the model class, if values are models.
    `item`: the shape of the items of a list or of the values of a dict.
    """

    encode: Encoder = encode_value
    decode: Decoder | None = None
    settle: Settler | None = None
    settle_each: Settler | None = None
    kinds: frozenset[str] = EVERY_KIND
    classes: tuple[type, ...] = ()
    converted: bool = False
    steered: bool = False
    mutable: bool = False
    whole: bool = False
    holds: type | None = None
    item: "Shape | None" = None

    def trusting(self) -> "Shape":
        """Give the same shape for a field whose validators may bring back values of other classes."""
        own = self.encode

        def encode(value: Any) -> Any:
            try:
                return own(value)
            except ForeignClass:
                return encode_value(value)

        return replace(self, encode=encode)

    def stored_whole(self) -> "Shape":
        """Give the same shape for a field that is replaced whole."""
        return replace(self, whole=True)


class UnclearType(TypeError):
    """An annotation cannot be stored, or not be told apart when it is read back."""


ANYTHING = Shape(mutable=True)
