"""How lists, sets, tuples and dicts are written and read back, item by item."""

import collections
from collections.abc import Callable, Mapping
from typing import Any

from boundwork.models.bson_types import (
    HIDDEN,
    MISSING,
    NATIVE,
    CannotStore,
    Encoder,
    encode_each,
    encode_items,
    encode_key,
    encode_value,
    in_order,
)
from boundwork.models.kinds import is_array, is_dict, is_document, is_mapping, is_ordered, is_set, is_tuple
from boundwork.models.shapes import Decoder, Settler, Shape, UnclearType

_ARRAY = frozenset({"array"})
_DOCUMENT = frozenset({"document"})
_ORDERED = (list, tuple, collections.deque)
_UNORDERED = (set, frozenset)


def sequence(item: Shape, kind: Any) -> Shape:
    """Give the shape of a list, deque or tuple of any length."""
    abstract = getattr(kind, "__module__", "") == "collections.abc"
    return Shape(
        encode=_items_encoder(item.encode),
        decode=_items_decoder(item.decode),
        settle=_items_settler(item),
        kinds=_ARRAY,
        classes=_ORDERED if abstract else (kind,),
        converted=kind in {tuple, collections.deque},
        steered=item.steered,
        mutable=item.mutable or kind is not tuple,
        whole=item.whole,
        item=item,
    )


def unordered(item: Shape, kind: Any) -> Shape:
    """Give the shape of a set; its items are stored in order, so that equal sets are stored alike."""
    return Shape(
        encode=lambda value: in_order(encode_each(value, item.encode)) if is_set(value) else encode_value(value),
        decode=_items_decoder(item.decode),
        kinds=_ARRAY,
        classes=(frozenset, set) if kind not in _UNORDERED else (kind,),
        converted=True,
        steered=item.steered,
        mutable=kind is not frozenset or item.mutable,
        whole=True,
    )


def _items_encoder(encode: Encoder) -> Encoder:
    if encode is encode_value:
        return _dynamic_items

    def run(values: Any) -> Any:
        if not is_ordered(values):
            return encode_value(values)
        try:
            return [value if type(value) in NATIVE else encode(value) for value in values]
        except CannotStore as error:
            return encode_each(values, encode, error)

    return run


def _dynamic_items(values: Any) -> Any:
    return encode_items(values) if is_ordered(values) else encode_value(values)


def _items_decoder(decode: Decoder | None) -> Decoder | None:
    if decode is None:
        return None
    return lambda stored: [decode(item) for item in stored] if is_array(stored) else stored


def _items_settler(item: Shape) -> Settler | None:
    if item.settle is None:
        return None
    settle_each = item.settle_each or _one_by_one(item.settle)

    def run(stored: Any, values: Any) -> None:
        if is_array(stored) and is_ordered(values) and len(stored) == len(values):
            settle_each(stored, values)

    return run


def _one_by_one(settle: Settler) -> Settler:
    def run(stored: Any, values: Any) -> None:
        for item, value in zip(stored, values, strict=True):
            settle(item, value)

    return run


def fixed_tuple(items: list[Shape]) -> Shape:
    """Give the shape of a tuple with one annotation for each place."""
    encoders = [item.encode for item in items]
    decoders = [item.decode for item in items]
    settlers = [item.settle for item in items]

    def encode(values: Any) -> Any:
        if not is_tuple(values) or len(values) != len(encoders):
            return encode_value(values)
        stored: list[Any] = []
        for place, value in enumerate(values):
            try:
                stored.append(value if type(value) in NATIVE else encoders[place](value))
            except CannotStore as error:
                raise error.inside(place, values) from None
        return stored

    def decode(stored: Any) -> Any:
        if not is_array(stored) or len(stored) != len(decoders):
            return stored
        return [item if read is None else read(item) for read, item in zip(decoders, stored, strict=True)]

    return Shape(
        encode=encode,
        decode=decode if any(decoders) else None,
        settle=_places_settler(settlers) if any(settlers) else None,
        kinds=_ARRAY,
        classes=(tuple,),
        converted=True,
        steered=any(item.steered for item in items),
        mutable=any(item.mutable for item in items),
        whole=any(item.whole for item in items),
    )


def _places_settler(settlers: list[Settler | None]) -> Settler:
    def run(stored: Any, values: Any) -> None:
        if stored.__class__ is list and is_tuple(values) and len(stored) == len(values) == len(settlers):
            for finish, item, value in zip(settlers, stored, values, strict=True):
                if finish is not None:
                    finish(item, value)

    return run


def mapping(key: Shape, value: Shape, kind: Any) -> Shape:
    """Give the shape of a dict; keys are stored as text and read back by their annotation."""
    _check_keys(key)
    return Shape(
        encode=_mapping_encoder(value.encode),
        decode=_mapping_decoder(_key_reader(key), value.decode),
        settle=_mapping_settler(value.settle),
        kinds=_DOCUMENT,
        classes=(dict,) if isinstance(kind, type) and issubclass(kind, dict) else (Mapping,),
        steered=value.steered,
        mutable=True,
        whole=value.whole,
        item=value,
    )


def _check_keys(key: Shape) -> None:
    if len(key.classes) > 1 and str in key.classes and not set(key.classes) <= {str}:
        raise UnclearType("the keys are stored as text, so keys of several types cannot be told apart; use one type")


def _key_reader(key: Shape) -> Decoder | None:
    """Find what turns the text of a key back, where the validator cannot: the values of an Enum that are not text."""
    from enum import Enum  # noqa: PLC0415 - kept beside its only use

    members = [member for cls in key.classes if issubclass(cls, Enum) for member in cls]
    if not members or all(isinstance(member.value, str) for member in members):
        return None
    by_text: dict[str, Enum] = {}
    for member in members:
        try:
            other = by_text.setdefault(encode_key(member), member)
        except CannotStore as error:
            raise UnclearType(f"{type(member).__name__}.{member.name} cannot be a key: {error.problem}") from None
        if other is not member:
            raise UnclearType(
                f"the keys are stored as text, and {other.name} and {member.name} of {type(member).__name__} as the "
                "same; give them other values"
            )
    return lambda text: by_text.get(text, text)


def _mapping_encoder(encode: Encoder) -> Encoder:
    def run(values: Any) -> Any:
        if not is_mapping(values):
            return encode_value(values)
        stored: dict[str, Any] = {}
        for key, value in values.items():
            name = encode_key(key)
            try:
                stored[name] = value if type(value) in NATIVE else encode(value)
            except CannotStore as error:
                raise error.inside(HIDDEN, values) from None
        if len(stored) != len(values):
            raise CannotStore("two keys are stored as the same text")
        return stored

    return run


def _mapping_decoder(key: Decoder | None, value: Decoder | None) -> Decoder | None:
    if key is None and value is None:
        return None
    read_key: Callable[[Any], Any] = key or _unchanged
    read_value: Callable[[Any], Any] = value or _unchanged

    def run(stored: Any) -> Any:
        if not is_document(stored):
            return stored
        return {read_key(name): read_value(item) for name, item in stored.items()}

    return run


def _unchanged(value: Any) -> Any:
    return value


def _mapping_settler(settle: Settler | None) -> Settler | None:
    if settle is None:
        return None

    def run(stored: Any, values: Any) -> None:
        if stored.__class__ is dict and is_dict(values):
            for name, value in values.items():
                item = stored.get(name, MISSING)
                if item is not MISSING:
                    settle(item, value)

    return run
