"""How a value is sent along a way, what is captured at the port, and which errors are clear ones."""

import contextlib
import linecache
import traceback
from typing import Any

import pytest
from bson.errors import BSONError
from pydantic import ValidationError

from boundwork import BoundworkError
from boundwork.uow.commands import (
    Aggregate,
    BulkWrite,
    DeleteMany,
    DeleteOne,
    Distinct,
    FindAndUpdate,
    InsertOne,
    UpdateMany,
    UpdateOne,
    UpsertOne,
)
from boundwork.uow.sessions.memory.session import MemorySession
from tests.properties.hostile.checking import (
    check_changes,
    check_document,
    check_filter,
    check_no_server_code,
    check_options,
    check_sort,
    check_update,
)
from tests.properties.hostile.ways import PATHS, Way

NOT_SENT = (BSONError, UnicodeError, OverflowError, RecursionError)
"""What the driver raises instead of sending what BSON cannot hold."""
LOCKS = {"_id", "taken", "_boundwork_lock"}
OWN_CHANGES = {"$inc", "$set"}
"""A version is counted, and what is removed softly is marked."""
READ_AS_THEY_ARE = {"pointings"}
"""Collections whose documents are really read; in the others nothing is found, so that no way depends on what is there."""


class Captured:
    """The commands that reached the port; `checked` says how many were looked at."""

    def __init__(self) -> None:
        self.commands: list[Any] = []
        self.checked = 0

    def check(self, *, plain: bool = False, operators: str = "") -> None:
        """Check all commands since the last call; `operators` are those that the program wrote in changes."""
        commands, self.commands = self.commands, []
        for command in commands:
            with contextlib.suppress(*NOT_SENT):
                if plain:
                    for part in _asked(command):
                        check_no_server_code(part)
                else:
                    _check(command, {*operators.split(), *OWN_CHANGES})
                self.checked += 1


def _asked(command: Any) -> list[Any]:
    if isinstance(command, Aggregate):
        return [list(command.pipeline)]
    if isinstance(command, BulkWrite):
        return [write.filter for write in command.writes if isinstance(write, UpdateMany | DeleteMany)]
    return [command.filter]


def _check(command: Any, operators: set[str]) -> None:
    """Raise Foreign if a command has an operator of somebody else."""
    known = PATHS.get(command.collection, LOCKS)
    if isinstance(command, BulkWrite):
        for write in command.writes:
            _check_write(write, known, operators)
        return
    check_filter(command.filter, known)
    check_sort(getattr(command, "sort", ()), known)
    check_options(command.options, getattr(command, "skip", 0), getattr(command, "limit", 0))
    assert not isinstance(command, Distinct) or "$" not in command.path
    if isinstance(command, FindAndUpdate):
        check_changes(command.update, command.array_filters, known, operators)


def _check_write(write: Any, known: set[str], operators: set[str]) -> None:
    if isinstance(write, InsertOne | UpsertOne):
        check_document(write.document, known | {"secret"})
        return
    check_filter(write.filter, known)
    if isinstance(write, UpdateMany | DeleteMany):
        check_options(write.options)
    if isinstance(write, UpdateMany):
        check_changes(write.update, write.array_filters, known, operators)
    elif isinstance(write, UpdateOne):
        update = {name: fields for name, fields in write.update.items() if name != "$inc"}
        check_update(update, known | LOCKS)
        for path, by in write.update.get("$inc", {}).items():  # of a version, or of a named lock
            assert path in {"version", "taken"}
            assert type(by) is int
    else:
        assert isinstance(write, DeleteOne | DeleteMany)


def captured_by(patch: pytest.MonkeyPatch) -> Captured:
    """Have the commands that reach the port of the in-memory database."""
    captured = Captured()

    def watched(name: str, found: Any) -> None:
        real = getattr(MemorySession, name)

        async def watching(self: MemorySession, command: Any, *more: Any) -> Any:
            captured.commands += command if name == "write" else [command]
            if found is None or getattr(command, "collection", "") in READ_AS_THEY_ARE:
                return await real(self, command, *more)
            return found

        patch.setattr(MemorySession, name, watching)

    answers: dict[str, Any] = {
        "find": [],
        "count": 0,
        "distinct": [],
        "aggregate": [],
        "find_and_update": [],
        "write": None,
    }
    for name, found in answers.items():
        watched(name, found)
    return captured


class Sender:
    """Sends values, each in a unit of its own that is rolled back, and keeps the errors that are not clear."""

    def __init__(self) -> None:
        self.taken = 0
        self.unclear: list[str] = []

    def send(self, shop: Any, way: Way, value: Any) -> None:
        """Take one way."""
        try:
            with shop as uow:
                way(uow, value)
                uow.rollback()
        except BoundworkError:
            pass
        except (TypeError, ValueError, AttributeError) as error:
            self._judge(error)
        except Exception as error:
            self.unclear.append(_shown(error))
        else:
            self.taken += 1

    def _judge(self, error: Exception) -> None:
        if not _is_clear(error):
            self.unclear.append(_shown(error))


def _shown(error: Exception) -> str:
    return "".join(traceback.format_exception(error)[-8:])


def _is_clear(error: Exception) -> bool:
    """Tell whether an error was raised on purpose: by a `raise` of boundwork, or in a line of the tests themselves.

    What no JSON can bring, an object that lies about its class or a key without a hash, Python itself refuses by name.
    """
    if "'Disguised'" in str(error) or str(error).startswith("unhashable type"):
        return True
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/pydantic/" not in frame.filename]
    last = frames[-1]
    if "/tests/" in last.filename:
        return True
    if isinstance(error, ValidationError):
        return any("/tests/" in frame.filename for frame in frames[-2:])
    return "/boundwork/" in last.filename and linecache.getline(last.filename, last.lineno or 0).strip().startswith(
        "raise"
    )
