"""What may stand as a value in a condition, and in which form it is sent.

A value is turned into its stored form at once, where the program wrote it, so that a value that cannot be sent
fails there and a list that is changed later changes nothing. Texts name the place and the type, never the value.
"""

import re
from typing import TYPE_CHECKING, Any, NoReturn

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from bson.errors import BSONError

from boundwork.models.bson_types import CannotStore, encode_value
from boundwork.models.references.storing import referred_id

if TYPE_CHECKING:
    from boundwork.models.expressions.targets import Target

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)

_TRUTH = (
    "An expression has no truth value: it is sent to the server. Use & instead of `and`, | instead of `or`, not_(...) "
    "instead of `not`, in_(field, values) instead of `in`, and (low < field) & (field < high) instead of a chain."
)
_NEGATION = "`~` does not negate an expression, since for type checkers it is a number then. Write not_(...)."
_DOWNWARDS = "A minus does not turn a sort round, since for type checkers it is a value then. Write desc(field)."


class Expression:
    """Base of fields and conditions: something that the server works out."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        """Refuse: `and`, `or`, `not`, `in` and chained comparisons would silently lose a condition."""
        raise TypeError(_TRUTH)

    if not TYPE_CHECKING:  # checkers refuse both by themselves

        def __invert__(self) -> NoReturn:
            """Refuse: for checkers `~` makes a number of a comparison."""
            raise TypeError(_NEGATION)

        def __neg__(self) -> NoReturn:
            """Refuse, for the same reason."""
            raise TypeError(_DOWNWARDS)

    def __filter__(self) -> "Expression":
        """Return what the expression means where a condition is expected, or raise TypeError."""
        raise NotImplementedError  # each kind of expression answers for itself


def operand_at(target: "Target", value: object) -> Any:
    """Return the stored form of a value that is compared with a place; raises as `encode_operand`.

    What is compared with a reference may be an id, a reference or a document; TypeError for another model's.
    """
    references = target.references
    if references and value is not None and not isinstance(value, Expression):
        value = referred_id(target.shown, references, value)
    return encode_operand(target.shown, value)


def encode_operand(shown: str, value: object) -> Any:
    """Return the stored form of a value that is compared with the field shown as `shown`.

    Raises TypeError for a field, a condition or a pattern, ValueError for what BSON cannot hold.
    """
    if isinstance(value, Expression):
        text = f"{shown} is compared with {value!r}, but a condition compares with values. Use $expr in a plain filter."
        raise TypeError(text)
    if isinstance(value, re.Pattern | bson.Regex):
        text = f"{shown} is compared with a pattern. Use regex({shown}, text, raw=True)."
        raise TypeError(text)
    try:
        encoded: Any = encode_value(value)
        bson.encode({"": encoded}, codec_options=_OPTIONS)
    except CannotStore as error:
        text = f"{shown} cannot be compared with a {type(value).__name__}: {error.problem}."
        raise ValueError(text) from None
    except (BSONError, UnicodeError, OverflowError, RecursionError) as error:
        # The driver's text quotes the value, so it is not chained.
        text = f"{shown} cannot be compared with this {type(value).__name__}: BSON cannot hold it ({type(error).__name__})."
        raise ValueError(text) from None
    return encoded
