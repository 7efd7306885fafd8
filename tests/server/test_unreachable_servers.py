"""Servers that cannot serve a unit: a standalone, one that is not there, one that refuses the login; and a closed client."""

import gc
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import InvalidOperation, ServerSelectionTimeoutError

from boundwork import ServerUnavailable, TransactionFailed, TransactionsUnavailable, TransientFailure, connect
from tests.server.bank import Account, bank_of, raw, settled
from tests.server.commands_seen import with_options
from tests.servers import NoServer, RealMongod, mongod_binary

# PyMongo 4.20 leaves the socket of a connection attempt that it gives up to the garbage collector, which warns.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def sockets_collected_here() -> Iterator[None]:
    """Collect what PyMongo left behind before another test is blamed for it."""
    yield
    gc.collect()


class Standalone(RealMongod):
    """A mongod that is in no replica set."""

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def _command(self, scratch: Path) -> list[str]:
        words = super()._command(scratch)
        place = words.index("--replSet")
        return [*words[:place], *words[place + 2 :]]


@pytest.fixture(scope="module")
def standalone_uri() -> Iterator[str]:
    try:
        mongod_binary()
    except NoServer as error:
        pytest.skip(f"A standalone cannot be had from MONGODB_URI. {error}")
    with Standalone() as server:
        yield server.uri


async def closed(client: Any) -> None:
    closing = client.close()
    if closing is not None:
        await closing


def client_of(colour: str, uri: str) -> Any:
    kind: Any = MongoClient if colour == "sync" else AsyncMongoClient
    return kind(uri)


@pytest.mark.parametrize("does", ["reads", "writes"])
async def test_a_standalone_has_no_transactions(standalone_uri: str, colour: str, does: str) -> None:
    client = client_of(colour, standalone_uri)
    bodies = 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        if does == "reads":
            await uow.accounts.find_by_id(1)
        uow.accounts.add(Account(id=1))

    with pytest.raises(TransactionsUnavailable, match="--replSet") as caught:
        await bank_of(colour, client["shop"]).run(body)
    assert caught.value.code == 20
    assert bodies == 1
    await closed(client)
    with MongoClient[dict[str, Any]](standalone_uri) as plain:
        assert plain["shop"]["accounts"].count_documents({}) == 0


async def test_a_server_that_is_not_there_is_unavailable_after_the_time_for_selection(colour: str) -> None:
    with socket.socket() as taken:
        # Bound but not listening: whoever connects is refused.
        taken.bind(("127.0.0.1", 0))
        client = client_of(colour, f"mongodb://127.0.0.1:{taken.getsockname()[1]}/?serverSelectionTimeoutMS=200")
        bank = bank_of(colour, client["shop"])
        with pytest.raises(ServerUnavailable, match="Nothing was written") as caught:
            await bank.run(_write)
        assert isinstance(caught.value.__cause__, ServerSelectionTimeoutError)
        with pytest.raises(ServerUnavailable):
            await bank.run(_read)
        await closed(client)


async def _write(uow: Any) -> None:
    uow.accounts.add(Account(id=1))


async def _read(uow: Any) -> None:
    await uow.accounts.count()


@pytest.mark.parametrize("calls", ["boundwork", "driver"])
async def test_a_client_that_was_closed_is_no_rival_and_nothing_is_tried_again(
    mongod_uri: str, colour: str, calls: str
) -> None:
    client, bodies = client_of(colour, mongod_uri), 0

    async def body(uow: Any) -> None:
        nonlocal bodies
        bodies += 1
        await (_read(uow) if calls == "boundwork" else settled(raw(uow)["accounts"].find_one()))

    await closed(client)
    with pytest.raises((TransactionFailed, InvalidOperation), match="after close") as caught:
        await bank_of(colour, client["shop"]).run(body)
    assert not isinstance(caught.value, TransientFailure)
    assert bodies == 1


async def test_a_refused_login_is_an_unavailable_server_and_shows_no_password(mongod_uri: str, colour: str) -> None:
    address = with_options(mongod_uri, "authSource=admin").replace("://", "://nobody:secretword@", 1)
    client = client_of(colour, address)
    with pytest.raises(ServerUnavailable, match="refused the login") as caught:
        await bank_of(colour, client["shop"]).run(_read)
    assert "secretword" not in str(caught.value)
    assert type(pickle.loads(pickle.dumps(caught.value))) is ServerUnavailable  # noqa: S301 - our own bytes
    await closed(client)


async def test_a_connection_that_cannot_log_in_is_unavailable_too(mongod_uri: str) -> None:
    address = with_options(mongod_uri, "authSource=admin").replace("://", "://nobody:secretword@", 1)
    with connect(address.replace("/?", "/shop?", 1)) as connection, pytest.raises(ServerUnavailable):
        await bank_of("sync", connection).run(_read)
