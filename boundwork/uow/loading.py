"""How replies become documents: one object for each identity.

An object that the present transaction knows is returned as it is, one of an earlier transaction is refreshed in
place, and what is new is made. A result of which nothing is known goes the short way.
"""

from collections.abc import Collection, Hashable
from typing import Any, TypeVar

from boundwork.errors import WrongModel
from boundwork.models import Document
from boundwork.models.discriminators import are_siblings
from boundwork.models.hydration import hydration_pause
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper
from boundwork.models.tracking import Tracker
from boundwork.uow.batches import divided
from boundwork.uow.identity_map import IdentityMap, Known

FEW = 16_384
"""Bytes of a reply below which pausing the collector costs more than it saves."""
PART = 65_536
"""Bytes of a reply that are decoded at once: what one part leaves is still in the processor's cache for the next."""
DocumentT = TypeVar("DocumentT", bound=Document[Any])


def load(  # noqa: PLR0913 - the parts of one unit
    mapper: Mapper[DocumentT],
    batches: list[bytes],
    known: IdentityMap,
    tracker: Tracker,
    leaving: Collection[Hashable] = (),
    *,
    written: bool = False,
) -> list[DocumentT]:
    """Return the documents of a reply, tracked and known; those that are `leaving` are left out.

    `written` says that they may hold what the transaction has written by itself: of documents that the unit had before, a
    rollback leads back to that.
    """
    if len(batches) == 1 and len(batches[0]) < FEW:
        return _load_some(mapper, batches[0], known, tracker, leaving, written=written)
    documents: list[DocumentT] = []
    is_new = known.is_empty(mapper.collection)  # a snapshot gives no document twice
    with hydration_pause():
        for part in (part for batch in batches for part in divided(batch, PART)):
            if is_new:
                documents += _load_new(mapper, part, known, tracker)
            else:
                documents += _load_some(mapper, part, known, tracker, leaving, written=written)
    return documents


def asked_by_id(mapper: Mapper[DocumentT], known: Known | None) -> DocumentT | None:
    """Return what is known of an id as a model; None if it is removed, softly too, or a sibling in the model's family.

    That is what a server would say, which is asked with the condition of the model.
    """
    if isinstance(known, mapper.model):
        return None if mapper.is_scoped and mapper.is_removed(known) else known
    if not isinstance(known, Document) or are_siblings(mapper.model, type(known)):
        return None
    return as_model(mapper, known)


def as_model(mapper: Mapper[DocumentT], document: Document[Any]) -> DocumentT:
    """Return a known document as a model; WrongModel if it is of an unrelated one."""
    if not isinstance(document, mapper.model):
        raise WrongModel(
            f"Document {document.id!r} of collection {mapper.collection!r} is in the unit as "
            f"{type(document).__name__} and was asked for as {mapper.model.__name__}. Ask for it as one of the two.",
        )
    return document


def key_of(mapper: Mapper[Any], document_id: object) -> Hashable:
    """Return the identity that an id stands for."""
    return identity_key(mapper.encode_id(document_id))


def may_reload(tracker: Tracker, document: Document[Any]) -> bool:
    """Tell whether reading a document again would lose no change of the program."""
    changes = tracker.changes_of(document)
    return changes is None or changes.update() is None


def _load_new(mapper: Mapper[DocumentT], batch: bytes, known: IdentityMap, tracker: Tracker) -> list[DocumentT]:
    stored = mapper.decode(batch)
    keys = [identity_key(document["_id"]) for document in stored]
    documents = mapper.load_all(stored)
    mapper.attach(documents, tracker)
    known.keep_all(mapper.collection, keys, documents)
    return documents


def _load_some(  # noqa: PLR0913 - the parts of one unit
    mapper: Mapper[DocumentT],
    batch: bytes,
    known: IdentityMap,
    tracker: Tracker,
    leaving: Collection[Hashable],
    *,
    written: bool,
) -> list[DocumentT]:
    documents: list[DocumentT] = []
    for stored in mapper.decode(batch):
        key = identity_key(stored["_id"])
        if key in leaving:
            continue
        current = known.current(mapper.collection, key)
        if isinstance(current, Document):
            documents.append(as_model(mapper, current))
            continue
        earlier = known.earlier(mapper.collection, key)
        if earlier is None:
            document = mapper.load(stored)
            mapper.attach_one(document, tracker)
        else:
            document = as_model(mapper, earlier)
            if not may_reload(tracker, document):
                documents.append(document)
                continue
            mapper.reload(document, stored, as_loaded=not written)
        known.keep(mapper.collection, key, document)
        documents.append(document)
    return documents
