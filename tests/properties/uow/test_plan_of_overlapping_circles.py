"""Circles that share documents, whichever elements their lists exchange."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.uow.steps import TAGS, Documents, check, consistent


@given(st.permutations(range(1, 9)), st.permutations(range(1, 9)), st.permutations([1, 1, 2, 2, 2]))
@settings(max_examples=100, deadline=None, database=None)
def test_lists_that_exchange_all_their_elements(old: list[int], new: list[int], sizes: list[int]) -> None:
    before, after = _dealt(old, sizes), _dealt(new, sizes)
    assert consistent(before, [TAGS])
    check(before, after, frozenset(), [TAGS])


def _dealt(values: list[int], sizes: list[int]) -> Documents:
    rest = iter(values)
    return {number: {"tags": [next(rest) for _ in range(length)]} for number, length in enumerate(sizes)}
