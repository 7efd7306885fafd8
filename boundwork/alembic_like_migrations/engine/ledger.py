"""Where each revision stands: one document for each, with a record for every step and direction.

A revision counts as applied from the end of its last step up to the end of its last step down, so a downgrade that
failed leaves it applied, and begun. One that a squash replaces is history: it stays, and does not count. Every change of
a record is made in a transaction that touches the fence.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, Self

from boundwork.alembic_like_migrations.engine.server import LEDGER, Server
from boundwork.alembic_like_migrations.steps.step import Kind, Step
from boundwork.uow.port import BoundSession

Direction = Literal["up", "down"]
Part = Literal["up", "down", "finish"]
"""Which steps of a revision: `finish` are those that bring what a lazy one has left."""
State = Literal["upgrading", "applied", "downgrading"]
StepState = Literal["pending", "running", "done", "failed"]
BEGUN: dict[Direction, State] = {"up": "upgrading", "down": "downgrading"}


@dataclass(frozen=True, slots=True)
class StepRecord:
    """How far one step came: `after` is the last id that was worked on, in a list of one, empty before the first."""

    title: str
    kind: Kind
    state: StepState = "pending"
    after: Sequence[Any] = ()
    seen: int = 0
    changed: int = 0
    error: str | None = None
    about: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, step: Step, about: Mapping[str, Any] | None = None) -> Self:
        """Return the record of a step that was not begun; `about` is what else is kept of it."""
        return cls(step.title, step.kind, about=about)

    @property
    def touched(self) -> bool:
        """Tell whether the step may have changed anything."""
        return self.state == "done" or self.seen > 0 or (self.kind == "structure" and self.state != "pending")

    def stored(self) -> dict[str, Any]:
        """Return what is stored."""
        known = {"title": self.title, "kind": self.kind, "state": self.state, "after": list(self.after)}
        about = {} if self.about is None else {"about": dict(self.about)}
        return {**known, "seen": self.seen, "changed": self.changed, "error": self.error, **about}


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a revision.

    `made` are collections that were not there before it put something into them; `pruned` says that what its steps
    remembered of documents was given up.
    """

    revision: str
    state: State
    checksum: str
    up: tuple[StepRecord, ...] = ()
    down: tuple[StepRecord, ...] = ()
    stamped: bool = False
    epoch: int = 0
    replaced_by: str | None = None
    finish: tuple[StepRecord, ...] = ()
    made: tuple[str, ...] = ()
    pruned: bool = False

    @property
    def direction(self) -> Direction | None:
        """Which way the revision is going; None if it is not."""
        return next((way for way, state in BEGUN.items() if state == self.state), None)

    @property
    def applied(self) -> bool:
        """Tell whether the revision counts as applied."""
        return self.state != "upgrading" and self.replaced_by is None

    def steps(self, direction: Direction) -> tuple[StepRecord, ...]:
        """Return the records of the steps of a direction."""
        return self.up if direction == "up" else self.down

    def with_steps(self, direction: Direction, steps: tuple[StepRecord, ...]) -> "Record":
        """Return the record with other steps in a direction."""
        return replace(self, up=steps) if direction == "up" else replace(self, down=steps)


def read_record(stored: Mapping[str, Any]) -> Record:
    """Return the record that a document of the ledger holds."""
    return Record(
        revision=stored["revision"],
        state=stored["state"],
        checksum=stored["checksum"],
        up=_steps(stored["up"]),
        down=_steps(stored["down"]),
        stamped=stored["stamped"],
        epoch=stored["epoch"],
        replaced_by=stored.get("replaced_by"),
        finish=_steps(stored.get("finish", ())),
        made=tuple(stored.get("made", ())),
        pruned=stored.get("pruned", False),
    )


def _steps(stored: Sequence[Mapping[str, Any]]) -> tuple[StepRecord, ...]:
    return tuple(StepRecord(**one) for one in stored)


async def read(server: Server) -> dict[str, Record]:
    """Return what is stored of all revisions, by id; no failover takes it back."""
    lasting = {"readConcern": {"level": "majority"}}
    found = await server.all({"find": LEDGER, "filter": {"revision": {"$exists": True}}, **lasting})
    records = [read_record(stored) for stored in found]
    return {record.revision: record for record in records}


class Ledger:
    """The records, changed only by the holder of the lease."""

    def __init__(self, server: Server) -> None:
        """Keep the records in the database of a server."""
        self._server = server

    async def put(self, *records: Record, without: Collection[str] = ()) -> None:
        """Store the records of revisions and forget others, all or nothing."""

        async def store(session: BoundSession) -> None:
            for record in records:
                await session.command(_replacement(record, self._server.epoch))
            for revision in without:
                statement = {"q": {"_id": _key(revision)}, "limit": 1}
                await session.command({"delete": LEDGER, "deletes": [statement]})

        await self._server.fenced(store)

    async def remove(self, revision: str) -> None:
        """Forget a revision, and what it replaced: it is not applied."""

        async def forget(session: BoundSession) -> None:
            mine = {"$or": [{"_id": _key(revision)}, {"replaced_by": revision}]}
            await session.command({"delete": LEDGER, "deletes": [{"q": mine, "limit": 0}]})

        await self._server.fenced(forget)

    async def note(self, place: "Place", record: StepRecord) -> None:
        """Store the record of a step."""

        async def store(session: BoundSession) -> None:
            await write_step(session, place, record)

        await self._server.fenced(store)

    async def applied(self, revision: str) -> None:
        """Note that all steps of a revision are done: from now on it is applied."""

        async def store(session: BoundSession) -> None:
            change: dict[str, Any] = {"$set": {"state": "applied", "down": [], "epoch": self._server.epoch}}
            await session.command({"update": LEDGER, "updates": [{"q": {"_id": _key(revision)}, "u": change}]})

        await self._server.fenced(store)

    async def making(self, revision: str, collections: Sequence[str]) -> None:
        """Note that collections come into being by a revision."""

        async def store(session: BoundSession) -> None:
            change = {"$addToSet": {"made": {"$each": list(collections)}}}
            await session.command({"update": LEDGER, "updates": [{"q": {"_id": _key(revision)}, "u": change}]})

        await self._server.fenced(store)

    async def prune(self, revisions: Sequence[str]) -> None:
        """Note that what the steps of revisions remembered is given up."""

        async def store(session: BoundSession) -> None:
            which = {"_id": {"$in": [_key(one) for one in revisions]}}
            statement = {"q": which, "u": {"$set": {"pruned": True}}, "multi": True}
            await session.command({"update": LEDGER, "updates": [statement]})

        await self._server.fenced(store)

    async def failed(self, place: "Place", error: str) -> None:
        """Note that a step failed, and leave where it stands."""

        async def store(session: BoundSession) -> None:
            path = f"{place.direction}.{place.number}"
            change = {"$set": {f"{path}.state": "failed", f"{path}.error": error, "epoch": place.epoch}}
            await session.command({"update": LEDGER, "updates": [{"q": {"_id": _key(place.revision)}, "u": change}]})

        await self._server.fenced(store)


@dataclass(frozen=True, slots=True)
class Place:
    """Which step of which revision, in which direction; `epoch` is that of who carries it out."""

    revision: str
    direction: Part
    number: int
    epoch: int


class Commanding(Protocol):
    """What sends commands: a session in its transaction, or a server outside of one."""

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a command and return the reply."""
        ...


async def read_step(session: Commanding, place: Place) -> StepRecord:
    """Return the record of a step, in a transaction as that one sees it."""
    reply = await session.command({"find": LEDGER, "filter": {"_id": _key(place.revision)}, "limit": 1})
    stored = reply["cursor"]["firstBatch"][0]
    return StepRecord(**stored[place.direction][place.number])


async def write_step(session: BoundSession, place: Place, record: StepRecord) -> None:
    """Store the record of a step in the transaction of a session."""
    change = {"$set": {f"{place.direction}.{place.number}": record.stored(), "epoch": place.epoch}}
    await session.command({"update": LEDGER, "updates": [{"q": {"_id": _key(place.revision)}, "u": change}]})


def _replacement(record: Record, epoch: int) -> dict[str, Any]:
    document = {
        "_id": _key(record.revision),
        "revision": record.revision,
        "state": record.state,
        "checksum": record.checksum,
        "up": [step.stored() for step in record.up],
        "down": [step.stored() for step in record.down],
        "stamped": record.stamped,
        "epoch": epoch,
        **({"finish": [step.stored() for step in record.finish]} if record.finish else {}),
        **({"made": list(record.made)} if record.made else {}),
        **({"pruned": True} if record.pruned else {}),
    }
    if record.replaced_by is not None:
        document["replaced_by"] = record.replaced_by
    return {"update": LEDGER, "updates": [{"q": {"_id": document["_id"]}, "u": document, "upsert": True}]}


def _key(revision: str) -> str:
    return f"revision {revision}"
