"""Where a page begins, as an opaque text that may go round through a client.

A token carries the values of the sort fields, the direction, and a mark of the sort that it belongs to. It is checked
as a stranger's: length, alphabet, structure, mark, and the type of each value, so that a value stays a value. With a key
it is signed, and only what was signed with that key is taken.
"""

import base64
import hmac
import re
import struct
from collections.abc import Sequence
from dataclasses import field
from hashlib import blake2b
from typing import Any, Final

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from boundwork.errors import InvalidPageToken
from boundwork.models.bson_types import CODEC_OPTIONS
from boundwork.models.data import data
from boundwork.repositories.keyset import Order, is_position

MOST_CHARACTERS: Final = 8192
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]+")
_VERSION: Final = 1
_SIGNATURE_BYTES: Final = 16
_UNSIGNED: Final = b"\0"
_SIGNED: Final = b"\1"
_BROKEN: Final = (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, struct.error, BSONError)
"""What decoders raise for bytes that are no document."""
_RAW: Any = CODEC_OPTIONS.with_options(document_class=RawBSONDocument)


@data(frozen=True, slots=True)
class Position:
    """A place in a sort and the way from there: `back` is against the sort, `inclusive` takes the place itself along."""

    values: tuple[Any, ...] = field(repr=False)
    back: bool = False
    inclusive: bool = False


def mark_of(collection: str, order: Order) -> bytes:
    """Return what tells the sort of one collection from others."""
    summary = blake2b(collection.encode(), digest_size=8)
    for path, direction in order:
        summary.update(f"\0{path}\0{direction}".encode())
    return summary.digest()


def written(position: Position, mark: bytes, key: bytes | None) -> str:
    """Return a position as a token; ValueError if its values are too long for one."""
    body = _encoded(position, mark)
    signed = _UNSIGNED + body if key is None else _SIGNED + _signature(body, key) + body
    token = base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
    if len(token) > MOST_CHARACTERS:
        raise ValueError("The values of the sort fields are too long for a page token. Sort by a shorter field.")
    return token


def read(token: object, mark: bytes, fields: int, key: bytes | None) -> Position:
    """Return the position that a token names; InvalidPageToken unless it was made for this sort, with this key."""
    try:
        position = _read(token, mark, fields, key)
    except _BROKEN:
        position = None
    if position is None:
        raise InvalidPageToken from None  # what was wrong with it may quote it
    return position


def _read(token: object, mark: bytes, fields: int, key: bytes | None) -> Position | None:
    if not isinstance(token, str) or len(token) > MOST_CHARACTERS or not _ALPHABET.fullmatch(token):
        return None
    signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    body = _body(signed, key)
    if body is None:
        return None
    parts = dict(RawBSONDocument(body, _RAW).items())
    names = [f"k{number}" for number in range(fields)]
    if list(parts) != ["v", "q", "b", "i", *names] or parts["v"] != _VERSION or parts["q"] != mark:
        return None
    values = tuple(parts[name] for name in names)
    back, inclusive = parts["b"], parts["i"]
    if not isinstance(back, bool) or not isinstance(inclusive, bool) or not all(map(is_position, values)):
        return None
    position = Position(values, back, inclusive)
    # One position has one token: no second spelling of it is taken.
    return position if hmac.compare_digest(written(position, mark, key), token) else None


def _encoded(position: Position, mark: bytes) -> bytes:
    named = {f"k{number}": value for number, value in enumerate(position.values)}
    fields: dict[str, Any] = {"v": _VERSION, "q": mark, "b": position.back, "i": position.inclusive, **named}
    return bson.encode(fields, codec_options=CODEC_OPTIONS)


def _body(signed: bytes, key: bytes | None) -> bytes | None:
    if key is None:
        return signed[1:] if signed[:1] == _UNSIGNED else None
    signature, body = signed[1 : 1 + _SIGNATURE_BYTES], signed[1 + _SIGNATURE_BYTES :]
    genuine = signed[:1] == _SIGNED and hmac.compare_digest(signature, _signature(body, key))
    return body if genuine else None


def _signature(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_SIGNATURE_BYTES]


def key_of(key: object) -> bytes | None:
    """Return a key as bytes; ValueError for an empty one, TypeError for a number, of which `bytes` makes zeros."""
    if key is None:
        return None
    if not isinstance(key, bytes | str):
        raise TypeError(f"page: a key is bytes or a str, not {type(key).__name__}.")
    secret = key.encode() if isinstance(key, str) else key
    if not secret:
        raise ValueError("page: the key is empty. Give a secret of your own, or None for tokens without a signature.")
    return secret


def in_reverse(order: Order) -> Sequence[tuple[str, int]]:
    """Return the order against a sort."""
    return tuple((path, -direction) for path, direction in order)
