"""Units of work: one session, one transaction at a time, one identity map."""

from boundwork.uow.asynchronous import AsyncUnitOfWork
from boundwork.uow.receipt import FailedHook, Receipt
from boundwork.uow.synchronous import UnitOfWork

__all__ = ["AsyncUnitOfWork", "FailedHook", "Receipt", "UnitOfWork"]
