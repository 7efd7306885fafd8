"""Whatever comes from outside: no command has an operator that the library, or the program, did not write."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from bson.errors import BSONError
from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork import BoundworkError, connect
from boundwork.uow.commands import Aggregate, BulkWrite, DeleteOne, Distinct, InsertOne, UpdateOne, UpsertOne
from boundwork.uow.sessions.memory.session import MemorySession
from tests.unit.hostile.checking import (
    Foreign,
    check_document,
    check_filter,
    check_no_server_code,
    check_sort,
    check_update,
)
from tests.unit.hostile.values import OPERATORS, TEXTS, hostile
from tests.unit.hostile.ways import PATHS, PLAIN, TYPED, WRITING, Shop, Way

LONG = os.environ.get("BOUNDWORK_LONG") == "1"
NUMBER = 100_000 if LONG else 2_000
NOT_SENT = (BSONError, UnicodeError, OverflowError, RecursionError)
"""What the driver raises instead of sending what BSON cannot hold."""
LOCKS = {"_id", "taken", "_boundwork_lock"}


class Captured:
    """The commands that reached the port; `checked` says how many were looked at."""

    def __init__(self) -> None:
        self.commands: list[Any] = []
        self.checked = 0

    def check(self, *, plain: bool) -> None:
        """Check all commands since the last call."""
        commands, self.commands = self.commands, []
        for command in commands:
            with contextlib.suppress(*NOT_SENT):
                if plain:
                    check_no_server_code(_asked(command))
                else:
                    check(command)
                self.checked += 1


def _asked(command: Any) -> Any:
    return list(command.pipeline) if isinstance(command, Aggregate) else command.filter


def check(command: Any) -> None:
    """Raise Foreign if a command has an operator of somebody else."""
    known = PATHS.get(command.collection, LOCKS)
    if not isinstance(command, BulkWrite):
        check_filter(command.filter, known)
        check_sort(getattr(command, "sort", ()), known)
        assert not isinstance(command, Distinct) or "$" not in command.path
        return
    for write in command.writes:
        if isinstance(write, InsertOne | UpsertOne):
            check_document(write.document, known | {"secret"})
            continue
        assert isinstance(write, UpdateOne | DeleteOne)
        check_filter(write.filter, known)
        if isinstance(write, UpdateOne) and "$inc" not in write.update:  # that of named locks
            check_update(write.update, known | LOCKS)


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Captured:
    return captured_by(monkeypatch)


def captured_by(patch: pytest.MonkeyPatch) -> Captured:
    """Have the commands that reach the port of the in-memory database."""
    captured = Captured()

    def watched(name: str, found: Any) -> None:
        real = getattr(MemorySession, name)

        async def watching(self: MemorySession, command: Any, *more: Any) -> Any:
            captured.commands += command if isinstance(command, list | tuple) else [command]
            return await real(self, command, *more) if found is None else found

        patch.setattr(MemorySession, name, watching)

    answers: dict[str, Any] = {"find": [], "count": 0, "distinct": [], "aggregate": [], "write": None}
    for name, found in answers.items():
        watched(name, found)
    return captured


def send(shop: Shop, way: Way, value: Any) -> bool:
    """Take one way in a unit of its own, and roll back; tell whether the value was taken."""
    try:
        with shop as uow:
            way(uow, value)
            uow.rollback()
            return True
    except (BoundworkError, TypeError, ValueError, AttributeError):
        return False


@pytest.fixture
def shop() -> Iterator[Shop]:
    with connect("memory://hostile") as database:
        yield Shop(database)


def _ways(number: int) -> list[tuple[Way, bool]]:
    """Return some of the ways, other ones for each value, so that all have their turn."""
    typed = [TYPED[(number * 7 + step) % len(TYPED)] for step in range(6)]
    return [
        *((way, False) for way in typed),
        (WRITING[number % len(WRITING)], False),
        (PLAIN[number % len(PLAIN)], True),
    ]


def test_no_command_has_an_operator_that_the_program_did_not_write(shop: Shop, captured: Captured) -> None:
    taken = 0
    for number, value in enumerate(hostile(2026, NUMBER)):
        for way, plain in _ways(number):
            taken += send(shop, way, value)
            captured.check(plain=plain)
    assert taken > NUMBER
    assert captured.checked > NUMBER


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*OPERATORS, *TEXTS]) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=5_000 if LONG else 40, deadline=None)
@given(json, st.integers(0, 10_000))
def test_no_body_of_json_brings_an_operator_along(value: Any, number: int) -> None:
    with pytest.MonkeyPatch.context() as patch, connect("memory://hostile") as database:
        captured = captured_by(patch)
        for way, plain in _ways(number):
            send(Shop(database), way, value)
            captured.check(plain=plain)


# The faults that the test above must see, and the ways on which it must see them.


def _bare(self: Any) -> Any:
    (value,) = self._test.values()
    return {self._target.path: value}


def _as_it_is(stored: Any) -> Any:
    return stored


def _no(_: Any) -> bool:
    return False


def _yes(_: Any) -> bool:
    return True


def _nothing(*_: Any) -> None:
    return None


FAULTS: list[tuple[str, Any, list[Way]]] = [
    ("boundwork.models.mapper.checked_id", _as_it_is, TYPED),
    ("boundwork.models.expressions.fields.Comparison.compiled", _bare, TYPED),
    ("boundwork.models.expressions.words._begins_like_an_operator", _no, TYPED),
    ("boundwork.models.expressions.plain.holds_operator", _no, PLAIN[:2]),
    ("boundwork.models.expressions.plain.REFUSED", frozenset[str](), PLAIN[:6]),
    ("boundwork.models.pipelines._WRITING", frozenset[str](), PLAIN[7:9]),
    ("boundwork.models.pipelines._speaks", _no, PLAIN[6:7]),
    ("boundwork.models.touched.Changes._check_extra", _nothing, WRITING),
    ("boundwork.models.difference._safe", _yes, WRITING),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0].rpartition(".")[2])
def test_a_planted_fault_is_seen(
    fault: tuple[str, Any, list[Way]], shop: Shop, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, replaced, ways = fault
    monkeypatch.setattr(name, replaced)
    with pytest.raises(Foreign):
        for value in hostile(7, 5_000):
            for way in ways:
                send(shop, way, value)
                captured.check(plain=ways[0] in PLAIN)
