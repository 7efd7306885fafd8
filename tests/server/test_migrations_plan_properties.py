"""For any graph, place and phase: what a plan says is what the run then does, in this order and with these numbers."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient

from boundwork.alembic_like_migrations import Migrator, PhaseBlocked, Plan
from boundwork.alembic_like_migrations.engine.ledger import Place, StepRecord
from boundwork.alembic_like_migrations.engine.runner import Unwatched
from tests.properties.alembic_like_migrations.drawn_graphs import parents
from tests.unit.alembic_like_migrations.graphs import Parents

pytestmark = pytest.mark.server
EXAMPLES = 300 if os.environ.get("BOUNDWORK_LONG") else 8
# None of them changes what another one visits, since a plan is about the database as it is.
STEPS = [
    "op.update('things', {'$inc': {'n': 1}}, undo={'$inc': {'n': -1}})",
    "op.update('things', {'$inc': {'m': 1}}, where={'_id': {'$gte': 2}}, undo={'$inc': {'m': -1}})",
    "op.transform('things', where={'_id': 1}, undo=False)(lambda one: {'$inc': {'t': 1}})",
    "op.set_validator('things', {'required': ['_id']}, was={})",
    "op.create_index('things', {'n': 1})",
]
Doing = list[tuple[str, str, int | None]]


class Watching(Unwatched):
    """Notes which steps were carried out, and how many documents each visited."""

    def __init__(self) -> None:
        self.done: Doing = []

    def step(self, place: Place, record: StepRecord) -> None:
        if record.state == "done":
            self.done.append((place.revision, record.title, record.seen if record.kind == "data" else None))


@st.composite
def projects(draw: st.DrawFn) -> tuple[Parents, dict[str, tuple[str, list[str]]]]:
    """Draw a graph, and for each revision its phase and its steps."""
    drawn = draw(parents(5))
    phases = st.sampled_from(["None", "'expand'", "'contract'"])
    steps = st.lists(st.sampled_from(STEPS), max_size=2, unique=True)
    return drawn, {name: (draw(phases), draw(steps)) for name in drawn}


def write(folder: Path, before: Parents, bodies: dict[str, tuple[str, list[str]]]) -> None:
    for name, (phase, steps) in bodies.items():
        head = f"revision, down_revision, phase = {name!r}, {before[name] or None!r}, {phase}\n"
        lines = "\n".join(f"    {line}" for line in steps or ["pass"])
        text = "from boundwork.alembic_like_migrations import op\n\ndef up():\n{}\n\ndef down():\n    {}\n"
        irreversible = any("undo=False" in line for line in steps)
        (folder / f"{name}.py").write_text(head + text.format(lines, "pass" if irreversible else "op.revert()"))


def planned(plan: Plan) -> Doing:
    """Return the steps of a plan; how many documents an index is built of is not how many a step visits."""
    return [
        (one.revision, step.title, step.documents if step.kind == "data" else None)
        for one in plan.revisions
        for step in one.steps
    ]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=projects(), data=st.data())
def test_a_run_does_what_its_plan_said(
    mongod_client: MongoClient[Any], database_name: str, drawn: Any, data: st.DataObject
) -> None:
    database = mongod_client[database_name]
    for name in ("things", "boundwork_migrations", "boundwork_instances"):
        database.drop_collection(name)
    database.things.insert_many([{"_id": number, "n": 0, "m": 0, "t": 0} for number in range(4)])
    with TemporaryDirectory() as folder:
        write(Path(folder), *drawn)
        names = [*sorted(drawn[0]), "heads"]
        Migrator(database, folder).stamp(data.draw(st.sampled_from([*names, "base"]), label="stands at"))
        watching = Watching()
        migrator = Migrator(database, folder, watcher=watching)
        target = data.draw(st.sampled_from(names), label="upgrade to")
        phase: Any = data.draw(st.sampled_from([None, "expand", "contract"]), label="phase")
        try:
            plan = migrator.plan(target, phase=phase)
        except PhaseBlocked as blocked:
            with pytest.raises(PhaseBlocked, match=f"^{blocked}$"):
                migrator.upgrade(target, phase=phase)
            return
        assert migrator.upgrade(target, phase=phase) == tuple(one.revision for one in plan.revisions)
        assert watching.done == planned(plan)
        assert migrator.plan(target, phase=phase) == Plan("up", ())
        watching.done.clear()
        lower = data.draw(st.sampled_from(["base", *migrator.standing().applied]), label="downgrade to")
        down = migrator.plan(lower, direction="down")
        assert migrator.downgrade(lower) == tuple(one.revision for one in down.revisions)
        assert watching.done == planned(down)
