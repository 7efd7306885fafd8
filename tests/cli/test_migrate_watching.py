"""What is shown while a long step goes on: a bar on a terminal, a line every few seconds elsewhere."""

import io

import pytest
from rich.console import Console

from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.steps.building import Build
from boundwork.cli.migrate import watching
from boundwork.cli.migrate.watching import Bars, Lines, watcher

PLACE = Place("one", "up", 0, 1)


def record(seen: int, state: str = "running") -> StepRecord:
    return StepRecord("update [users]", "data", "done" if state == "done" else "running", (seen,), seen, seen)


def test_a_long_step_says_how_far_it_is_how_fast_and_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(watching, "monotonic", lambda: now[0])
    lines = Lines()
    lines.began(PLACE, record(1_000), 10_000)
    for seconds, seen in [(1.0, 1_500), (6.0, 4_000), (7.0, 4_500), (12.0, 7_000)]:
        now[0] = seconds
        lines.step(PLACE, record(seen))
    lines.step(PLACE, record(10_000, "done"))
    lines.ended("one", "up")
    assert capsys.readouterr().out.splitlines() == [
        "one  update [users]  4,000 of about 10,000, 500/s, about 12 s left",
        "one  update [users]  7,000 of about 10,000, 500/s, about 6 s left",
        "one  update [users]  10,000 documents, 10,000 changed",
        "one  applied",
    ]


def test_on_a_terminal_there_is_a_bar_that_goes_away(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=120, highlight=False))
    bars.began(PLACE, record(0), 10_000)
    bars.step(PLACE, record(2_500))
    bars.step(PLACE, record(12_000))
    bars.step(PLACE, record(12_000, "done"))
    bars.close()
    bars.close()
    assert "12,000 of 12,000" in screen.getvalue()
    assert "update [users]" in screen.getvalue()
    assert capsys.readouterr().out == "one  update [users]  12,000 documents, 12,000 changed\n"


def test_where_the_number_is_not_known_the_bar_counts(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=120, highlight=False))
    bars.began(PLACE, record(0), None)
    bars.step(PLACE, record(2_500))
    bars.close()
    assert "2,500" in screen.getvalue()
    assert " of " not in screen.getvalue()
    assert capsys.readouterr().out == ""


def test_json_is_not_disturbed(capsys: pytest.CaptureFixture[str]) -> None:
    silent = watcher(quiet=True)
    silent.began(PLACE, record(0), None)
    silent.step(PLACE, record(10, "done"))
    silent.ended("one", "down")
    assert capsys.readouterr().out == ""
    assert not silent.counts


def test_the_build_of_an_index_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(watching, "monotonic", lambda: now[0])
    step, build = StepRecord("create index x_1 on users", "structure"), Build("scanning collection", 3_000, 5_000)
    lines = Lines()
    lines.began(PLACE, step, None)
    for seconds in (1.0, 6.0, 7.0):
        now[0] = seconds
        lines.building(PLACE, step, build)
    assert capsys.readouterr().out == "one  create index x_1 on users  scanning collection 3,000 of 5,000\n"
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=120, highlight=False))
    bars.building(PLACE, step, build)
    bars.began(PLACE, step, None)
    bars.building(PLACE, step, build)
    bars.close()
    assert "create index x_1 on users" in screen.getvalue()
