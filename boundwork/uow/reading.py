"""Reads whose result is no document of the unit: values, plans, rows of a read model.

Like every read they see the pending changes, which are flushed first, and are recorded in the log, so that a replay
compares them. A plan is the exception: servers give it only outside a transaction, and nothing depends on it.
"""

from typing import TYPE_CHECKING, Any, TypeVar

from boundwork.errors import BoundworkError
from boundwork.models import Document
from boundwork.models.bson_types import decode_all
from boundwork.models.mapper import Mapper
from boundwork.models.upcasts.lineage import LINEAGES
from boundwork.uow.commands import Aggregate, Distinct, Find
from boundwork.uow.failures import SessionFailure
from boundwork.uow.locking import find_and_lock

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])


async def batches(unit: "Unit", mapper: Mapper[Any], command: Find) -> list[bytes]:
    """Flush, and return the stored documents that a query finds, locked where the unit locks what it reads."""
    await unit.workspace.autoflush()
    if unit.settings.locks_reads:
        return await find_and_lock(unit, mapper, command)
    return await unit.workspace.read(mapper, command)


def documents(unit: "Unit", mapper: Mapper[DocumentT], batches: list[bytes]) -> list[DocumentT]:
    """Return stored documents as those of the unit."""
    return unit.workspace.load(mapper, batches)


async def aggregate(unit: "Unit", command: Aggregate, about: str) -> list[bytes]:
    """Flush, and return the rows of a pipeline, as batches of BSON."""
    if LINEAGES:
        from boundwork.uow.upcasting.door import learn_joined  # noqa: PLC0415 - few programs have versions to learn

        learn_joined(unit, command)
    await unit.workspace.autoflush()
    rows = await unit.send(lambda: unit.session.aggregate(command))
    unit.workspace.log.found(command, rows, about)
    return rows


async def distinct(unit: "Unit", command: Distinct, about: str) -> list[Any]:
    """Flush, and return the different stored values that a path has."""
    await unit.workspace.autoflush()
    values = await unit.send(lambda: unit.session.distinct(command))
    unit.workspace.log.listed(command, values, about)
    return [document["v"] for document in decode_all(b"".join(values))]


async def explain(unit: "Unit", command: Find, verbosity: str) -> dict[str, Any]:
    """Return the server's plan for a query; nothing is flushed, and a failure leaves the unit as it is."""
    unit.check()
    try:
        return await unit.alone(unit.session.explain(command, verbosity))
    except SessionFailure as failure:
        raise BoundworkError(
            f"The query could not be explained: {failure.args[0]}. The unit of work {unit.name} goes on.",
        ) from failure.__cause__
