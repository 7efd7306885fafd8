"""Plans on a real server: what they count and warn of, and that making one writes nothing."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from typer.testing import CliRunner

from boundwork.alembic_like_migrations import Instance, Irreversible, Migrator, Plan
from boundwork.cli.app import app

pytestmark = pytest.mark.server
Planned = Callable[..., Plan]
MAIL, AT = {"key": {"mail": 1}, "unique": True}, {"key": {"at": 1}}
IN_ONE = "with op.transaction():\n    "
READING = {"find", "aggregate", "count", "getMore", "hello", "endSessions", "ping", "listCollections"}


class Sent(CommandListener):
    """The names of the commands that were sent; `after` is what somebody does once one of a name was answered."""

    def __init__(self) -> None:
        """Begin with none."""
        self.names: list[str] = []
        self.after: dict[str, Callable[[], object]] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """Note one."""
        stages = event.command.get("pipeline", ())
        writing = any("$out" in stage or "$merge" in stage for stage in stages)
        self.names.append("writing aggregate" if writing else event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Let somebody do what they do then."""
        self.after.get(event.command_name, bool)()

    def failed(self, event: CommandFailedEvent) -> None:
        """Do nothing."""


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def stored(mongod_uri: str, database_name: str, sent: Sent) -> Iterator[Any]:
    with MongoClient[Any](mongod_uri, event_listeners=[sent]) as client:
        client[database_name].users.insert_many(
            [{"_id": number, "mail": number % 9, "first": "a", "age": number} for number in range(10)]
        )
        yield client[database_name]


@pytest.fixture
def planned(stored: Any, tmp_path: Path, sent: Sent) -> Planned:
    """Return a function that plans one revision, and makes sure that this only reads."""

    def plan(*up: str, down: str = "op.revert()", phase: str | None = None) -> Plan:
        write(tmp_path, "one", None, up, down, phase)
        sent.names.clear()
        made = Migrator(stored, tmp_path).plan()
        assert set(sent.names) <= READING
        assert stored.list_collection_names() == ["users"]
        return made

    return plan


def write(folder: Path, name: str, after: str | None, up: Any, down: str = "op.revert()", phase: Any = None) -> None:
    head = f"revision, down_revision, phase = {name!r}, {after!r}, {phase!r}\n"
    lines = "\n".join(f"    {line}" for line in up)
    text = f"from boundwork.alembic_like_migrations import op\n\ndef up():\n{lines}\n\ndef down():\n    {down}\n"
    (folder / f"{name}.py").write_text(head + text)


@pytest.mark.parametrize(
    ("up", "documents", "warning"),
    [
        ("op.update('users', {'$inc': {'age': 1}}, where={'age': {'$gte': 4}}, undo={'$inc': {'age': -1}})", 6, None),
        ("op.update('users', {'$set': {'old': 1}})", 10, "cannot be undone by itself"),
        ("op.create_index('users', {'mail': 1}, unique=True)", 10, "will stop: several documents have the same key"),
        ("op.create_index('users', {'age': 1}, unique=True)", 10, None),
        ("op.drop_collection('users')", None, "loses 10 documents for good"),
        ("op.rename_field('users', 'first', 'age')", 10, "will stop: 10 documents have both 'first' and 'age'"),
        ("op.rename_field('users', 'first', 'given')", 10, None),
        ("op.convert_type('users', 'first', 'int')", 10, "will stop: 10 documents"),
        ("op.unset_field('users', 'first', keep=False)", 10, "its values are not kept"),
        ("op.seed('plans', [{'_id': 1}])", 1, None),
        ("op.execute(print, transaction=False)", None, "may run more than once"),
        (
            "op.set_validator('users', {'properties': {'age': {'maximum': 6}}}, was={})",
            None,
            "tightens what is accepted; 3 stored documents do not conform",
        ),
        (
            "op.set_validator('users', {}, was={'properties': {'age': {'maximum': 6}}})",
            None,
            None,
        ),
    ],
)
def test_a_plan_counts_what_a_step_visits_and_warns(
    planned: Planned, up: str, documents: int | None, warning: str | None
) -> None:
    (revision,) = planned(up, down="pass").revisions
    (step,) = revision.steps
    assert step.documents == documents
    told = "; ".join(step.warnings)
    assert (warning in told) if warning else not told


@pytest.mark.parametrize(
    ("up", "warning"),
    [
        (
            f"op.change_index('users', 'x_1', {MAIL}, {{'key': {{'x': 1}}}})",
            "will stop: several documents have the same",
        ),
        ("op.create_index('users', {'at': 1}, expireAfterSeconds=5)", "lets the server delete documents that are old"),
        (f"op.change_index('users', 'at_1', {{**{AT}, 'expireAfterSeconds': 5}}, {AT})", "lets the server delete"),
        (
            f"op.change_index('users', 'at_1', {{**{AT}, 'expireAfterSeconds': 9}}, {{**{AT}, 'expireAfterSeconds': 5}})",
            None,
        ),
        ("op.collection_options('users', {'cappedMax': 5}, {'cappedMax': 9})", "lets the server delete the oldest"),
        ("op.collection_options('users', {'cappedMax': 9}, {'cappedMax': 5})", None),
        ("op.collection_options('users', {'expireAfterSeconds': 'off'}, {'expireAfterSeconds': 5})", None),
        (
            "op.split_collection('users', 'others', {'age': {'$gte': 4}})",
            "will stop: 2 documents have ids that 'others'",
        ),
        ("op.split_collection('users', 'others', {'age': {'$lt': 4}})", None),
        ("op.rename_field('users', 'l.a', 'l.b', on_conflict='keep_new')", "1 documents have both names"),
        (f"{IN_ONE}op.convert_type('users', 'first', 'int')", "will stop: 10 documents"),
        ("op.drop_collection('seen', was={})", None),
        ("op.set_validator('users', {'required': ['nothing']}, action='warn', was={})", None),
    ],
)
def test_a_plan_warns_of_what_is_lost_and_of_what_stops_it_and_of_nothing_else(
    stored: Any, tmp_path: Path, up: str, warning: str | None
) -> None:
    stored.others.insert_many([{"_id": 8}, {"_id": 9}])
    stored.users.update_one({"_id": 1}, {"$set": {"l": [{"a": 1, "b": 1}]}})
    stored.users.update_one({"_id": 2}, {"$set": {"l": [{"a": 1}, {"b": 1}]}})
    stored.create_collection("seen", viewOn="users", pipeline=[])
    write(tmp_path, "one", None, up.splitlines(), "pass")
    before = hashes(stored)
    (step,) = Migrator(stored, tmp_path).plan().revisions[0].steps
    assert hashes(stored) == before
    told = "; ".join(step.warnings)
    assert (told.startswith(warning)) if warning else not told


def hashes(stored: Any) -> Any:
    """Return what the server makes of all documents and options."""
    return stored.command("dbHash")["md5"], list(stored.list_collections())


def test_a_transaction_with_too_many_documents_is_told_to_stop(
    stored: Any, planned: Planned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boundwork.alembic_like_migrations.planning.warnings.MOST", 9)
    (warning,) = planned(*f"{IN_ONE}op.set_field('users', 'x', 1)".splitlines()).warnings
    assert warning.endswith("has 10 documents, too many for one transaction")


def test_a_time_is_told_of_what_goes_through_documents_and_of_nothing_else(planned: Planned) -> None:
    words = ["op.create_index('users', {'x': 1})", "op.set_field('users', 'x', 1)", "op.seed('users', [{'_id': 'x'}])"]
    (revision,) = planned(*words, "op.set_validator('users', {}, was={})").revisions
    assert [step.seconds is not None for step in revision.steps] == [True, True, False, False]


def test_documents_that_go_after_they_were_counted_leave_a_time(
    stored: Any, planned: Planned, sent: Sent, mongod_client: MongoClient[Any]
) -> None:
    users = mongod_client[stored.name].users
    sent.after["count"] = lambda: users.delete_many({})
    (step,) = planned("op.set_field('users', 'x', 1)").revisions[0].steps
    assert (step.documents, users.count_documents({})) == (10, 0)
    assert step.seconds is not None
    assert step.seconds < 10


def test_the_way_down_is_not_asked_for_a_way_back(stored: Any, tmp_path: Path) -> None:
    up = [
        "op.unset_field('users', 'first')",
        "op.merge_collections('users', 'others')",
        "op.seed('users', [{'_id': 'x'}])",
    ]
    write(tmp_path, "one", None, up)
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade()
    plan = migrator.plan("base", direction="down")
    assert plan.warnings == ()
    assert [step.documents for step in plan.revisions[0].steps] == [1, 10, 10]


def test_what_is_planned_is_what_is_done(stored: Any, planned: Planned, tmp_path: Path) -> None:
    plan = planned("op.set_field('users', 'plan', 'free')", "op.rename_field('users', 'first', 'given')")
    Migrator(stored, tmp_path).upgrade()
    (record,) = stored.boundwork_migrations.find({"revision": "one"})
    assert [step.documents for step in plan.revisions[0].steps] == [step["seen"] for step in record["up"]] == [10, 10]
    assert Migrator(stored, tmp_path).plan() == Plan("up", ())


def test_a_downgrade_is_planned_with_all_that_it_takes_along_and_what_stops_it(stored: Any, tmp_path: Path) -> None:
    write(tmp_path, "one", None, ["pass"])
    write(tmp_path, "two", "one", ["op.set_field('users', 'plan', 'free')"])
    write(tmp_path, "three", "one", ["op.update('users', {'$set': {'x': 1}})"])
    migrator = Migrator(stored, tmp_path)
    migrator.upgrade("heads")
    plan = migrator.plan("two", direction="down")
    assert [one.revision for one in plan.revisions] == ["three"]
    assert "cannot be reverted" in plan.warnings[0]
    with pytest.raises(Irreversible):
        migrator.downgrade("two")
    assert {one.revision for one in migrator.plan("base", direction="down").revisions} == {"one", "two", "three"}


def test_a_plan_says_that_the_gate_would_refuse(stored: Any, tmp_path: Path) -> None:
    write(tmp_path, "one", None, ["pass"])
    write(tmp_path, "two", "one", ["op.unset_field('users', 'first')"], phase="contract")
    with Instance(stored, "worker", "base"):
        (warning,) = Migrator(stored, tmp_path).plan().warnings
    assert warning.startswith("the gate will refuse: worker at base")


@pytest.mark.parametrize("words", [["plan"], ["upgrade", "--dry-run"]])
def test_the_command_tells_the_plan(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_uri: str, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MONGODB_URI", database_uri)
    runner = CliRunner()
    runner.invoke(app, ["migrate", "init"])
    write(tmp_path / "migrations", "one", None, ["op.drop_collection('users')"], "pass", "contract")
    lines = runner.invoke(app, ["migrate", *words]).stdout.splitlines()
    assert lines[0] == "apply one (contract)"
    assert lines[1].startswith("  drop collection users with its documents  locks the collection")
    assert lines[2] == "    ! loses 10 documents for good"
    assert "would apply 1 revision in about 0.0 s, 2 warnings" in lines[-1]
    (told,) = json.loads(runner.invoke(app, ["migrate", *words, "--json"]).stdout)["databases"]
    assert told["plan"]["revisions"][0]["steps"][0]["warnings"][0] == "loses 10 documents for good"
    assert stored.users.count_documents({}) == 10
    with Instance(stored, "worker", "elsewhere"):
        refused = runner.invoke(app, ["migrate", "upgrade"])
    assert (refused.exit_code, stored.users.count_documents({})) == (6, 10)
    assert "worker at elsewhere" in refused.stderr
