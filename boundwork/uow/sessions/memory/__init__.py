"""The in-memory database and its session, for the unit tests of those who use boundwork."""

from boundwork.uow.sessions.memory.session import MemorySession
from boundwork.uow.sessions.memory.store import MemoryDatabase

__all__ = ["MemoryDatabase", "MemorySession"]
