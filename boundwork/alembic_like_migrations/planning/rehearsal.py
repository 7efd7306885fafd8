"""A rehearsal: revisions run up and down on some real documents in a scratch database, and what came back is compared.

The scratch database has the collections of the real one, with their options, indexes and some raw documents each, and
its ledger. Nothing of the real database is written. It is dropped at the end; one that a crash left is emptied by the
next rehearsal, and its lease keeps two rehearsals apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bson import encode
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine import ledger
from boundwork.alembic_like_migrations.engine.errors import StepFailed
from boundwork.alembic_like_migrations.engine.ledger import Ledger, Record
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.engine.runner import Runner
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import shown
from boundwork.alembic_like_migrations.planning.copying import Contents, copy_into, empty, read_contents
from boundwork.alembic_like_migrations.steps.documents import EXACT
from boundwork.models.kinds import is_array, is_mapping

Mode = Literal["bytes", "any-order"]
NAMED = 20
"""How many ids are named of one collection."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """What of a collection did not come back as it was: ids of documents, and names of indexes and options."""

    collection: str
    documents: tuple[Any, ...] = ()
    number: int = 0
    structure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a rehearsal went; `irreversible` are revisions that have no way back and ended the way up."""

    revisions: tuple[str, ...]
    documents: int
    mode: Mode
    unlike: tuple[Unlike, ...] = ()
    irreversible: tuple[str, ...] = field(default=())

    @property
    def same(self) -> bool:
        """Tell whether everything came back."""
        return not self.unlike and not self.irreversible

    def as_object(self) -> dict[str, Any]:
        """Return all of it for JSON; ids as they are shown."""
        told = asdict(self)
        for one in told["unlike"]:
            one["documents"] = [shown(value) for value in one["documents"]]
        return {**told, "same": self.same}


@dataclass(frozen=True, slots=True)
class Terms:
    """How a rehearsal compares, and with about how many documents of each collection."""

    mode: Mode = "bytes"
    most: int = 1000


async def rehearse(
    source: Server, runner: Runner, programs: Sequence[Program], records: Mapping[str, Record], terms: Terms
) -> Rehearsal:
    """Run revisions up and down in the database of a runner, which is emptied first, with documents of a source."""
    scratch = runner.server
    await empty(scratch)
    await copy_into(source, scratch, programs, terms.most)
    await Ledger(scratch).put(*records.values())
    before = await read_contents(scratch)
    stopping = next((number for number, one in enumerate(programs) if one.down is None), len(programs))
    await _there_and_back(runner, programs[:stopping])
    unlike = compared(before, await read_contents(scratch), terms.mode)
    number = sum(len(one.documents) for one in before.values())
    names = tuple(one.revision.revision for one in programs)
    return Rehearsal(names[:stopping], number, terms.mode, unlike, names[stopping : stopping + 1])


async def _there_and_back(runner: Runner, programs: Sequence[Program]) -> None:
    """Run revisions up and down; what fails says that it was a rehearsal, since there is nothing to resume."""
    try:
        for program in programs:
            await runner.run(program, "up", None)
        for program in reversed(programs):
            await runner.run(program, "down", (await ledger.read(runner.server))[program.revision.revision])
    except StepFailed as failure:
        raise StepFailed(
            failure.revision, failure.direction, failure.step, failure.why, rehearsed=True
        ) from failure.__cause__


def compared(before: Mapping[str, Contents], after: Mapping[str, Contents], mode: Mode) -> tuple[Unlike, ...]:
    """Return what differs, by collection."""
    found: list[Unlike] = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            found.append(Unlike(name, structure=("it is there only afterwards" if was is None else "it is gone",)))
            continue
        ids = _differing(was.documents, now.documents, mode)
        parts = sorted(
            part
            for part in was.structure.keys() | now.structure.keys()
            if was.structure.get(part) != now.structure.get(part)
        )
        if ids or parts:
            found.append(Unlike(name, tuple(ids[:NAMED]), len(ids), tuple(parts)))
    return tuple(found)


def _differing(was: Mapping[bytes, bytes], now: Mapping[bytes, bytes], mode: Mode) -> list[Any]:
    keys = [key for key in sorted(was.keys() | now.keys()) if not _same(was.get(key), now.get(key), mode)]
    return [RawBSONDocument(key, EXACT)["_id"] for key in keys]


def _same(was: bytes | None, now: bytes | None, mode: Mode) -> bool:
    if was == now or was is None or now is None or mode == "bytes":
        return was == now
    before, after = _sorted(RawBSONDocument(was, EXACT)), _sorted(RawBSONDocument(now, EXACT))
    return bool(before == after)


def _sorted(value: Any) -> Any:
    """Return a value in a form that does not know the order of fields, but still the types of what they hold."""
    if is_mapping(value):
        return "document", tuple(sorted((name, _sorted(inner)) for name, inner in value.items()))
    if is_array(value):
        return "array", tuple(map(_sorted, value))
    return "value", encode({"": value}, codec_options=EXACT)
