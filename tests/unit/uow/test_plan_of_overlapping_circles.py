"""Circles that share a document, so that several documents are without their values at once."""

from itertools import permutations

import pytest

from boundwork.uow.commands import UniqueKey
from tests.unit.uow.steps import TAGS, Documents, check
from tests.unit.uow.unique_index import Index

SKUS = Index(UniqueKey("skus", ("lines.sku",)))
BEFORE: Documents = {0: {"tags": [2]}, 3: {"tags": [4]}, 1: {"tags": [1, 3]}}
AFTER: Documents = {0: {"tags": [3]}, 1: {"tags": [4, 2]}, 3: {"tags": [1]}}


def test_two_documents_without_a_value_do_not_meet_in_null() -> None:
    bulk = check(BEFORE, AFTER, frozenset(), [TAGS])
    assert bulk is not None
    assert sum(write.temporary for write in bulk.writes) == 2


def test_values_inside_of_documents_make_room_by_themselves() -> None:
    check(_lines(BEFORE), _lines(AFTER), frozenset(), [SKUS])


@pytest.mark.parametrize("numbers", list(permutations((0, 1, 3))))
def test_whatever_the_order_of_the_documents(numbers: tuple[int, ...]) -> None:
    renamed = dict(zip(BEFORE, numbers, strict=True))
    before, after = ({renamed[number]: fields for number, fields in state.items()} for state in (BEFORE, AFTER))
    check(before, after, frozenset(), [TAGS])


def test_a_document_that_is_left_without_a_value_stands_in_nobodys_way() -> None:
    before: Documents = {0: {"tags": 1}, 1: {"tags": 2}, 2: {"tags": 3}}
    check(before, {0: {}, 1: {"tags": 3}, 2: {"tags": 2}}, frozenset(), [TAGS])
    check(
        {0: {}, 1: {"tags": 2}, 2: {"tags": 3}}, {0: {"tags": 9}, 1: {"tags": 3}, 2: {"tags": 2}}, frozenset(), [TAGS]
    )


def _lines(state: Documents) -> Documents:
    return {number: {"lines": [{"sku": tag} for tag in fields["tags"]]} for number, fields in state.items()}
