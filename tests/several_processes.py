"""How `pytest -n auto` shares the tests out to processes, each with servers of its own.

A process is given whole files, since the next test of a file finds ready what the last one needed. The files that use
the replica set of three are given out as one: it is started once, and another set beside it would shift its elections.
What lasts longest is given out first, so that at the end no process waits long for another.
"""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]  # annotated, but not marked so

from tests.servers import given_uri

# Tests wait for servers more than half of their time.
MORE_THAN_PROCESSORS = 2
MOST_PROCESSES = 4
REPLICA_SET = "the replica set"
ON_THE_REPLICA_SET = {"test_bank.py", "test_histories.py", "test_keyed_failover.py", "test_migrations_chaos.py"}
LONGEST_FIRST = (REPLICA_SET, "tests/failure/", "tests/cli/", "tests/architecture/", "tests/server/", "tests/")


def number_of_processes() -> int:
    """Return how many processes there are; 0, which is none but this one, where all would share the server that was given."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if given_uri() else min(processors + MORE_THAN_PROCESSORS, MOST_PROCESSES)


def scope_of(nodeid: str) -> str:
    """Return what a test is given out with."""
    file = nodeid.partition("::")[0]
    return REPLICA_SET if file.rpartition("/")[2] in ON_THE_REPLICA_SET else file


def turn_of(item: pytest.Item) -> int:
    """Return the place of a test in an order that has what lasts longest first."""
    scope = scope_of(item.nodeid)
    return next((place for place, start in enumerate(LONGEST_FIRST) if scope.startswith(start)), len(LONGEST_FIRST))


class WholeFiles(LoadScopeScheduling):
    """Gives out files in the order of the collection: those with the most tests are not those that take longest."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        """Keep the order of the collection."""
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
