"""What PyMongo's exceptions mean for a unit.

Facts are taken from classes, codes, labels and structured details, never from the server's texts: those can carry
values of documents.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, cast

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    InvalidOperation,
    OperationFailure,
    ProtocolError,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
)

from boundwork.uow.commands import BulkWrite
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.unquoting import unquoted

KINDS = {
    11000: FailureKind.DUPLICATE_KEY,
    11001: FailureKind.DUPLICATE_KEY,
    12582: FailureKind.DUPLICATE_KEY,
    121: FailureKind.INVALID_DOCUMENT,
    10334: FailureKind.TOO_LARGE,
    17280: FailureKind.TOO_LARGE,
    17419: FailureKind.TOO_LARGE,
    18: FailureKind.LOGIN,
    8000: FailureKind.LOGIN,
    20: FailureKind.NO_TRANSACTIONS,
}


class failures_of:  # noqa: N801 - reads as a word: with failures_of(bulks)
    """Turn what PyMongo raises inside the block into `SessionFailure`, with the write of `bulks` that failed."""

    __slots__ = ("_bulks",)

    def __init__(self, bulks: Sequence[BulkWrite] = ()) -> None:
        """Know the bulks that the block sends."""
        self._bulks = bulks

    def __enter__(self) -> None:
        """Begin to watch."""

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Raise the facts in place of the driver's error."""
        if error is not None:
            raise_failure(error, self._bulks)


def raise_failure(error: BaseException, bulks: Sequence[BulkWrite]) -> None:
    """Raise the facts of an error that the driver raised; leave any other alone."""
    if isinstance(error, (PyMongoError, BSONError, TypeError, OverflowError, UnicodeError, RecursionError)):
        failure = session_failure(error, bulks)
        unquoted(error)
        raise failure from error


def is_transient(error: BaseException | None) -> bool:
    """Tell whether an error says that its transaction may be tried again."""
    return "TransientTransactionError" in _labels(error)


def session_failure(error: Exception, bulks: Sequence[BulkWrite]) -> SessionFailure:
    """Return the facts of one exception."""
    if isinstance(error, BulkWriteError):
        return _of_bulk(error, bulks)
    if isinstance(error, ClientBulkWriteException):
        return _of_client_bulk(error, bulks)
    labels = _labels(error)
    if isinstance(error, OperationFailure):
        details = error.details or {}
        return SessionFailure(
            KINDS.get(error.code or 0, FailureKind.SERVER),
            code=error.code,
            labels=labels,
            write_concern=isinstance(error, WriteConcernError) or "writeConcernError" in details,
            key=tuple(details.get("keyPattern", ())),
            detail=_named(details),
        )
    return SessionFailure(_kind(error), labels=labels, detail=_described(error))


def _kind(error: Exception) -> FailureKind:
    if isinstance(error, ServerSelectionTimeoutError):
        return FailureKind.UNREACHABLE
    if isinstance(error, ConnectionFailure | ProtocolError):
        return FailureKind.NETWORK
    if isinstance(error, DocumentTooLarge):
        return FailureKind.TOO_LARGE
    return FailureKind.MISUSE


def _labels(error: BaseException | None) -> frozenset[str]:
    """Return the labels that matter; PyMongo calls transient what it refuses itself, such as the use of a closed client."""
    if not isinstance(error, PyMongoError) or isinstance(error, InvalidOperation):
        return frozenset()
    known = ("TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError")
    return frozenset(filter(error.has_error_label, known))


def _of_bulk(error: BulkWriteError, bulks: Sequence[BulkWrite]) -> SessionFailure:
    details = cast("Mapping[str, Any]", error.details or {})
    writes: list[Mapping[str, Any]] = list(details.get("writeErrors", ()))
    concerns: list[Mapping[str, Any]] = list(details.get("writeConcernErrors", ()))
    first: Mapping[str, Any] = writes[0] if writes else {}
    code = _code_of([*writes, *concerns], error)
    return SessionFailure(
        KINDS.get(code or 0, FailureKind.SERVER),
        code=code,
        labels=_labels(error),
        write_concern=bool(concerns),
        collection=bulks[0].collection if len(bulks) == 1 else None,
        index=first.get("index"),
        key=tuple(first.get("keyPattern", ())),
    )


def _of_client_bulk(error: ClientBulkWriteException, bulks: Sequence[BulkWrite]) -> SessionFailure:
    if error.error is not None and not error.write_errors:
        return session_failure(error.error, bulks)
    writes = cast("list[Mapping[str, Any]]", error.write_errors or [])
    concerns = cast("list[Mapping[str, Any]]", error.write_concern_errors or [])
    first: Mapping[str, Any] = writes[0] if writes else {}
    code = _code_of([*writes, *concerns], error)
    place = first.get("idx", first.get("index"))
    collection, index = _located(place, bulks)
    return SessionFailure(
        KINDS.get(code or 0, FailureKind.SERVER),
        code=code,
        labels=_labels(error),
        write_concern=bool(concerns),
        collection=collection,
        index=index,
        key=tuple(first.get("keyPattern", ())),
    )


def _code_of(errors: Sequence[Mapping[str, Any]], bulk: OperationFailure) -> int | None:
    """Return the code of the first error inside; that of the bulk itself says only that there is one."""
    return errors[0].get("code", bulk.code) if errors else bulk.code


def _located(place: int | None, bulks: Sequence[BulkWrite]) -> tuple[str | None, int | None]:
    """Return the collection and the place inside its bulk of a write that was counted over all bulks."""
    if place is not None:
        for bulk in bulks:
            if place < len(bulk.writes):
                return bulk.collection, place
            place -= len(bulk.writes)
    return None, None


def _named(details: Mapping[str, Any]) -> dict[str, Any]:
    name = details.get("codeName")
    return {"text": name} if isinstance(name, str) else {}


def _described(error: Exception) -> dict[str, Any]:
    """Keep the driver's own texts where they speak of the call and not of documents."""
    if isinstance(error, InvalidOperation | ConfigurationError | ServerSelectionTimeoutError):
        return {"text": str(error)}
    return {"text": type(error).__name__}
