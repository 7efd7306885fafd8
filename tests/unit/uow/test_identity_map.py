import pytest

from boundwork.uow.identity_map import REMOVED, IdentityMap
from tests.unit.uow.people import Person

ANNA, BERT, CARL = Person(id=1, name="Anna"), Person(id=2, name="Bert"), Person(id=3, name="Carl")


@pytest.fixture
def known() -> IdentityMap:
    return IdentityMap()


def test_nothing_is_known_at_first(known: IdentityMap) -> None:
    assert known.current("people", 1) is None
    assert known.earlier("people", 1) is None
    assert known.is_empty("people")
    assert not known.has_earlier("people")


def test_what_is_kept_is_current(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    assert known.current("people", 1) is ANNA
    assert known.earlier("people", 1) is None
    assert not known.is_empty("people")


def test_the_same_key_in_another_collection_is_another_document(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    assert known.current("towns", 1) is None
    assert known.is_empty("towns")


def test_many_are_kept_at_once(known: IdentityMap) -> None:
    known.keep_all("people", [1, 2], [ANNA, BERT])
    assert [known.current("people", key) for key in (1, 2)] == [ANNA, BERT]


def test_a_document_without_its_key_is_refused(known: IdentityMap) -> None:
    with pytest.raises(ValueError, match="zip"):
        known.keep_all("people", [1], [ANNA, BERT])


def test_a_transaction_that_ended_leaves_its_documents_as_earlier_ones(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    assert known.current("people", 1) is None
    assert known.earlier("people", 1) is ANNA
    assert known.has_earlier("people")
    assert not known.is_empty("people")


def test_what_is_read_again_is_current_and_not_earlier(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    known.keep("people", 1, ANNA)
    assert known.current("people", 1) is ANNA
    assert known.earlier("people", 1) is None
    assert not known.has_earlier("people")


def test_several_transactions_add_up(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    known.keep("people", 2, BERT)
    known.age()
    known.keep("towns", 3, CARL)
    known.age()
    assert known.earlier("people", 1) is ANNA
    assert known.earlier("people", 2) is BERT
    assert known.earlier("towns", 3) is CARL


def test_aging_twice_loses_nothing_and_does_not_mix_transactions(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    known.age()
    known.keep("people", 2, BERT)
    assert known.earlier("people", 1) is ANNA
    assert known.earlier("people", 2) is None


def test_a_removed_document_stays_known_as_removed(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.keep("people", 1, REMOVED)
    assert known.current("people", 1) is REMOVED


def test_a_removal_of_an_earlier_transaction_is_not_a_document(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    known.keep("people", 1, REMOVED)
    assert known.earlier("people", 1) is None
    known.age()
    assert known.current("people", 1) is None
    assert known.earlier("people", 1) is None


def test_another_document_may_take_the_place_of_a_removed_one(known: IdentityMap) -> None:
    known.keep("people", 1, REMOVED)
    known.keep("people", 1, BERT)
    known.age()
    assert known.earlier("people", 1) is BERT


def test_what_is_forgotten_is_neither_current_nor_earlier(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    known.keep("people", 2, BERT)
    known.forget("people", 1)
    known.forget("people", 2)
    known.forget("towns", 1)
    assert known.earlier("people", 1) is None
    assert known.current("people", 2) is None
    assert known.is_empty("people")


def test_a_cleared_map_holds_no_document(known: IdentityMap) -> None:
    known.keep("people", 1, ANNA)
    known.age()
    known.keep("people", 2, BERT)
    known.clear()
    assert known.is_empty("people")
    assert known.earlier("people", 1) is None
