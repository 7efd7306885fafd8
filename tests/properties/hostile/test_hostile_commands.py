"""Whatever comes from outside: no command has an operator that the library, or the program, did not write."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork import UnitOfWork, connect
from tests.properties.hostile.asking import ASKING
from tests.properties.hostile.changing import CHANGING, PLAINLY
from tests.properties.hostile.checking import Foreign
from tests.properties.hostile.joining import JOINING, TENANTS, Estate, Tenants
from tests.properties.hostile.sending import Captured, Sender, captured_by
from tests.properties.hostile.values import OPERATORS, TEXTS, hostile
from tests.properties.hostile.ways import PLAIN, TYPED, WRITING, Way

LONG = os.environ.get("BOUNDWORK_LONG") == "1"
PARTS = 4 if LONG else 1
NUMBER = 100_000 // PARTS if LONG else 1_000


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Captured:
    return captured_by(monkeypatch)


@pytest.fixture
def database() -> Iterator[Any]:
    with connect("memory://hostile") as database:
        yield database


@dataclass(frozen=True)
class Sent:
    """A way, the unit that it is taken in, and what of a command the program writes."""

    unit: type[UnitOfWork]
    way: Way
    operators: str = ""
    plain: bool = False

    def send(self, database: Any, value: Any, sender: Sender, captured: Captured) -> None:
        unit = self.unit(database)
        sender.send(unit.for_all_tenants() if self.unit is Tenants else unit, self.way, value)
        captured.check(plain=self.plain, operators=self.operators)


CHANGED = [Sent(Estate, way, operator) for operator, way in CHANGING]


def _ways(number: int) -> list[Sent]:
    """Return some of the ways, other ones for each value, so that all have their turn."""
    return [
        *(Sent(Estate, TYPED[(number * 7 + step) % len(TYPED)]) for step in range(4)),
        *(CHANGED[(number * 3 + step) % len(CHANGED)] for step in range(2)),
        Sent(Estate, WRITING[number % len(WRITING)]),
        Sent(Estate, ASKING[number % len(ASKING)]),
        Sent(Estate, JOINING[number % len(JOINING)], "$set"),
        Sent(Tenants, TENANTS[number % len(TENANTS)], "$set"),
        Sent(Estate, PLAIN[number % len(PLAIN)], plain=True),
        Sent(Estate, PLAINLY[number % len(PLAINLY)], plain=True),
    ]


@pytest.mark.parametrize("part", range(PARTS))
def test_no_command_has_an_operator_that_the_program_did_not_write(
    database: Any, captured: Captured, record_property: Callable[[str, object], None], part: int
) -> None:
    sender = Sender()
    for number, value in enumerate(hostile(2026 + part, NUMBER), start=part):
        for sent in _ways(number):
            sent.send(database, value, sender, captured)
    record_property("values, ways that were taken, commands", f"{NUMBER}, {sender.taken}, {captured.checked}")
    assert sender.taken > NUMBER
    assert captured.checked > NUMBER
    assert not sender.unclear, "\n".join(sender.unclear[:3])


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
        captured, sender = captured_by(patch), Sender()
        for sent in _ways(number):
            sent.send(database, value, sender, captured)
        assert not sender.unclear, sender.unclear[0]


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


def _sent(ways: Sequence[Way], *, plain: bool = False) -> list[Sent]:
    return [Sent(Estate, way, plain=plain) for way in ways]


def _last(*given: Any) -> Any:
    return given[-1]


def _number(_word: str, number: Any, **_: Any) -> Any:
    return number


def _values(_word: str, _elements: Any, values: Any) -> Any:
    return next(iter(values))


FAULTS: list[tuple[str, Any, list[Sent]]] = [
    ("boundwork.models.mapper.checked_id", _as_it_is, _sent(TYPED)),
    ("boundwork.models.expressions.fields.Comparison.compiled", _bare, _sent(TYPED)),
    ("boundwork.models.expressions.words._begins_like_an_operator", _no, _sent(TYPED)),
    ("boundwork.models.expressions.plain.holds_operator", _no, _sent(PLAIN[:2], plain=True)),
    ("boundwork.models.expressions.plain.REFUSED", frozenset[str](), _sent(PLAIN[:6], plain=True)),
    ("boundwork.models.expressions.plain.REFUSED", frozenset[str](), _sent(PLAINLY, plain=True)),
    ("boundwork.models.pipelines._WRITING", frozenset[str](), _sent(PLAIN[7:9], plain=True)),
    ("boundwork.models.pipelines._speaks", _no, _sent(PLAIN[6:7], plain=True)),
    ("boundwork.models.touched.Changes._check_extra", _nothing, _sent(WRITING)),
    ("boundwork.models.difference._safe", _yes, _sent(WRITING)),
    ("boundwork.models.expressions.fields.Comparison.compiled", _bare, CHANGED),
    ("boundwork.models.expressions.list_changes.sought_values", _values, CHANGED),
    ("boundwork.models.expressions.list_changes.stored_values", _values, CHANGED),
    ("boundwork.models.expressions.list_changes._whole", _last, CHANGED),
    ("boundwork.models.expressions.changes.amount", _last, CHANGED),
    ("boundwork.models.mapper.checked_id", _as_it_is, _sent(JOINING)),
    ("boundwork.repositories.options.whole_number", _number, _sent(ASKING[3:5])),
    ("boundwork.models.structure.options.Collation.__post_init__", _nothing, _sent(ASKING[9:13])),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0].rpartition(".")[2])
def test_a_planted_fault_is_seen(
    fault: tuple[str, Any, list[Sent]], database: Any, captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, replaced, ways = fault
    monkeypatch.setattr(name, replaced)
    with pytest.raises(Foreign):
        for value in hostile(7, 5_000):
            for sent in ways:
                sent.send(database, value, Sender(), captured)
