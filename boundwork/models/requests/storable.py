"""Whether what was read of a body can be stored: a client learns of it, and not the flush that comes later.

A type may take values for which BSON has no form: a number of more than 64 bits, a time without a zone.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from boundwork.models.bson_types import NATIVE, CannotStore
from boundwork.models.codec import codec_of
from boundwork.models.fields import StoredField
from boundwork.models.requests.allowed import Problems
from boundwork.models.verification import through_bson


def unstorable(made: BaseModel, accepted: Iterable[str]) -> Problems:
    """Name the fields of a model, of those that a body may have given under these names, that cannot be stored."""
    names = frozenset(accepted)
    fields = [field for field in codec_of(type(made)).fields if field.accepted in names]
    return [problem for field in fields for problem in _problem(field, made.__dict__[field.name])]


def _problem(field: StoredField, value: Any) -> Problems:
    inside: tuple[str, ...] = ()
    try:
        try:
            encoded = value if type(value) in NATIVE else field.shape.encode(value)
        except CannotStore as error:
            inside = tuple(error.path)
            raise
        through_bson({field.stored: encoded})
    except CannotStore as error:
        return [(".".join((field.name, *inside)), error.problem)]
    except RecursionError:
        return [(field.name, "is nested too deeply")]
    return []
