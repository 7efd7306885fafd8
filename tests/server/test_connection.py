"""Connections that start a server, or use one: what they own they close."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boundwork import AsyncRepository, AsyncUnitOfWork, Connection, Document, Repository, UnitOfWork, connect


class Note(Document[int], collection="notes"):
    text: str


class Notes(UnitOfWork):
    notes = Repository(Note)


class AsyncNotes(AsyncUnitOfWork):
    notes = AsyncRepository(Note)


def server_pid(connection: Connection) -> int:
    return int(connection.sync_database().client.admin.command("serverStatus")["pid"])


async def write(connection: Connection, number: int) -> None:
    async with AsyncNotes(connection) as uow:
        uow.notes.add(Note(id=number, text="written"))


def test_an_embedded_folder_is_found_again_by_the_next_connection(tmp_path: Path) -> None:
    with connect(f"embedded://{tmp_path}/data?database=shop") as connection, Notes(connection) as uow:
        uow.notes.add(Note(id=1, text="kept"))
    with connect(f"embedded://{tmp_path}/data?database=shop") as connection, Notes(connection) as uow:
        assert uow.notes.get(1).text == "kept"


def test_a_connection_starts_its_server_once_for_all_threads_and_ends_it() -> None:
    with connect("embedded://") as connection:
        with ThreadPoolExecutor(8) as threads:
            pids = set(threads.map(server_pid, [connection] * 16))
        assert len(pids) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(pids.pop(), 0)


def test_both_colours_and_two_event_loops_share_one_embedded_server() -> None:
    with connect("embedded://") as connection:
        asyncio.run(write(connection, 1))
        asyncio.run(write(connection, 2))
        with Notes(connection) as uow:
            assert uow.notes.count() == 2


def test_a_connection_to_a_real_server_works_in_both_colours(database_uri: str) -> None:
    with connect(f"{database_uri}&w=majority") as connection:
        with Notes(connection) as uow:
            uow.notes.add(Note(id=1, text="written"))
        asyncio.run(write(connection, 2))
        with Notes(connection) as uow:
            assert uow.notes.count() == 2
