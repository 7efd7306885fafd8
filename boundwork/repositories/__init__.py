"""Repositories: collections of documents as domain code sees them."""

from boundwork.repositories.asynchronous import AsyncQuery, AsyncRepository
from boundwork.repositories.synchronous import Query, Repository

__all__ = ["AsyncQuery", "AsyncRepository", "Query", "Repository"]
