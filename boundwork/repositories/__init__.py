"""Repositories: collections of documents as domain code sees them."""

from boundwork.repositories.asynchronous import AsyncQuery, AsyncRepository
from boundwork.repositories.page import Page
from boundwork.repositories.set_based import UpdateResult
from boundwork.repositories.streams import AsyncStream, Stream
from boundwork.repositories.synchronous import Query, Repository

__all__ = ["AsyncQuery", "AsyncRepository", "AsyncStream", "Page", "Query", "Repository", "Stream", "UpdateResult"]
