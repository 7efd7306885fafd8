"""A session that answers as a script says: the port of the unit of work, written by hand."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from boundwork.uow.commands import (
    Aggregate,
    BulkResult,
    BulkWrite,
    Count,
    DeleteOne,
    Distinct,
    Find,
    FindAndUpdate,
    InsertOne,
    UniqueKey,
    UpdateOne,
)
from boundwork.uow.escapes import EscapedWrite
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.port import Batches
from boundwork.uow.settings import Settings
from boundwork.uow.unit import Unit

TRANSIENT = frozenset({"TransientTransactionError"})
UNKNOWN = frozenset({"UnknownTransactionCommitResult"})


class NoBatches:
    """A stream of nothing."""

    async def next(self) -> bytes | None:
        return None

    async def close(self) -> None:
        """Nothing is held."""


class ScriptedSession:
    """Notes every call; a call whose name has failures left raises the next of them."""

    def __init__(self, **failures: Sequence[BaseException]) -> None:
        self.calls: list[str] = []
        self.keys: tuple[UniqueKey, ...] = ()
        self.commands = 0
        self.escaped: EscapedWrite | None = None
        self.database: Any = "the database"
        self._failures = {name: list(errors) for name, errors in failures.items()}

    async def open(self) -> None:
        self._note("open")

    async def find(self, command: Find) -> list[bytes]:
        self._note("find")
        assert command.collection
        return []

    async def count(self, command: Count) -> int:
        self._note("count")
        assert command.collection
        return 0

    async def distinct(self, command: Distinct) -> list[bytes]:
        self._note("distinct")
        assert command.collection
        return []

    async def aggregate(self, command: Aggregate) -> list[bytes]:
        self._note("aggregate")
        assert command.collection
        return []

    async def stream(self, command: Find, batch_size: int) -> Batches:
        self._note("stream")
        assert command.collection
        assert batch_size
        return NoBatches()

    async def explain(self, command: Find, verbosity: str) -> dict[str, Any]:
        self._note("explain")
        assert command.collection
        return {"verbosity": verbosity}

    async def write(self, bulks: Sequence[BulkWrite]) -> list[BulkResult]:
        self._note("write")
        return [_reached(bulk) for bulk in bulks]

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        self._note(next(iter(command)))
        return {}

    async def find_and_update(self, command: FindAndUpdate) -> list[bytes]:
        self._note("find_and_update")
        assert command.collection
        return []

    async def unique_keys(self, collection: str) -> tuple[UniqueKey, ...]:
        self._note("unique_keys")
        assert collection
        return self.keys

    async def find_aside(self, command: Find, seconds: float) -> list[bytes]:
        self._note("find_aside")
        assert command.collection
        assert seconds
        return []

    async def create_aside(self, collection: str) -> None:
        self._note(f"create_aside {collection}")

    async def insert_aside(self, collection: str, document: dict[str, Any], seconds: float) -> None:
        self._note("insert_aside")
        assert collection
        assert document
        assert seconds

    async def commit(self) -> None:
        self._note("commit")

    async def probe(self) -> None:
        self._note("probe")

    async def abort(self) -> None:
        self._note("abort")

    foreign = False
    operation_time = None

    def take_escaped(self) -> EscapedWrite | None:
        escaped, self.escaped = self.escaped, None
        return escaped

    async def outlast(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await work()

    async def pause(self, seconds: float) -> None:
        del seconds

    async def bind(self) -> None:
        self._note("bind")

    async def overtake(self) -> None:
        self._note("overtake")

    def may_repeat(self, error: BaseException | None) -> bool:
        del error
        return False

    async def begin(self) -> None:
        self._note("begin")

    async def unbind(self) -> bool:
        self._note("unbind")
        return True

    async def close(self) -> None:
        self._note("close")

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self._failures.get(call):
            raise self._failures[call].pop(0)


def _reached(bulk: BulkWrite) -> BulkResult:
    kinds = [type(write) for write in bulk.writes]
    updates = kinds.count(UpdateOne)
    return BulkResult(kinds.count(InsertOne), updates, updates, kinds.count(DeleteOne))


def failure(
    kind: FailureKind = FailureKind.SERVER,
    code: int | None = None,
    labels: frozenset[str] = frozenset(),
    *,
    write_concern: bool = False,
) -> SessionFailure:
    return SessionFailure(kind, code=code, labels=labels, write_concern=write_concern)


def unit_on(
    session: ScriptedSession, *, seconds: float = 30.0, replay_seconds: float = 0.0, handover: bool = False
) -> Unit:
    return Unit("Shop", session, Settings(commit_seconds=seconds, replay_seconds=replay_seconds), handover=handover)
