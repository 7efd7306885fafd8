"""Which unions can be read back, and how.

What is stored has a kind (text, number, date, array, document ...). Where two members of a union are stored as the
same kind and only the annotation could tell them apart, the class is refused when it is defined.
"""

import types
import typing
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from itertools import combinations
from typing import Any, get_origin
from uuid import UUID

from bson import Decimal128, Int64, Regex

from boundwork.models import lookalikes
from boundwork.models.bson_types import Encoder, ForeignClass, encode_value
from boundwork.models.kinds import class_of, is_dict, is_model, is_record
from boundwork.models.shapes import EVERY_KIND, Decoder, Settler, Shape, UnclearType

_READ_AS: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int, Int64), "float": (float,), "bool": (bool,), "bytes": (bytes,), "datetime": (datetime,),
    "decimal": (Decimal128,), "uuid": (UUID,), "regex": (Regex,), "array": (list,), "document": (dict,),
}  # fmt: skip
_DISJOINT = (
    {IPv4Address, IPv6Address}, {IPv4Network, IPv6Network}, {IPv4Interface, IPv6Interface},
)  # fmt: skip


def is_union(annotation: Any) -> bool:
    """Say whether an annotation is a union in either spelling."""
    return get_origin(annotation) in {typing.Union, types.UnionType}


def shape(members: tuple[Any, ...], tag: Any, shape_of: Callable[[Any], Shape], *, smart: bool = True) -> Shape:
    """Give the shape of a union; raise UnclearType where two members cannot be told apart.

    `tag` is pydantic's discriminator, if there is one; without `smart` pydantic takes the first member that fits.
    """
    optional = type(None) in members
    shapes = [(member, shape_of(member)) for member in members if member is not type(None)]
    if len(shapes) == 1:
        only = shapes[0][1]
        return replace(only, kinds=only.kinds | {"null"})
    for (one, first), (other, second) in combinations(shapes, 2):
        _check(one, first, other, second)
        if tag is None:
            _check_records(first, second, smart=smart)
    parts = [part for _, part in shapes]
    kinds = frozenset[str]().union(*(part.kinds for part in parts))
    return Shape(
        encode=_encoder(parts),
        decode=_decoder(parts, tag),
        settle=_settler(parts),
        kinds=kinds | {"null"} if optional else kinds,
        classes=tuple(cls for part in parts for cls in part.classes),
        converted=any(part.converted for part in parts),
        steered=any(part.steered for part in parts),
        mutable=any(part.mutable for part in parts),
        whole=any(part.whole for part in parts),
    )


def _check(one: Any, first: Shape, other: Any, second: Shape) -> None:
    shared = first.kinds & second.kinds
    if not shared or not _unclear(first, second, shared):
        return
    names = " | ".join(getattr(member, "__name__", str(member)) for member in (one, other))
    raise UnclearType(
        f"in {names} both are stored as {' or '.join(sorted(shared - {'null'}) or ['null'])}, "
        "so the way back is not clear; keep one of them, or wrap one in an Embedded model",
    )


def _unclear(first: Shape, second: Shape, shared: frozenset[str]) -> bool:  # noqa: PLR0911 - one line for each reason
    if EVERY_KIND in {first.kinds, second.kinds}:
        return any(part.converted or part.decode or part.holds for part in (first, second))
    if first.holds is not None and second.holds is not None:
        return False
    if {*first.classes, *second.classes} in _DISJOINT:
        return False
    if first.converted or second.converted:
        return True
    if "document" in shared or "array" in shared:
        same_class = first.classes == second.classes or (_is_record(first) and _is_record(second))
        if not same_class or first.decode or second.decode:
            return True
        return _unclear_items(first, second)
    return False


def _unclear_items(first: Shape, second: Shape) -> bool:
    if first.item is None or second.item is None:
        return False
    shared = first.item.kinds & second.item.kinds
    return bool(shared - {"null"}) and _unclear(first.item, second.item, shared)


def _check_records(first: Shape, second: Shape, *, smart: bool) -> None:
    """Refuse two models or dataclasses, alone or in the same kind of container, that may be read as each other."""
    one: Shape | None = first
    other: Shape | None = second
    while one is not None and other is not None:
        found = lookalikes.alike(one.classes, other.classes, smart=smart)
        if found is not None:
            names = " and ".join(cls.__name__ for cls in found)
            raise UnclearType(
                f"what is stored of {names} cannot be told apart when it is read back; give both a common Literal field "
                "with different values, and name it: Field(discriminator=...)"
            )
        one, other = one.item, other.item
        smart = False


def _is_record(part: Shape) -> bool:
    return part.holds is not None or not any(issubclass(cls, dict) or cls.__module__ == "collections.abc"
                                             for cls in part.classes)  # fmt: skip


def _encoder(parts: list[Shape]) -> Encoder:
    steered = [part for part in parts if part.steered]
    records = {cls: part.encode for part in parts for cls in part.classes if lookalikes.is_record_class(cls)}
    if not steered and not records:
        return encode_value
    declared = " | ".join(cls.__name__ for cls in records)

    def encode(value: Any) -> Any:
        own = records.get(class_of(value))
        if own is not None:
            return own(value)
        if records and (is_model(value) or is_record(value)):
            for cls, write in records.items():
                if isinstance(value, cls):
                    return write(value)
            raise ForeignClass(class_of(value), declared)
        for part in steered:
            if isinstance(value, part.classes):
                return part.encode(value)
        return encode_value(value)

    return encode


def _decoder(parts: list[Shape], tag: Any) -> Decoder | None:
    models = [part for part in parts if part.holds is not None]
    by_type: dict[type, Decoder] = {}
    if len(models) > 1 and any(part.decode for part in models):
        by_type[dict] = _by_tag(models, tag)
    for part in parts:
        if part.decode is None or (dict in by_type and part.holds is not None):
            continue
        for kind in part.kinds:
            by_type.update(dict.fromkeys(_READ_AS.get(kind, ()), part.decode))
    if not by_type:
        return None

    def decode(stored: Any) -> Any:
        read = by_type.get(class_of(stored))
        return stored if read is None else read(stored)

    return decode


def _by_tag(models: list[Shape], tag: Any) -> Decoder:
    from boundwork.models.codec import codec_of  # noqa: PLC0415 - codecs are made of shapes

    codecs = [codec_of(part.holds) for part in models if part.holds is not None]
    candidates = [tag] if isinstance(tag, str) else list(codecs[0].tags)
    for name in candidates:
        table: dict[Any, Any] = {}
        count = 0
        for codec in codecs:
            values = codec.tags.get(name, ())
            count += len(values)
            table.update({(codec.stored(name), value): codec for value in values})
        if all(name in codec.tags for codec in codecs) and len(table) == count:
            return _tagged(table)
    names = ", ".join(codec.model.__name__ for codec in codecs)
    raise UnclearType(f"{names} need a common Literal field with different values, so that they can be told apart")


def _tagged(table: dict[Any, Any]) -> Decoder:
    names = {name for name, _ in table}

    def decode(stored: Any) -> Any:
        for name in names:
            value = stored.get(name)
            codec = table.get((name, value)) if isinstance(value, str | int | bool) else None
            if codec is not None:
                return codec.decode(stored)
        return stored

    return decode


def _settler(parts: list[Shape]) -> Settler | None:
    if not any(part.settle for part in parts):
        return None
    lists = next((part.settle for part in parts if part.settle and "array" in part.kinds), None)
    dicts = next((part.settle for part in parts if part.settle and dict in part.classes), None)

    def settle(stored: Any, value: Any) -> None:
        from boundwork.models.codec import codec_of  # noqa: PLC0415 - codecs are made of shapes

        if is_model(value):
            codec_of(type(value)).settle(stored, value)
        elif type(stored) is list and lists is not None:
            lists(stored, value)
        elif is_dict(value) and dicts is not None:
            dicts(stored, value)

    return settle
