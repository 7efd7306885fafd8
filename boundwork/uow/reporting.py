"""Which public error a failure of the session becomes.

Decides on kind, code and labels alone. What was being written is named by collection, id and fields.
"""

from boundwork.errors import (
    BoundworkError,
    CommitOutcomeUnknown,
    DuplicateKey,
    InvalidDocument,
    ServerUnavailable,
    TransactionFailed,
    TransactionsUnavailable,
    TransientFailure,
)
from boundwork.uow.changes import Insertion
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.flush_plan import PlannedBulk, PlannedWrite
from boundwork.uow.too_large import named, too_large

LIFETIME_OR_LOST = 251
LARGE_TRANSACTION = {257, 388}
EARLIER = (
    "The unit had committed before, by commit(): that stays. Only what came after it was rolled back, "
    "and run and attempts do not repeat the body."
)
STANDALONE = (
    "The server is a standalone, and only members of a replica set have transactions. "
    "Start it with --replSet and initiate the set (one node is enough)."
)


def public_error(failure: SessionFailure, about: str | None = None) -> BoundworkError:
    """Return the error for a command that failed before any commit was sent; `about` names the document."""
    code = "" if failure.code is None else f" (code {failure.code})"
    if failure.kind in {FailureKind.UNREACHABLE, FailureKind.LOGIN}:
        return ServerUnavailable(f"{_capital(failure)}{code}. Nothing was written. Check the address and the login.")
    if failure.kind is FailureKind.NO_TRANSACTIONS:
        return TransactionsUnavailable(STANDALONE, code=failure.code, labels=failure.labels)
    if failure.transient:
        why = "lost its transaction" if failure.code == LIFETIME_OR_LOST else "met another writer or a lost connection"
        return TransientFailure(
            f"The unit {why}{code} and was rolled back: nothing was written. Run it again (run or attempts).",
            code=failure.code,
            labels=failure.labels,
        )
    if failure.code in LARGE_TRANSACTION:
        return TransactionFailed(
            f"The transaction is larger than the server can hold{code}. The unit was rolled back: nothing was written. "
            "Do the work in several units, or with a commit() in between.",
            code=failure.code,
            labels=failure.labels,
        )
    where = f" on collection {failure.collection!r}" if failure.collection else ""
    where += f", {about}" if about else ""
    detail = f": {failure.detail['text'].rstrip('.')}" if "text" in failure.detail else ""
    return TransactionFailed(
        f"{_capital(failure)}{code}{where}{detail}. The unit was rolled back: nothing was written.",
        code=failure.code,
        labels=failure.labels,
    )


def write_error(failure: SessionFailure, bulks: list[PlannedBulk]) -> BoundworkError:
    """Return the error for bulks that failed, naming the document whose write was refused."""
    planned = _planned(failure, bulks)
    refusal = _refusal(bulks) if failure.kind is FailureKind.MISUSE else too_large(failure, planned, bulks)
    if refusal is not None:
        return refusal
    if planned is None:
        return public_error(failure)
    change = planned.change
    if failure.kind in {FailureKind.DUPLICATE_KEY, FailureKind.INVALID_DOCUMENT} and planned.temporary:
        fields = ", ".join(planned.unset)
        return TransactionFailed(
            f"Documents of {change.mapper.collection!r} exchange values of the unique key ({fields}), and the "
            f"collection does not let {change.id!r} be without it for a moment (a validator or the index). "
            "The unit was rolled back: nothing was written. Exchange the values in two units.",
            code=failure.code,
            labels=failure.labels,
        )
    if failure.kind is FailureKind.DUPLICATE_KEY:
        origin = change.origin if isinstance(change, Insertion) else None
        return DuplicateKey(change.mapper.collection, change.id, failure.key, origin)
    if failure.kind is FailureKind.INVALID_DOCUMENT:
        problem = [("document", "refused by the validator of the collection")]
        return InvalidDocument(change.mapper.collection, change.id, problem, stored=False)
    return public_error(failure, named(change))


def unknown_outcome(failure: SessionFailure) -> CommitOutcomeUnknown:
    """Return the error for a commit that was sent and never clearly answered."""
    code = "" if failure.code is None else f" (code {failure.code})"
    return CommitOutcomeUnknown(
        f"The commit was sent, but {failure.kind.value}{code}: nobody can say whether it happened. "
        "Read what the unit wrote before the work is repeated.",
        code=failure.code,
        labels=failure.labels,
    )


def note_earlier_commit(error: BaseException) -> None:
    """Note on an error that what it says of the whole unit holds from the last commit on."""
    if isinstance(error, BoundworkError) and EARLIER not in getattr(error, "__notes__", ()):
        error.add_note(EARLIER)


def _refusal(bulks: list[PlannedBulk]) -> InvalidDocument | None:
    """Find the new document that the driver could not encode; what updates write was encoded when it was verified."""
    for bulk in bulks:
        for write in bulk.writes:
            if isinstance(write.change, Insertion):
                found = write.change.mapper.refusal(write.change.id, dict(write.change.stored))
                if found is not None:
                    return found
    return None


def _planned(failure: SessionFailure, bulks: list[PlannedBulk]) -> PlannedWrite | None:
    if failure.index is None:
        return None
    for bulk in bulks:
        if bulk.collection == failure.collection and failure.index < len(bulk.writes):
            return bulk.writes[failure.index]
    return None


def _capital(failure: SessionFailure) -> str:
    text = failure.kind.value
    return text[0].upper() + text[1:]
