"""The functions that finish the instances of one model class that pydantic has made of stored documents.

Complete instances share one set of field names for each class, which is most of the memory, and fields that the model
does not know are kept beside it. The functions are generated, as a call for each part of a document would cost as much
again: one takes an instance, the other all of a list.
"""

from functools import partial
from textwrap import indent
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from boundwork.models.bson_types import MISSING, NATIVE
from boundwork.models.encoders import ASIDE
from boundwork.models.kinds import is_array, is_document, is_model
from boundwork.models.shapes import Settler
from boundwork.models.slots import FIELDS_SET, UNKNOWN, SharedNames, Stored

if TYPE_CHECKING:
    from boundwork.models.codec import Codec

_SOURCE = """
def settle(stored, value):
{body}

def settle_each(all_stored, values):
    for stored, value in zip(all_stored, values):
    {body}
"""
_BODY = """
    if type(value) is not model:
        settle_other(stored, value)
    elif type(stored) is dict:
"""
_OWN = """
        names = value.__pydantic_fields_set__
        if len(names) == len(stored) == count:
            share(value, complete)
        else:
            settle_partly(stored, value)
"""
_CHILD = """
        part = stored.get({key!r})
        if part is not None:
            settle{index}(part, value.__dict__[{name!r}])
"""


def model_settlers(codec: "Codec") -> tuple[Settler, Settler] | None:
    """Generate what finishes a validated instance, and a list of them, given what each was made of; None if nothing does."""
    own = issubclass(codec.model, Stored) and not codec.extra
    children = [field for field in codec.fields if field.shape.settle is not None]
    if not own and not children:
        return None
    complete = SharedNames(field.name for field in codec.fields)
    names: dict[str, Any] = {
        "model": codec.model, "settle_other": _settle_other, "share": FIELDS_SET.__set__, "count": len(complete),
        "complete": complete, "settle_partly": partial(_settle_partly, codec, complete),
    }  # fmt: skip
    body = _BODY + (_OWN if own else "")
    for index, field in enumerate(children):
        settle: Any = field.shape.settle
        names[f"settle{index}"] = _guarded(settle) if field.validated else settle
        body += _CHILD.format(key=field.accepted, index=index, name=field.name)
    exec(_SOURCE.format(body=indent(body, "    ")), names)  # noqa: S102 - made of reprs of field names only
    return names["settle"], names["settle_each"]


def _settle_other(stored: Any, value: Any) -> None:
    """Settle a value that a validator made of another class than was declared."""
    from boundwork.models.codec import codec_of  # noqa: PLC0415 - a codec is made of its settler

    if is_model(value):
        codec_of(type(value)).settle(stored, value)


def _settle_partly(codec: "Codec", complete: SharedNames, stored: dict[str, Any], value: BaseModel) -> None:
    """Settle an instance that was made of more or less than its fields."""
    names = value.__pydantic_fields_set__
    if len(stored) != len(names):
        _keep_unknown(codec, stored, value)
    if (version := getattr(codec.model, "__boundwork_version__", None)) is not None:
        names.add(version)  # one from before the model was versioned has version 0, which its copies carry
    if len(names) == len(complete):
        FIELDS_SET.__set__(value, complete)


def _keep_unknown(codec: "Codec", stored: dict[str, Any], value: BaseModel) -> None:
    known = {field.accepted for field in codec.fields}
    unknown = {key.removeprefix(ASIDE): part for key, part in stored.items() if key not in known}
    if unknown:
        UNKNOWN.__set__(value, unknown)
        codec.carries.more = True


def _guarded(settle: Settler) -> Settler:
    """Settle a field with validators of its own only if they left the order of its models alone."""

    def run(stored: Any, values: Any) -> None:
        if not is_array(stored) or not is_array(values) or all(map(_corresponds, stored, values)):
            settle(stored, values)

    return run


def _corresponds(stored: Any, value: Any) -> bool:
    """Check that a model was made of this document: the scalars that are stored as they are must be equal."""
    from boundwork.models.codec import codec_of  # noqa: PLC0415 - a codec is made of its settler

    if not is_document(stored) or not is_model(value):
        return True
    values = value.__dict__
    for field in codec_of(type(value)).fields:
        part = stored.get(field.accepted, MISSING)
        if type(part) in NATIVE and part == part and values.get(field.name) != part:  # noqa: PLR0124 - but for a NaN
            return False
    return True
