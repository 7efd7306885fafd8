import copy
import inspect
import pickle
from collections.abc import Callable

import pytest

from boundwork import errors
from boundwork.errors import BoundworkError
from boundwork.uow import Receipt

TRANSIENT = frozenset({"TransientTransactionError"})
SPECIAL: dict[str, Callable[[], BoundworkError]] = {
    "DocumentNotFound": lambda: errors.DocumentNotFound("Person", "people", 7),
    "ReferenceNotLoaded": lambda: errors.ReferenceNotLoaded("Person", 7),
    "MultipleDocumentsFound": lambda: errors.MultipleDocumentsFound("Person", "people"),
    "InvalidDocument": lambda: errors.InvalidDocument("people", 7, [("name", "is missing"), ("age", "x")], stored=True),
    "InvalidRequest": lambda: errors.InvalidRequest("Person", [("name", "is not allowed")]),
    "NewerDocument": lambda: errors.NewerDocument("people", 7, 4, 3),
    "UpcastFailed": lambda: errors.UpcastFailed("people", 7, 1, "convert age text to int", "it is a list"),
    "MigrationUnfinished": lambda: errors.MigrationUnfinished("people", "'slug' is computed"),
    "DuplicateKey": lambda: errors.DuplicateKey("people", 7, ("email", "year"), "shop.py:12"),
    "TransactionFailed": lambda: errors.TransactionFailed("failed", code=2, labels=TRANSIENT),
    "TransientFailure": lambda: errors.TransientFailure("failed", code=112, labels=TRANSIENT),
    "TransactionsUnavailable": lambda: errors.TransactionsUnavailable("failed", code=20),
    "StaleDocument": lambda: errors.StaleDocument.of("Person", "people", 7),
    "WriteEscaped": lambda: errors.WriteEscaped("Shop", "insert", "shop", "people"),
    "AlreadyCommitted": lambda: errors.AlreadyCommitted("payment 7", Receipt(inserted=2)),
    "CommitOutcomeUnknown": lambda: errors.CommitOutcomeUnknown("sent", code=91, labels=TRANSIENT),
}


def every_class() -> list[type[BoundworkError]]:
    found = [value for value in vars(errors).values() if inspect.isclass(value)]
    return [value for value in found if issubclass(value, BoundworkError)]


def example(kind: type[BoundworkError]) -> BoundworkError:
    make = SPECIAL.get(kind.__name__)
    return kind("what happened") if make is None else make()


def pickled(error: BoundworkError) -> BoundworkError:
    again: BoundworkError = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    return again


WAYS: list[Callable[[BoundworkError], BoundworkError]] = [pickled, copy.copy, copy.deepcopy]


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", WAYS)
def test_an_error_survives_pickling_with_text_and_attributes(
    kind: type[BoundworkError], way: Callable[[BoundworkError], BoundworkError]
) -> None:
    error = example(kind)
    again = way(error)
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert again.args == error.args


@pytest.mark.parametrize("kind", every_class(), ids=lambda kind: kind.__name__)
def test_every_error_is_explained_and_public(kind: type[BoundworkError]) -> None:
    import boundwork  # noqa: PLC0415 - only here

    assert kind.__doc__
    assert getattr(boundwork, kind.__name__) is kind
    assert kind.__name__ in boundwork.__all__


def test_a_subclass_of_a_user_s_own_is_pickled_too() -> None:
    error = errors.DuplicateKey("people", 7, (), None)
    error.add_note("a note")
    assert pickled(error).__notes__ == ["a note"]


def test_the_tree_is_the_one_in_the_module_s_docstring() -> None:
    assert issubclass(errors.StaleDocument, errors.TransientFailure)
    assert issubclass(errors.TransientFailure, errors.TransactionFailed)
    assert issubclass(errors.TransactionsUnavailable, errors.TransactionFailed)
    assert not issubclass(errors.CommitOutcomeUnknown, errors.TransactionFailed)
    assert not issubclass(errors.DuplicateKey, errors.TransactionFailed)
    for kind in every_class():
        assert kind.__name__ in (errors.__doc__ or "")


def test_a_document_that_was_not_found_is_named_with_what_to_use_instead() -> None:
    error = errors.DocumentNotFound("Person", "people", "A-17")
    assert str(error) == "Person 'A-17' was not found in collection 'people'. Use find_by_id to get None instead."
    assert (error.model, error.collection, error.id) == ("Person", "people", "A-17")


def test_a_stored_document_that_does_not_fit_is_mended_in_the_database() -> None:
    error = errors.InvalidDocument("people", 7, [("name", "is missing"), ("lines.0.sku", "is no text")], stored=True)
    assert str(error) == (
        "The stored document 7 of collection 'people' does not fit its model: "
        "name: is missing; lines.0.sku: is no text. Mend it in the database or in the model."
    )
    assert error.fields == ("name", "lines.0.sku")
    assert error.problems == ("is missing", "is no text")


def test_a_document_that_cannot_be_stored_was_not_written() -> None:
    error = errors.InvalidDocument("people", 7, [("name", "has no stored form")], stored=False)
    assert str(error).startswith("The document 7 of collection 'people'")
    assert str(error).endswith("It was not written. Mend the value.")


def test_a_duplicate_key_names_fields_document_and_the_line_that_added_it() -> None:
    error = errors.DuplicateKey("people", 7, ("email", "year"), "shop.py:12")
    assert str(error).startswith("The key (email, year) of document 7 (added at shop.py:12) is taken in collection")
    assert str(error).endswith("The unit was rolled back: nothing was written.")
    assert (error.collection, error.id, error.fields, error.origin) == ("people", 7, ("email", "year"), "shop.py:12")


def test_a_duplicate_id_says_how_a_copy_of_a_stored_document_is_written() -> None:
    assert str(errors.DuplicateKey("people", 7, ("_id",), "shop.py:12")).endswith(
        "Use add_if_absent where it may be there already, merge for a copy of it."
    )


def test_a_duplicate_key_without_known_fields_reads_well_too() -> None:
    assert str(errors.DuplicateKey("people", 7, ())).startswith("The key (a unique key) of document 7 is taken")


def test_an_escaped_write_is_named_with_what_is_not_undone_and_how_to_mean_it() -> None:
    error = errors.WriteEscaped("Shop", "insert", "shop", "people")
    assert str(error) == (
        "The unit of work Shop was refused its commit and wrote nothing, because a write left its session: "
        "insert on collection 'people' of database 'shop'. That write was sent by itself, and what it did is not "
        "undone. Write through the unit's repositories or uow.database, or step out on purpose: with uow.outside()."
    )
    assert (error.command, error.database, error.collection) == ("insert", "shop", "people")
    assert "dropDatabase on database 'shop'." in str(errors.WriteEscaped("Shop", "dropDatabase", "shop", None))


def test_a_stale_document_says_what_to_do() -> None:
    error = errors.StaleDocument.of("Person", "people", 7)
    assert str(error) == (
        "Person 7 changed since it was read. Nothing was written. "
        "Re-run the block (run or attempts), or read the person again."
    )
    assert (error.model, error.collection, error.id, error.code, error.labels) == (
        "Person",
        "people",
        7,
        None,
        frozenset(),
    )
