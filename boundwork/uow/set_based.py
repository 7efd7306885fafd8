"""Operations on all documents that match: what a unit does around them so that its objects stay true.

Pending changes are flushed, the operation is sent at once and recorded. Documents that the unit has and that match are
looked up by their ids before, and read again after, in place; what is deleted is gone as if the unit had removed it. So
an operation costs one command where the unit has no document of the collection, two where none of them matches, else
three, and sends as many ids as the unit has documents of the collection.

Of such an operation a program learns counts, and the contents of what is read again. A replay compares both, so that the
body would have gone the same way from the newer snapshot: the unit stays repeatable.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from boundwork.errors import BoundworkError, DuplicateKey, NotInUnit
from boundwork.models import Document
from boundwork.models.identity import identity_key
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.uow.changes import Insertion
from boundwork.uow.commands import (
    AS_USUAL,
    BulkResult,
    BulkWrite,
    DeleteMany,
    Find,
    FindAndUpdate,
    InsertOne,
    Options,
    SetBased,
    UpdateMany,
)
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.flush_plan import PlannedBulk, PlannedWrite
from boundwork.uow.flushing import flush
from boundwork.uow.loading import may_reload
from boundwork.uow.owning import stored_for
from boundwork.uow.reporting import public_error, write_error
from boundwork.uow.surrounding import one_of_those
from boundwork.uow.unique_claims import value_at

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])
IDS_AT_ONCE = 20_000
"""So many ids go into one query: 0.5 MB of ObjectIds."""


async def update_all(unit: "Unit", mapper: Mapper[Any], write: UpdateMany) -> BulkResult:
    """Flush, change all documents that match, and bring those of the unit up to date."""
    unit.check()
    await flush(unit)
    matching = await _matching(unit, mapper, write.filter, write.options)
    result = await _send(unit, mapper, write)
    unit.workspace.staged.updated += result.modified
    await _read_again(unit, mapper, matching)
    return result


async def delete_all(unit: "Unit", mapper: Mapper[Any], write: DeleteMany) -> int:
    """Flush, delete all documents that match, and let go of those of the unit."""
    unit.check()
    await flush(unit)
    matching = await _matching(unit, mapper, write.filter, write.options)
    result = await _send(unit, mapper, write)
    unit.workspace.staged.removed += result.deleted
    for document in matching:
        unit.workspace.vanish(mapper_of(type(document)), document, here=True)
    return result.deleted


async def find_and_update(
    unit: "Unit", mapper: Mapper[DocumentT], command: FindAndUpdate, *, before: bool
) -> DocumentT | None:
    """Flush, change one document that matches, and return it; `before` asks for an untracked copy of what it was.

    With a shard key it is looked for first, so that the change names its shard; both are sent as one operation.
    """
    unit.check()
    await flush(unit)
    name, sent = mapper.model.__name__, command
    look = Find(mapper.collection, command.filter, command.sort, limit=1, options=command.options)

    async def work() -> list[bytes]:
        nonlocal sent
        unit.writing = (one_of_those(command),)
        if mapper.fixed is not None and mapper.fixed.shard_key:
            seen = await unit.session.find(look)
            if not seen:
                return []
            sent = _placed(mapper, command, seen)
        return await unit.session.find_and_update(sent)

    found = await unit.send(work, partial(_explain, mapper))
    if found or sent is command:
        unit.workspace.log.changed(sent, found, name)
    else:
        unit.workspace.log.found(look, found, name)
    if not found:
        return None
    return await _changed(unit, mapper, found, before=before)


def _placed(mapper: Mapper[Any], command: FindAndUpdate, seen: list[bytes]) -> FindAndUpdate:
    """Return a command that names the document that was seen: by its id and its shard key."""
    [stored] = mapper.decode(b"".join(seen))
    key = {} if mapper.fixed is None else mapper.fixed.key(partial(value_at, stored))
    return replace(command, filter={"_id": stored["_id"], **key, "$and": [command.filter]})


async def upsert(unit: "Unit", mapper: Mapper[DocumentT], command: FindAndUpdate, document: DocumentT) -> DocumentT:
    """Flush, change one document that matches or else insert this one, and return what is there then.

    With a shard key, only a document of the same key matches. Both are sent as one operation: if a rival inserts first, the unit tries again and finds what the rival committed.
    """
    unit.check()
    if not unit.workspace.is_free(document):
        raise NotInUnit(
            f"upsert was given {type(document).__name__} {document.id!r}, which is in the unit already. Give on_insert a new one.",
        )
    own: Mapper[Any] = mapper_of(type(document))
    own.encode_id(document.id)  # what could be read as a condition is no id
    await flush(unit)
    stored, owner = stored_for(unit, own, document)
    insertion = PlannedBulk(
        own.collection, [PlannedWrite(InsertOne(stored), Insertion(document, own, stored["_id"], stored, None))]
    )
    bulks = [insertion.command()]
    if own.fixed is not None and own.fixed.shard_key:
        key = own.fixed.key(partial(value_at, stored))
        command = replace(command, filter={"$and": [command.filter, key]})
    results: list[BulkResult] = []

    async def work() -> list[bytes]:
        nonlocal results
        unit.writing = (one_of_those(command),)
        found = await unit.session.find_and_update(command)
        results = [] if found else await unit.write(bulks)
        return found

    found = await unit.send(work, partial(_explain, mapper, planned=[insertion]))
    unit.workspace.log.changed(command, found, mapper.model.__name__)
    if found:
        return await _changed(unit, mapper, found, before=False)
    unit.workspace.log.wrote(bulks, results)
    unit.workspace.inserted(own, document, owner)
    return document


async def _changed(unit: "Unit", mapper: Mapper[DocumentT], found: list[bytes], *, before: bool) -> DocumentT:
    """Return the document that was changed; the unit takes it as it was, and then reads it again."""
    work = unit.workspace
    work.staged.updated += 1
    with _doomed_by_errors(unit):
        [stored] = mapper.decode(b"".join(found))
        known = _known(unit, mapper, [identity_key(stored["_id"])])
        if before:
            await _read_again(unit, mapper, known)
            return mapper.load(stored)
        [document] = work.load(mapper, found)
        await _read_again(unit, mapper, [document])
        return document


async def _send(unit: "Unit", mapper: Mapper[Any], write: SetBased) -> BulkResult:
    bulk = BulkWrite(mapper.collection, (write,))
    results = await unit.send(lambda: unit.write([bulk]), partial(_explain, mapper))
    unit.workspace.log.wrote([bulk], results)
    return results[0]


async def _matching(unit: "Unit", mapper: Mapper[Any], condition: Any, options: Options) -> list[Document[Any]]:
    """Return the documents that the unit has and that match."""
    held = {key: mapper_of(type(document)).encode_id(document.id) for key, document in _held(unit, mapper.collection)}
    found: list[Document[Any]] = []
    for some in _portions(held.values()):
        wanted = {"_id": {"$in": some}, **({"$and": [condition]} if condition else {})}
        compared = AS_USUAL if options.collation is None else replace(AS_USUAL, collation=options.collation)
        command = Find(mapper.collection, wanted, projection={"_id": 1}, options=compared)
        batches = await unit.workspace.read(mapper, command)
        found += _known(
            unit, mapper, [identity_key(stored["_id"]) for batch in batches for stored in mapper.decode(batch)]
        )
    return found


async def _read_again(unit: "Unit", mapper: Mapper[Any], documents: Sequence[Document[Any]]) -> None:
    """Give documents of the unit the state that they are stored in now."""
    work = unit.workspace
    ids = [mapper_of(type(document)).encode_id(document.id) for document in documents]
    fresh: dict[Hashable, dict[str, Any]] = {}
    for some in _portions(ids):
        command = Find(mapper.collection, {"_id": {"$in": some}})
        batches = await work.read_by_id(mapper, some, command)
        fresh |= {identity_key(stored["_id"]): stored for batch in batches for stored in mapper.decode(batch)}
    with _doomed_by_errors(unit):
        for document, stored_id in zip(documents, ids, strict=True):
            key = identity_key(stored_id)
            if key not in fresh:
                work.vanish(mapper_of(type(document)), document)
            elif may_reload(work.tracker, document):
                mapper_of(type(document)).reload(document, fresh[key])  # a rollback leads to before the operation
                work.known.keep(mapper.collection, key, document)
            else:  # another task has changed it meanwhile: writing it is guarded
                work.known.keep_earlier(mapper.collection, key, document)


def _held(unit: "Unit", collection: str) -> Iterator[tuple[Hashable, Document[Any]]]:
    return unit.workspace.known.documents(collection)


def _known(unit: "Unit", mapper: Mapper[Any], keys: Iterable[Hashable]) -> list[Document[Any]]:
    known = unit.workspace.known
    found = ((known.current(mapper.collection, key), known.earlier(mapper.collection, key)) for key in keys)
    return [document for pair in found for document in pair if isinstance(document, Document)]


def _portions(ids: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(ids)
    while some := list(islice(rest, IDS_AT_ONCE)):
        yield some


class _doomed_by_errors:  # noqa: N801 - reads as a word: with _doomed_by_errors(unit)
    """Doom the unit if what it changed cannot be read: the program must not commit what it did not see."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, BoundworkError):
            self._unit.doom(error)


def _explain(mapper: Mapper[Any], failure: SessionFailure, planned: list[PlannedBulk] | None = None) -> BoundworkError:
    """Return the error of an operation that failed."""
    if failure.kind is FailureKind.DUPLICATE_KEY and (planned is None or failure.index is None):
        return DuplicateKey.of_changes(mapper.collection, failure.key)
    return public_error(failure) if planned is None else write_error(failure, planned)
