"""Which failure becomes which error, and what its text says."""

import pytest

from boundwork.errors import (
    CommitOutcomeUnknown,
    DuplicateKey,
    InvalidDocument,
    ServerUnavailable,
    TransactionFailed,
    TransactionsUnavailable,
    TransientFailure,
)
from boundwork.uow.changes import Change
from boundwork.uow.commands import UniqueKey
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.flush_plan import PlannedBulk, planned
from boundwork.uow.reporting import public_error, unknown_outcome, write_error
from tests.unit.uow.people import alteration, insertion, removal
from tests.unit.uow.scripted import TRANSIENT, UNKNOWN, failure

SECRET = "s3cret"  # noqa: S105 - a value that no text may show
EMAIL = UniqueKey("email_1", ("email",))


def bulks() -> list[PlannedBulk]:
    changes: list[Change] = [
        insertion(1, {"email": SECRET}, "shop.py:12"),
        alteration(2, {"email": "b"}, {"email": SECRET + "2"}),
    ]
    return [planned("people", changes, [EMAIL])]


def refused(kind: FailureKind, index: int | None, *, collection: str | None = "people") -> SessionFailure:
    return SessionFailure(kind, code=11000, collection=collection, index=index, key=("email",))


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        (failure(FailureKind.UNREACHABLE), ServerUnavailable),
        (failure(FailureKind.UNREACHABLE, labels=TRANSIENT), ServerUnavailable),
        (failure(FailureKind.LOGIN, code=18), ServerUnavailable),
        (failure(FailureKind.NO_TRANSACTIONS, code=20), TransactionsUnavailable),
        (failure(code=112, labels=TRANSIENT), TransientFailure),
        (failure(FailureKind.NETWORK, labels=TRANSIENT), TransientFailure),
        (failure(FailureKind.NETWORK), TransactionFailed),
        (failure(code=2), TransactionFailed),
        (failure(FailureKind.TOO_LARGE, code=10334), TransactionFailed),
        (failure(FailureKind.MISUSE), TransactionFailed),
    ],
    ids=lambda value: f"{value.kind.name} {value.code}" if isinstance(value, SessionFailure) else value.__name__,
)
def test_kind_and_labels_decide(report: SessionFailure, kind: type[BaseException]) -> None:
    assert type(public_error(report)) is kind


def test_code_and_labels_are_kept() -> None:
    error = public_error(failure(code=112, labels=TRANSIENT))
    assert isinstance(error, TransientFailure)
    assert (error.code, error.labels) == (112, TRANSIENT)
    assert "(code 112)" in str(error)


def test_a_lost_transaction_is_told_from_a_conflict() -> None:
    assert "lost its transaction" in str(public_error(failure(code=251, labels=TRANSIENT)))
    assert "met another writer" in str(public_error(failure(code=112, labels=TRANSIENT)))


def test_every_text_says_what_was_written_and_what_to_do() -> None:
    for kind in FailureKind:
        text = str(public_error(failure(kind)))
        assert "othing was written" in text or "--replSet" in text
        assert text[0].isupper()
        assert text.endswith((".", ")."))


def test_the_driver_s_words_are_added_where_the_session_gave_them() -> None:
    report = SessionFailure(FailureKind.SERVER, code=2, collection="people", detail={"text": "BadValue"})
    assert "The server refused the command (code 2) on collection 'people': BadValue." in str(public_error(report))


def test_a_taken_key_names_the_document_and_where_it_was_added() -> None:
    error = write_error(refused(FailureKind.DUPLICATE_KEY, 0), bulks())
    assert isinstance(error, DuplicateKey)
    assert (error.collection, error.id, error.fields, error.origin) == ("people", 1, ("email",), "shop.py:12")


def test_a_taken_key_of_an_update_has_no_origin() -> None:
    error = write_error(refused(FailureKind.DUPLICATE_KEY, 1), bulks())
    assert isinstance(error, DuplicateKey)
    assert (error.id, error.origin) == (2, None)


def test_the_place_of_a_write_is_counted_in_the_planned_order() -> None:
    changes: list[Change] = [removal(9, {"email": "a"}), insertion(1, {"email": "a"})]
    plan = [planned("people", changes, [EMAIL])]
    error = write_error(refused(FailureKind.DUPLICATE_KEY, 1), plan)
    assert isinstance(error, DuplicateKey)
    assert error.id == 1


def test_a_document_that_a_validator_refused_is_named() -> None:
    error = write_error(refused(FailureKind.INVALID_DOCUMENT, 0), bulks())
    assert isinstance(error, InvalidDocument)
    assert (error.collection, error.id) == ("people", 1)
    assert "refused by the validator" in str(error)


@pytest.mark.parametrize("kind", [FailureKind.DUPLICATE_KEY, FailureKind.INVALID_DOCUMENT])
def test_an_exchange_that_the_collection_does_not_allow_is_explained(kind: FailureKind) -> None:
    swap = [alteration(1, {"email": SECRET}, {"email": "b"}), alteration(2, {"email": "b"}, {"email": SECRET})]
    error = write_error(refused(kind, 0), [planned("people", swap, [EMAIL])])
    assert type(error) is TransactionFailed
    assert "exchange values of the unique key (email)" in str(error)
    assert "does not let 1 be without it" in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize(("index", "collection"), [(None, "people"), (0, "towns"), (0, None), (9, "people")], ids=str)
def test_a_write_that_cannot_be_told_is_reported_without_a_document(index: int | None, collection: str | None) -> None:
    error = write_error(refused(FailureKind.SERVER, index, collection=collection), bulks())
    assert type(error) is TransactionFailed


def test_a_conflict_in_a_bulk_is_transient() -> None:
    report = SessionFailure(FailureKind.SERVER, code=112, labels=TRANSIENT, collection="people", index=0)
    assert type(write_error(report, bulks())) is TransientFailure


@pytest.mark.parametrize("kind", list(FailureKind))
@pytest.mark.parametrize("index", [None, 0, 1])
def test_no_text_holds_a_value_of_a_document(kind: FailureKind, index: int | None) -> None:
    assert SECRET not in str(write_error(refused(kind, index), bulks()))


def test_an_unknown_outcome_says_to_look_first() -> None:
    error = unknown_outcome(failure(FailureKind.NETWORK, code=91, labels=UNKNOWN))
    assert type(error) is CommitOutcomeUnknown
    assert str(error) == (
        "The commit was sent, but the connection was lost (code 91): nobody can say whether it happened. "
        "Read what the unit wrote before the work is repeated."
    )
    assert (error.code, error.labels) == (91, UNKNOWN)


@pytest.mark.parametrize("code", [257, 388])
def test_a_transaction_that_is_too_large_is_told_from_a_document(code: int) -> None:
    error = public_error(failure(FailureKind.SERVER, code=code))
    assert "transaction is larger" in str(error)
    assert "several units" in str(error)


def test_a_refused_write_names_its_document() -> None:
    text = str(write_error(SessionFailure(FailureKind.SERVER, code=2, collection="people", index=0), bulks()))
    assert "Person 1 (added at shop.py:12)" in text
    assert SECRET not in text
