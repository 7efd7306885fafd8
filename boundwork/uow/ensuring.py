"""How declared collections come into being: what is missing is made, what is there is compared.

Written once for both colours; it awaits only `StructureSession`. Others may do the same at the same time: a collection
that somebody else has made meanwhile is compared like any other, and the server makes equal indexes once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from boundwork.errors import BoundworkError, SchemaNotEnsured, ServerUnavailable
from boundwork.models.structure.changes import changes
from boundwork.models.structure.comparison import Comparison, Difference, compare
from boundwork.models.structure.declared import DeclaredCollection, DeclaredIndex, FoundCollection
from boundwork.models.structure.found import found_collection
from boundwork.uow.declarations_refused import what_it_said
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.schema_report import SchemaReport

NAMESPACE_EXISTS = 48
DUPLICATES = 11000
_UNREACHED = {FailureKind.UNREACHABLE, FailureKind.LOGIN, FailureKind.NETWORK}


class StructureSession(Protocol):
    """What asks a database about its structure, outside of any transaction; raises only `SessionFailure`."""

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send one command and return the reply."""
        ...

    def kept(self, declared: DeclaredCollection) -> tuple[DeclaredCollection, tuple[str, ...]]:
        """Return the part of a declared collection that this database keeps, and the paths of the rest."""
        ...


async def ensure(session: StructureSession, declared: Sequence[DeclaredCollection], *, update: bool) -> SchemaReport:
    """Make what is missing, compare what is there, and with `update` mend what can be mended in place."""
    wanted = [session.kept(collection) for collection in declared]
    work = _Work(session)
    found = await work.found([collection.name for collection, _ in wanted])
    for collection, _ in wanted:
        await work.ensure(collection, found.get(collection.name), update=update)
    return SchemaReport(
        created=tuple(work.created),
        updated=tuple(work.updated),
        differing=tuple(work.differing),
        not_expressed=tuple(note for collection in declared for note in collection.not_expressed),
        not_kept=tuple(path for _, paths in wanted for path in paths),
    )


class _Work:
    """One run: what was done so far."""

    def __init__(self, session: StructureSession) -> None:
        self.session = session
        self.created: list[str] = []
        self.updated: list[Difference] = []
        self.differing: list[Difference] = []

    async def found(self, names: Sequence[str]) -> dict[str, FoundCollection]:
        listed = await self._all({"listCollections": 1, "filter": {"name": {"$in": list(names)}}})
        return {entry["name"]: await self._with_indexes(entry) for entry in listed}

    async def _with_indexes(self, listed: Mapping[str, Any]) -> FoundCollection:
        is_view = listed.get("type") == "view"
        indexes = [] if is_view else await self._all({"listIndexes": listed["name"]})
        return found_collection(listed, indexes)

    async def _all(self, command: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        name = next(iter(command))
        collection = command[name] if name == "listIndexes" else "$cmd.listCollections"
        cursor: Any = (await self._send(command))["cursor"]
        entries = list(cursor["firstBatch"])
        while cursor["id"]:
            cursor = (await self._send({"getMore": cursor["id"], "collection": collection}))["cursor"]
            entries += cursor["nextBatch"]
        return entries

    async def ensure(self, declared: DeclaredCollection, found: FoundCollection | None, *, update: bool) -> None:
        if found is None and await self._create(declared):
            await self._create_indexes(declared.name, declared.indexes)
            return
        if found is None:
            found = (await self.found([declared.name]))[declared.name]
        comparison = compare(declared, found)
        await self._create_indexes(declared.name, comparison.missing)
        if update and await self._change(declared, comparison):
            found = (await self.found([declared.name]))[declared.name]
            left = compare(declared, found).differing
            self.updated += [one for one in comparison.differing if one not in left]
            self.differing += left
        else:
            self.differing += comparison.differing

    async def _change(self, declared: DeclaredCollection, comparison: Comparison) -> bool:
        """Mend what can be mended in place and tell whether there was anything; not every server does what it says."""
        mending = changes(declared, comparison.differing)
        for change in mending:
            await self._send(change.command, declared.name, {one.index for one in change.ends})
        return bool(mending)

    async def _create(self, declared: DeclaredCollection) -> bool:
        """Create a collection; False if somebody else has just done so."""
        try:
            await self._send({"create": declared.name, **declared.options.arguments()}, declared.name)
        except SchemaNotEnsured as error:
            if error.code == NAMESPACE_EXISTS:
                return False
            raise
        self.created.append(declared.name)
        return True

    async def _create_indexes(self, collection: str, indexes: Sequence[DeclaredIndex]) -> None:
        if indexes:
            command = {"createIndexes": collection, "indexes": [index.specification() for index in indexes]}
            await self._send(command, collection, [index.name for index in indexes])
            self.created += [f"{collection}.indexes.{index.name}" for index in indexes]

    async def _send(
        self, command: Mapping[str, Any], collection: str | None = None, indexes: Iterable[str | None] = ()
    ) -> Mapping[str, Any]:
        try:
            return await self.session.command(command)
        except SessionFailure as failure:
            named = tuple(sorted(name for name in indexes if name is not None))
            raise _explained(failure, next(iter(command)), collection, named) from failure.__cause__


def _explained(failure: SessionFailure, word: str, collection: str | None, indexes: tuple[str, ...]) -> BoundworkError:
    code = "" if failure.code is None else f" (code {failure.code})"
    if failure.kind in _UNREACHED:
        return ServerUnavailable(f"{failure.kind.value.capitalize()}{code}. Check the server and call again.")
    what = f"{word} on collection {collection!r}" if collection else word
    about = f" for index {', '.join(indexes)}" if indexes else ""
    why = f": {failure.detail['text']}" if "text" in failure.detail else ""
    advice = what_it_said(failure)
    if failure.code == DUPLICATES:
        fields = ", ".join(failure.key) or "the fields of the index"
        advice = f"Documents there have the same values of ({fields}). Make them differ first."
    text = f"The server refused {what}{about}{code}{why}. {advice} What was made before stays."
    return SchemaNotEnsured(text, collection=collection, indexes=indexes, code=failure.code)
