"""Units that several threads use: serialized, they wait; handed over, what overlaps is refused, always."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from boundwork import NoActiveUnitOfWork, UnitUsedElsewhere, guard
from tests.server.bank import BALANCE, Account, Bank, check_books, transfer

THREADS = 8
ROUNDS = 25


class Overlaps(CommandListener):
    """Counts the commands that began before another one had ended; what they are does not matter."""

    def __init__(self) -> None:
        self.counted = 0
        self._under_way = 0

    def started(self, event: CommandStartedEvent) -> None:
        del event
        self._under_way += 1
        self.counted += self._under_way > 1

    def succeeded(self, event: CommandSucceededEvent) -> None:
        del event
        self._under_way -= 1

    def failed(self, event: CommandFailedEvent) -> None:
        del event
        self._under_way -= 1


@pytest.fixture
def overlaps() -> Overlaps:
    return Overlaps()


@pytest.fixture
def client(mongod_uri: str, overlaps: Overlaps) -> Iterator[MongoClient[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongod_uri, event_listeners=[overlaps, guard()]) as client:
        yield client


@pytest.fixture
def impatient_threads() -> Iterator[None]:
    """Let threads alternate as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def all_at_once(work: Callable[[int], Any]) -> list[Any]:
    """Return what threads return, or raise, that begin together."""
    together = threading.Barrier(THREADS)

    def run(number: int) -> Any:
        together.wait()
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.mark.filterwarnings("ignore::boundwork.ManySingleReads")  # one by one is what is tested
def test_threads_of_a_unit_that_serializes_wait_for_each_other(
    client: Any, database_name: str, accounts: Any, overlaps: Overlaps, impatient_threads: None
) -> None:
    serial = Bank(client[database_name], concurrency="serialize")
    with serial as uow:

        def work(number: int) -> int:
            for _ in range(ROUNDS):
                transfer(uow, 2 * number, 2 * number + 1, 1)
                uow.journal.count()
            return uow.journal.count()

        assert max(all_at_once(work)) == THREADS * ROUNDS
    check_books(accounts, THREADS * ROUNDS)
    assert overlaps.counted == 0


def test_a_unit_that_may_be_handed_over_never_lets_two_threads_in(
    client: Any, database_name: str, accounts: Any, overlaps: Overlaps, impatient_threads: None
) -> None:
    done = refused = 0
    with Bank(client[database_name]).unit(handover=True) as uow:
        for _ in range(ROUNDS):
            for outcome in all_at_once(lambda number: uow.accounts.add_if_absent(Account(id=1000 + number))):
                assert isinstance(outcome, bool | UnitUsedElsewhere), outcome
                done += outcome is True
                refused += isinstance(outcome, UnitUsedElsewhere)
    assert overlaps.counted == 0
    assert accounts.count_documents({"_id": {"$gte": 1000}}) == done
    assert done > 0
    assert refused > 0


def test_a_thread_finds_the_unit_of_another_only_in_a_copy_of_its_context(
    client: Any, database_name: str, accounts: Any
) -> None:
    serial = Bank(client[database_name], concurrency="serialize")
    with serial as uow, ThreadPoolExecutor(1) as pool:
        with pytest.raises(NoActiveUnitOfWork):
            pool.submit(serial.accounts.get, 1).result()
        pool.submit(copy_context().run, serial.accounts.get, 1).result().balance = 0
        assert uow.accounts.get(1).balance == 0

        def own() -> None:
            with serial as another:
                assert another.core is not uow.core
                assert another.accounts.get(1).balance == BALANCE

        pool.submit(copy_context().run, own).result()
        with pytest.raises(UnitUsedElsewhere, match=r"belongs to thread .* and was used by thread"):
            pool.submit(uow.commit).result()
    assert accounts.find_one({"_id": 1})["balance"] == 0
