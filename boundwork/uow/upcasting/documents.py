"""One stored document of any version: as one of the present version, and the update that makes the stored one that."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import field
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from boundwork.errors import NewerDocument, UpcastFailed
from boundwork.models.bson_types import MISSING
from boundwork.models.data import data
from boundwork.models.difference import Changed, Update, compare
from boundwork.models.upcasts.lineage import FIRST, Lineage, version_of
from boundwork.models.upcasts.pieces import Stored, Unfit
from boundwork.models.upcasts.upcast import SCHEMA_VERSION
from boundwork.uow.sessions.memory.encoding import CODEC, decode
from boundwork.uow.sessions.memory.updating import compile_update

AS_BSON: Any = CODEC.with_options(document_class=RawBSONDocument)  # Any: it changes the type of what is decoded


@data(frozen=True, slots=True)
class Opened:
    """A document of the present version, without the field of the version; `was` is what is stored of an old one."""

    fields: Stored = field(repr=False)
    was: Stored | None = field(default=None, repr=False)


def opened(collection: str, lineage: Lineage, stored: Stored) -> Opened:
    """Return a stored document as one of the present version. Raises NewerDocument, UpcastFailed.

    Its fields are in the order of their names: an update puts new ones at the end, which must not look like a change to a
    unit that has read the document before.
    """
    version, key = version_of(stored), stored.get("_id")
    if isinstance(version, bool) or not isinstance(version, int | float) or version > lineage.version:
        found = version if isinstance(version, int | float) else type(version).__name__
        raise NewerDocument(collection, key, found, lineage.version)
    plain = {name: value for name, value in stored.items() if name != SCHEMA_VERSION}
    if version == lineage.version:
        return Opened(ordered(plain))
    if version not in lineage.old:
        raise UpcastFailed(collection, key, int(version), "upcasts", "the model has no upcast from this version")
    for upcast in lineage.since(int(version)):
        for piece in upcast.pieces:
            try:
                plain = piece.up(plain)
            except Unfit as unfit:
                raise UpcastFailed(collection, key, int(version), piece.title, str(unfit)) from unfit.__cause__
    return Opened(decode(encoded(ordered(plain))), stored)


def stripped(collection: str, lineage: Lineage, document: bytes) -> bytes:
    """Return a stored document without its version, where the model knows no old ones. Raises as `opened`.

    Where the bytes of the right version are found once, they are those of the field that is there, and are cut out.
    """
    version: Any = RawBSONDocument(document, AS_BSON).get(SCHEMA_VERSION)
    field = b"\x10" + SCHEMA_VERSION.encode() + b"\0" + lineage.version.to_bytes(4, "little")
    if type(version) is int and version == lineage.version and document.count(field) == 1:
        return (len(document) - len(field)).to_bytes(4, "little") + document.replace(field, b"")[4:]
    return encoded(opened(collection, lineage, decode(document)).fields)


def ordered(fields: Stored) -> Stored:
    """Return a document with its `_id` first and the other fields by their names."""
    return {name: fields[name] for name in sorted(fields, key=lambda name: (name != "_id", name))}


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return a document as BSON."""
    return bson.encode(document, codec_options=CODEC)


def update_of(was: Stored, now: Stored, version: int, operators: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the smallest update that makes a stored old document the present one, changed by operators of the unit."""
    if operators is not None:
        now = deepcopy(now)
        compile_update(operators)(now)
    changed = Changed()
    for name in [*was, *(name for name in now if name not in was)]:
        if name != SCHEMA_VERSION:
            compare(name, was.get(name, MISSING), now.get(name, MISSING), changed)
    changed.set[SCHEMA_VERSION] = version
    return Update(changed.set, tuple(changed.unset), changed.push).operators()


def stamped(document: Mapping[str, Any], version: int) -> Mapping[str, Any]:
    """Return a new document with its version, which stands last."""
    if version == FIRST:
        return document
    if isinstance(document, RawBSONDocument):
        raw, more = bytes(document.raw), bson.encode({SCHEMA_VERSION: version})[4:]
        size = (len(raw) - 1 + len(more)).to_bytes(4, "little")
        return RawBSONDocument(size + raw[4:-1] + more, AS_BSON)
    return {**document, SCHEMA_VERSION: version}
