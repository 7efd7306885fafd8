"""Both colours have the same words: what one awaits the other returns, and nothing else differs."""

import inspect
from typing import Any

import pytest

from boundwork import (
    AsyncQuery,
    AsyncRepository,
    AsyncStream,
    AsyncUnitOfWork,
    Query,
    Repository,
    Stream,
    UnitOfWork,
    ensure_schema,
    ensure_schema_async,
)
from boundwork.uow.asynchronous import AsyncAttempt
from boundwork.uow.reference_words import AsyncLoads, Loads
from boundwork.uow.synchronous import Attempt

PAIRS: list[tuple[type[Any], type[Any]]] = [
    (UnitOfWork, AsyncUnitOfWork),
    (Repository, AsyncRepository),
    (Query, AsyncQuery),
    (Stream, AsyncStream),
    (Attempt, AsyncAttempt),
    (Loads, AsyncLoads),
]
ASKS = {
    UnitOfWork: {"__enter__", "__exit__", "flush", "refresh", "lock", "commit", "rollback", "run", "outcome"},
    Repository: {"get", "get_many", "find_by_id", "first", "count", "exists", "add_if_absent", "aggregate"}
    | {"update_where", "delete_where", "find_and_update", "upsert", "merge"},
    Query: {"to_list", "first", "one", "one_or_none", "count", "exists", "distinct", "page", "explain"}
    | {"update", "delete"},
    Stream: {"__next__", "close"},
    Attempt: {"__enter__", "__exit__"},
    Loads: {"load", "load_all"},
}
ASYNC_NAMES = {"__enter__": "__aenter__", "__exit__": "__aexit__", "__iter__": "__aiter__", "__next__": "__anext__"}
WORDS_OF_ASYNC = {
    "AsyncUnitOfWork": "UnitOfWork",
    "AsyncAttempt": "Attempt",
    "AsyncQuery": "Query",
    "AsyncStream": "Stream",
    "AsyncIterator": "Iterator",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "collections.abc.Awaitable[~ResultT]": "~ResultT",
    "boundwork.uow.asynchronous": "boundwork.uow.synchronous",
    "boundwork.repositories.asynchronous": "boundwork.repositories.synchronous",
}
CASES = [
    pytest.param(sync, other, name, id=f"{sync.__name__}.{name}")
    for sync, other in PAIRS
    for name, value in vars(sync).items()
    if inspect.isfunction(value)
]


def words(kind: type[Any]) -> set[str]:
    return {name for name, value in vars(kind).items() if inspect.isfunction(value)}


def without_await(annotation: object) -> str:
    text = inspect.formatannotation(annotation)
    for word, plain in WORDS_OF_ASYNC.items():
        text = text.replace(word, plain)
    return text


def shape(function: Any) -> list[tuple[str, Any, Any, str]]:
    parameters = inspect.signature(function).parameters.values()
    described = [(part.name, part.kind, part.default, without_await(part.annotation)) for part in parameters]
    returned = inspect.signature(function).return_annotation
    return [*described, ("return", None, None, without_await(returned))]


@pytest.mark.parametrize(("sync", "other"), PAIRS, ids=[sync.__name__ for sync, _ in PAIRS])
def test_both_colours_have_the_same_words(sync: type[Any], other: type[Any]) -> None:
    assert {ASYNC_NAMES.get(name, name) for name in words(sync)} == words(other)


@pytest.mark.parametrize(("sync", "other", "name"), CASES)
def test_a_word_takes_and_gives_the_same_in_both_colours(sync: type[Any], other: type[Any], name: str) -> None:
    assert shape(getattr(sync, name)) == shape(getattr(other, ASYNC_NAMES.get(name, name)))


@pytest.mark.parametrize(("sync", "other", "name"), CASES)
def test_a_word_is_awaited_exactly_where_the_database_is_asked(sync: type[Any], other: type[Any], name: str) -> None:
    assert not inspect.iscoroutinefunction(getattr(sync, name))
    asked = inspect.iscoroutinefunction(getattr(other, ASYNC_NAMES.get(name, name)))
    assert asked is (name in ASKS[sync])


@pytest.mark.parametrize(("sync", "other", "name"), CASES)
def test_a_word_is_explained_in_both_colours(sync: type[Any], other: type[Any], name: str) -> None:
    assert getattr(sync, name).__doc__
    assert getattr(other, ASYNC_NAMES.get(name, name)).__doc__


@pytest.mark.parametrize(("sync", "other"), PAIRS, ids=[sync.__name__ for sync, _ in PAIRS])
def test_both_colours_share_their_bases(sync: type[Any], other: type[Any]) -> None:
    assert [base.__name__.removeprefix("Async") for base in other.__bases__] == [
        base.__name__ for base in sync.__bases__
    ]


def test_an_async_query_is_iterated_with_async_for() -> None:
    assert inspect.isasyncgenfunction(vars(AsyncQuery)["__aiter__"])


def test_the_schema_is_ensured_with_the_same_words_in_both_colours() -> None:
    assert inspect.signature(ensure_schema) == inspect.signature(ensure_schema_async)
    assert ensure_schema.__doc__ == ensure_schema_async.__doc__
    assert inspect.iscoroutinefunction(ensure_schema_async)
