"""Objects are what they were: programs drawn at random, judged by a model, on the memory database and on mongod.

That the model sees what it should is shown by faults that are planted in the library; the long form plants all of them.
"""

from contextlib import AbstractContextManager
from contextvars import Context, copy_context
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from pymongo import MongoClient

from boundwork.uow.sessions.memory import MemoryDatabase
from tests.failure.conftest import LONG
from tests.failure.rewind_faults import FAULTS, SOON_FOUND
from tests.failure.rewind_scenes import Scenes
from tests.server.commands_seen import failing, with_options

NO_SUCH_TRANSACTION = 251
pytestmark = pytest.mark.filterwarnings("ignore::boundwork.ManySingleReads")  # programs drawn at random do loop


def programs(short: int, long: int, steps: int) -> settings:
    """Return how many programs of how many steps to try: the same in each run of CI, others in the long form."""
    return settings(
        max_examples=long if LONG else short,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not LONG,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


class Memory:
    """The database in memory, a new one for each program."""

    handle: Any = None

    def emptied(self) -> Any:
        self.handle = MemoryDatabase("rewind")
        return self.handle

    def failing_commit(self) -> AbstractContextManager[None] | None:
        return None


class Mongod:
    """One database of a real server, emptied for each program."""

    def __init__(self, client: MongoClient[dict[str, Any]], handle: Any) -> None:
        self.handle = handle
        self._client = client

    def emptied(self) -> Any:
        Context().run(lambda: self._client[self.handle.name].things.delete_many({}))
        return self.handle

    def failing_commit(self) -> AbstractContextManager[None] | None:
        return failing(
            self._client,
            ["commitTransaction"],
            1,
            errorCode=NO_SUCH_TRANSACTION,
            errorLabels=["TransientTransactionError"],
            appName=self.handle.name,
        )


def test_objects_are_what_they_were_in_memory() -> None:
    class InMemory(Scenes):
        place = Memory()

    run_state_machine_as_test(InMemory, settings=programs(200, 5000, 50))


@pytest.mark.parametrize("fault", FAULTS if LONG else SOON_FOUND)
def test_the_programs_find_a_planted_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Faulty(Scenes):
        place = Memory()

    FAULTS[fault](monkeypatch)
    until_found = settings(programs(200, 1000, 50), phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        # A program that was found out leaves its unit open: in a context that goes with it.
        copy_context().run(run_state_machine_as_test, Faulty, settings=until_found)


@pytest.mark.server
def test_objects_are_what_they_were_on_a_server(
    mongod_uri: str, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    address = with_options(mongod_uri, f"appName={database_name}")
    with MongoClient[dict[str, Any]](address) as client:

        class OnServer(Scenes):
            place = Mongod(mongod_client, client[database_name])

        run_state_machine_as_test(OnServer, settings=programs(30, 500, 50))
