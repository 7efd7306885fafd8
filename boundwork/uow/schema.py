"""`ensure_schema` in both colours: the collections, indexes and validators that models declare.

It stands outside of units: the server takes no such command in a transaction, and one beside an open transaction
would wait for its locks.
"""

from collections.abc import Iterable
from typing import Any

from boundwork.errors import SchemaNotEnsured
from boundwork.models import Document
from boundwork.models.structure.gathering import declared_structure
from boundwork.uow.ensuring import ensure
from boundwork.uow.open_units import any_open
from boundwork.uow.run_sync import run_sync
from boundwork.uow.schema_report import SchemaReport
from boundwork.uow.sessions.choice import asynchronous_structure, synchronous_structure

Models = Iterable[type[Document[Any]]]


def ensure_schema(database: object, models: Models | None = None, *, update: bool = False) -> SchemaReport:
    """Create the collections, validators and indexes that models declare, and report what differs.

    `models` None means every model with a collection in the modules that were imported, those made inside functions
    left out. What exists is never dropped, and changed only with `update`: validators, change images, and of indexes
    whether they are hidden and when documents expire. Raises SchemaNotEnsured where the server refuses something and inside an open unit.
    """
    _require_no_unit()
    return run_sync(ensure(synchronous_structure(database), declared_structure(models), update=update))


async def ensure_schema_async(database: object, models: Models | None = None, *, update: bool = False) -> SchemaReport:
    """Create the collections, validators and indexes that models declare, and report what differs.

    `models` None means every model with a collection in the modules that were imported, those made inside functions
    left out. What exists is never dropped, and changed only with `update`: validators, change images, and of indexes
    whether they are hidden and when documents expire. Raises SchemaNotEnsured where the server refuses something and inside an open unit.
    """
    _require_no_unit()
    return await ensure(asynchronous_structure(database), declared_structure(models), update=update)


def _require_no_unit() -> None:
    opened = any_open()
    if opened is not None:
        raise SchemaNotEnsured(
            f"The unit of work {opened.unit.name} is open here, and the server changes no structure in a transaction. "
            "Ensure the schema before the unit, when the program starts.",
        )
