"""What a unit promises for each failure of each of its commands: the rows of the table in docs/reliability.md.

`python -m tests.failure.expected` prints the table; `test_outcome_table.py` holds every cell against a real server.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

IN_THE_BODY = ("find", "getMore", "insert", "update", "delete", "aggregate")
READS = ("find", "getMore")
COMMIT = "commitTransaction"
ABORT = "abortTransaction"
COMMANDS = (*IN_THE_BODY, COMMIT, ABORT)


def _concern(code: int, *labels: str) -> dict[str, Any]:
    concern = {"writeConcernError": {"code": code, "errmsg": "as the test wants it"}}
    return {**concern, "errorLabels": list(labels)} if labels else concern


TRANSIENT_LABEL = "TransientTransactionError"
UNKNOWN_LABEL = "UnknownTransactionCommitResult"


# What the server is told to do; where it says nothing of labels, they are those that the server gives itself.
FAILURES: dict[str, dict[str, Any]] = {
    "connection closed": {"closeConnection": True},
    "WriteConflict 112": {"errorCode": 112},
    "NoSuchTransaction 251": {"errorCode": 251},
    "NoSuchTransaction 251 without label": {"errorCode": 251, "errorLabels": []},
    "ShutdownInProgress 91": {"errorCode": 91},
    "PrimarySteppedDown 189": {"errorCode": 189},
    "NotWritablePrimary 10107": {"errorCode": 10107},
    "InterruptedAtShutdown 11600": {"errorCode": 11600},
    "MaxTimeMSExpired 50": {"errorCode": 50},
    "UnknownError 8": {"errorCode": 8},
    "TransactionTooLargeForCache 388": {"errorCode": 388},
    "TransactionTooOld 225": {"errorCode": 225},
    "write concern error 64": _concern(64),
    "write concern error 91": _concern(91),
    "write concern error 79": _concern(79),
    "write concern error 100": _concern(100),
    "write concern error 100, labelled transient": _concern(100, TRANSIENT_LABEL),
    "WriteConflict 112, labelled unknown too": {"errorCode": 112, "errorLabels": [TRANSIENT_LABEL, UNKNOWN_LABEL]},
}
# Nothing but a commit is answered like this.
OF_COMMITS = {"write concern error 100, labelled transient", "WriteConflict 112, labelled unknown too"}
# PyMongo sends a commit or an abort a second time after these, so it takes two of them to reach the unit.
SENT_TWICE = {
    "connection closed",
    "ShutdownInProgress 91",
    "PrimarySteppedDown 189",
    "NotWritablePrimary 10107",
    "InterruptedAtShutdown 11600",
    "write concern error 91",
}


@dataclass(frozen=True)
class Outcome:
    """How a unit ends, in a block and in `run` alike: the body is never called again.

    `result` is what the block raises; `replays` how often the unit repeats its log. `left_open` says that the fail
    point kept the server from ending the transaction: it is there until its lifetime is over or its session is used
    again.
    """

    result: str
    written: bool
    replays: int = 0
    left_open: bool = False


COMMITTED = Outcome("committed", written=True)
FAILED = Outcome("TransactionFailed", written=False)
UNKNOWN_APPLIED = Outcome("CommitOutcomeUnknown", written=True)
UNKNOWN_NOT_APPLIED = Outcome("CommitOutcomeUnknown", written=False, left_open=True)
REPEATED = Outcome("committed", written=True, replays=1)
NEVER = Outcome("", written=False)
OWN_ERROR = Outcome("the error of the body", written=False)
OWN_ERROR_LEFT_OPEN = replace(OWN_ERROR, left_open=True)

# For each failure: of a command in the body, of the commit, of the abort after the body raised an error of its own.
TABLE: dict[str, tuple[Outcome, Outcome, Outcome]] = {
    "connection closed": (REPEATED, COMMITTED, OWN_ERROR_LEFT_OPEN),
    "WriteConflict 112": (REPEATED, REPEATED, OWN_ERROR_LEFT_OPEN),
    "NoSuchTransaction 251": (REPEATED, REPEATED, OWN_ERROR_LEFT_OPEN),
    "NoSuchTransaction 251 without label": (FAILED, UNKNOWN_NOT_APPLIED, OWN_ERROR_LEFT_OPEN),
    "ShutdownInProgress 91": (REPEATED, COMMITTED, OWN_ERROR_LEFT_OPEN),
    "PrimarySteppedDown 189": (REPEATED, COMMITTED, OWN_ERROR_LEFT_OPEN),
    "NotWritablePrimary 10107": (REPEATED, COMMITTED, OWN_ERROR_LEFT_OPEN),
    "InterruptedAtShutdown 11600": (REPEATED, COMMITTED, OWN_ERROR_LEFT_OPEN),
    "MaxTimeMSExpired 50": (FAILED, COMMITTED, OWN_ERROR_LEFT_OPEN),
    "UnknownError 8": (FAILED, FAILED, OWN_ERROR_LEFT_OPEN),
    "TransactionTooLargeForCache 388": (FAILED, FAILED, OWN_ERROR_LEFT_OPEN),
    "TransactionTooOld 225": (FAILED, UNKNOWN_NOT_APPLIED, OWN_ERROR_LEFT_OPEN),
    "write concern error 64": (FAILED, COMMITTED, OWN_ERROR),
    "write concern error 91": (FAILED, COMMITTED, OWN_ERROR),
    "write concern error 79": (FAILED, UNKNOWN_APPLIED, OWN_ERROR),
    "write concern error 100": (FAILED, UNKNOWN_APPLIED, OWN_ERROR),
    "write concern error 100, labelled transient": (NEVER, UNKNOWN_APPLIED, NEVER),
    "WriteConflict 112, labelled unknown too": (NEVER, COMMITTED, NEVER),
}


@dataclass(frozen=True)
class Cell:
    """One command that fails in one way."""

    command: str
    failure: str

    def __str__(self) -> str:
        return f"{self.command}, {self.failure}"

    @property
    def times(self) -> int:
        """How often in a row the command fails."""
        return 2 if self.command in {COMMIT, ABORT} and self.failure in SENT_TWICE else 1

    @property
    def outcome(self) -> Outcome:
        """What the unit comes to."""
        column = {COMMIT: 1, ABORT: 2}.get(self.command, 0)
        return TABLE[self.failure][column]


def cells() -> Iterator[Cell]:
    """Iterate over all cells: no reply to a read carries a write concern error."""
    for failure in FAILURES:
        for command in COMMANDS:
            answers = command == COMMIT if failure in OF_COMMITS else not _is_concern(failure) or command not in READS
            if answers:
                yield Cell(command, failure)


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Iterate over the rows of the table in the documentation, one a failure, the first being the headings.

    The columns: the failure; what a unit comes to when it meets a command of the body, the commit, the abort.
    """
    yield ("failure", "of a command in the body", "of the commit", "of the abort")
    for failure in FAILURES:
        body, commit, abort = (_said(Cell(command, failure).outcome) for command in ("update", COMMIT, ABORT))
        yield (failure, body, commit, abort)


def markdown() -> str:
    """Return the table for docs/reliability.md."""
    headings, *lines = rows()
    return "\n".join("| " + " | ".join(row) + " |" for row in (headings, ("---",) * len(headings), *lines))


def _is_concern(failure: str) -> bool:
    return failure.startswith("write concern")


def _said(outcome: Outcome) -> str:
    if outcome is NEVER:
        return "-"
    name = f"`{outcome.result}`" if outcome.result[0].isupper() else outcome.result
    after = " after a replay" if outcome.replays else ""
    return f"{name}{after}, {'all' if outcome.written else 'nothing'} written"


if __name__ == "__main__":
    sys.stdout.write(f"{markdown()}\n")
