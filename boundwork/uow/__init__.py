"""Units of work: one session, one transaction at a time, one identity map."""

from boundwork.uow.asynchronous import AsyncUnitOfWork
from boundwork.uow.receipt import FailedHook, Receipt
from boundwork.uow.schema import ensure_schema, ensure_schema_async
from boundwork.uow.schema_report import SchemaReport
from boundwork.uow.synchronous import UnitOfWork

__all__ = [
    "AsyncUnitOfWork",
    "FailedHook",
    "Receipt",
    "SchemaReport",
    "UnitOfWork",
    "ensure_schema",
    "ensure_schema_async",
]
