"""Whether contracting revisions may run: only if no instance lives that one of them would break.

A revision that an instance names and that has no file here is newer than this deployer, or foreign to it. Nobody can
tell whether its code suits, so it counts as too old.
"""

import logging
from collections.abc import Sequence

from boundwork.alembic_like_migrations.engine import ledger
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.rollout.errors import GateRefused, LivingInstance
from boundwork.alembic_like_migrations.rollout.phases import too_old
from boundwork.alembic_like_migrations.rollout.register import INSTANCES, Register
from boundwork.errors import BoundworkError
from boundwork.uow.failures import SessionFailure
from boundwork.uow.port import BoundSession

logger = logging.getLogger("boundwork.migrations")


async def pass_gate(server: Server, graph: Graph, path: Sequence[Revision]) -> None:
    """Close the door to older instances, then see that none is inside. Raises GateRefused."""
    for contracting in (one for one in path if one.phase == "contract"):
        await Register(server.structure).note(contracting.revision, too_old(graph, contracting))
        if broken := await living_too_old(server, graph, contracting):
            raise GateRefused(contracting.revision, broken)


async def living_too_old(server: Server, graph: Graph, contracting: Revision) -> list[LivingInstance]:
    """Return the instances that live and that a contracting revision would break."""
    fitting = graph.names - set(too_old(graph, contracting))
    return [one for one in await Register(server.structure).living() if one.revision not in fitting]


async def open_gate(server: Server) -> None:
    """Take away the notes of contracting revisions that are neither applied nor begun: refused, failed or reverted.

    Only the holder of the lease does it, so nobody takes away what another deployer relies on. What fails is left to
    the next run.
    """
    try:
        noted = await Register(server.structure).notes()
        stale = set(noted) - (await ledger.read(server)).keys() if noted else set[str]()
        if stale:
            await server.fenced(lambda session: _take_away(session, stale))
    except (BoundworkError, SessionFailure) as failure:
        logger.warning("notes about contracted revisions were not looked through, the next run does it: %s", failure)


async def _take_away(session: BoundSession, contracted: set[str]) -> None:
    statement = {"q": {"contracted": {"$in": sorted(contracted)}}, "limit": 0}
    await session.command({"delete": INSTANCES, "deletes": [statement]})
