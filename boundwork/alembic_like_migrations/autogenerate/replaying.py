"""What revisions make of an empty database: their structure steps, carried out in a scratch database.

Steps for documents have none to work on there, so they are left out; collections that they put documents into are
remembered, because the database may have made them by that alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from boundwork.alembic_like_migrations.autogenerate.forms import Structure
from boundwork.alembic_like_migrations.autogenerate.reflecting import reflect
from boundwork.alembic_like_migrations.engine.program import prepare
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.steps.moves import MoveBack, MoveDocuments
from boundwork.alembic_like_migrations.steps.step import AnyStep, StructureStep
from boundwork.alembic_like_migrations.steps.transactions import Seed
from boundwork.uow.failures import SessionFailure


class ReplayFailed(MigrationError):
    """A step of a revision could not be carried out in an empty database; `revision` and `step` say which."""

    def __init__(self, revision: str, step: str, why: str) -> None:
        """Say which step, and why."""
        super().__init__(
            f"Revision {revision} cannot be replayed in an empty database: {step!r} failed: {why} Revisions must make what "
            "they change; write a first revision for what was there before."
        )
        self.revision = revision
        self.step = step


@dataclass(frozen=True, slots=True)
class Replayed:
    """What revisions make; `filled` are the collections that steps for documents put documents into."""

    structure: Structure
    filled: frozenset[str]

    def beside(self, found: Structure) -> Structure:
        """Return a database without the collections that are only there because documents were put into them."""
        return {
            name: form
            for name, form in found.items()
            if name in self.structure or not self._by_documents(form.name, found)
        }

    def _by_documents(self, name: str, found: Structure) -> bool:
        return name in self.filled and found[name].plain


async def replay(server: Server, revisions: Iterable[Revision]) -> Replayed:
    """Carry out the structure steps of revisions, in their order. Raises RevisionBroken and ReplayFailed."""
    filled: set[str] = set()
    for revision in revisions:
        for step in prepare(revision).up:
            if isinstance(step, StructureStep):
                await _apply(server, revision, step)
            else:
                filled |= _filled_by(step)
    return Replayed(await reflect(server), frozenset(filled))


async def _apply(server: Server, revision: Revision, step: StructureStep) -> None:
    try:
        await step.apply(server)
    except (MigrationError, SessionFailure) as failure:
        raise ReplayFailed(revision.revision, step.title, str(failure)) from failure


def _filled_by(step: AnyStep) -> set[str]:
    return {step.target} if isinstance(step, MoveDocuments | MoveBack | Seed) else set()
