"""What real exception objects of PyMongo mean."""

from typing import Any

import pytest
from bson.errors import InvalidDocument, InvalidStringData
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from boundwork.uow.commands import BulkWrite, DeleteOne, InsertOne
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.sessions.pymongo_failures import failures_of, session_failure

SECRET = "s3cret"  # noqa: S105 - a value that no failure may show
TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
PEOPLE = BulkWrite("people", (InsertOne({"_id": 1}), InsertOne({"_id": 2})))
TOWNS = BulkWrite("towns", (DeleteOne({"_id": 1}),))
TAKEN = {"index": 1, "code": 11000, "keyPattern": {"email": 1}, "keyValue": {"email": SECRET}, "errmsg": SECRET}


def labelled(error: PyMongoError, *labels: str) -> PyMongoError:
    for label in labels:
        error._add_error_label(label)
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (AutoReconnect("reset"), FailureKind.NETWORK),
        (NetworkTimeout("slow"), FailureKind.NETWORK),
        (NotPrimaryError("stepped down"), FailureKind.NETWORK),
        (ServerSelectionTimeoutError("no primary"), FailureKind.UNREACHABLE),
        (DocumentTooLarge("large"), FailureKind.TOO_LARGE),
        (InvalidOperation("ended"), FailureKind.MISUSE),
        (ConfigurationError("options"), FailureKind.MISUSE),
        (InvalidDocument("cannot encode"), FailureKind.MISUSE),
        (TypeError("filter"), FailureKind.MISUSE),
        (OverflowError("8-byte ints"), FailureKind.MISUSE),
        (OperationFailure("x", 18), FailureKind.LOGIN),
        (OperationFailure("x", 20), FailureKind.NO_TRANSACTIONS),
        (OperationFailure("x", 121), FailureKind.INVALID_DOCUMENT),
        (OperationFailure("x", 10334), FailureKind.TOO_LARGE),
        (OperationFailure("x", 112), FailureKind.SERVER),
        (OperationFailure("x"), FailureKind.SERVER),
        (DuplicateKeyError("x", 11000), FailureKind.DUPLICATE_KEY),
        (ExecutionTimeout("x", 50), FailureKind.SERVER),
        (WriteConcernError("x", 79), FailureKind.SERVER),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'code', '')}" if isinstance(value, Exception) else "",
)
def test_class_and_code_decide_on_the_kind(error: Exception, kind: FailureKind) -> None:
    report = session_failure(error, ())
    assert report.kind is kind
    assert report.code == getattr(error, "code", None)


def test_labels_that_were_added_and_labels_of_the_reply_count() -> None:
    assert session_failure(labelled(AutoReconnect("x"), TRANSIENT), ()).transient
    assert session_failure(labelled(AutoReconnect("x"), UNKNOWN), ()).unknown
    replied = OperationFailure("x", 251, {"errorLabels": [TRANSIENT, "SomethingElse"]})
    report = session_failure(replied, ())
    assert (report.labels, report.transient, report.unknown) == (frozenset({TRANSIENT}), True, False)


@pytest.mark.parametrize(
    "error",
    [
        WTimeoutError("x", 64, {"writeConcernError": {"code": 64}}),
        WTimeoutError("x", 64),
        OperationFailure("x", 100, {"ok": 1, "writeConcernError": {"code": 100}}),
        BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 100}]}),
    ],
    ids=["time-out with details", "time-out", "unsatisfiable", "bulk"],
)
def test_a_write_concern_error_is_told(error: Exception) -> None:
    assert session_failure(error, [PEOPLE]).write_concern


def test_other_errors_have_no_write_concern_error() -> None:
    assert not session_failure(OperationFailure("x", 112, {"ok": 0}), ()).write_concern
    assert not session_failure(AutoReconnect("x"), ()).write_concern


def test_a_bulk_names_the_write_that_failed_and_the_fields_of_the_key() -> None:
    error = BulkWriteError({"writeErrors": [TAKEN], "writeConcernErrors": []})
    report = session_failure(error, [PEOPLE])
    assert report.kind is FailureKind.DUPLICATE_KEY
    assert (report.code, report.collection, report.index, report.key) == (11000, "people", 1, ("email",))


def test_a_write_concern_error_of_a_bulk_has_its_own_code() -> None:
    concern = {"code": 100, "errmsg": "not enough members"}
    error = BulkWriteError({"writeErrors": [], "writeConcernErrors": [concern]})
    details: dict[str, Any] = {"writeErrors": [], "writeConcernErrors": [concern], "error": None}
    for failed in (error, ClientBulkWriteException(details, verbose=False)):
        report = session_failure(failed, [PEOPLE])
        assert (report.code, report.write_concern) == (100, True)


def test_a_transient_bulk_keeps_its_labels() -> None:
    error = BulkWriteError({"writeErrors": [{"index": 0, "code": 112}], "errorLabels": [TRANSIENT]})
    assert session_failure(error, [PEOPLE]).transient


@pytest.mark.parametrize(
    ("place", "collection", "index"), [(0, "people", 0), (1, "people", 1), (2, "towns", 0), (3, None, None)]
)
def test_a_bulk_of_the_client_counts_over_all_collections(
    place: int, collection: str | None, index: int | None
) -> None:
    details: dict[str, Any] = {"writeErrors": [{**TAKEN, "idx": place}], "writeConcernErrors": [], "error": None}
    report = session_failure(ClientBulkWriteException(details, verbose=False), [PEOPLE, TOWNS])
    assert report.kind is FailureKind.DUPLICATE_KEY
    assert (report.collection, report.index, report.key) == (collection, index, ("email",))


def test_a_bulk_of_the_client_that_failed_as_a_whole_is_the_error_inside() -> None:
    inner = labelled(AutoReconnect("reset"), TRANSIENT)
    details: dict[str, Any] = {"writeErrors": [], "writeConcernErrors": [], "error": inner}
    report = session_failure(ClientBulkWriteException(details, verbose=False), [PEOPLE])
    assert report.kind is FailureKind.NETWORK
    assert report.transient


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError(SECRET, 11000, {"errmsg": SECRET, "keyPattern": {"email": 1}, "keyValue": {"email": SECRET}}),
        OperationFailure(SECRET, 121, {"errmsg": SECRET, "errInfo": {"failingDocumentId": SECRET}}),
        BulkWriteError({"writeErrors": [{**TAKEN, "op": {"email": SECRET}}]}),
        InvalidDocument(SECRET),
        InvalidStringData(SECRET),
        TypeError(SECRET),
        DocumentTooLarge(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_value_of_a_document_is_kept(error: Exception) -> None:
    report = session_failure(error, [PEOPLE])
    assert SECRET not in f"{report} {vars(report)}"


def test_the_driver_s_error_is_the_cause() -> None:
    error = AutoReconnect("reset")
    with pytest.raises(SessionFailure) as caught, failures_of():
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ZeroDivisionError()], ids=["ctrl-c", "a fault"])
def test_what_is_no_failure_of_the_driver_passes_through(error: BaseException) -> None:
    with pytest.raises(type(error)), failures_of():
        raise error
