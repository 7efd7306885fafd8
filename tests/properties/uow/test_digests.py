"""A digest of what was read says what was read, however the server cut it into batches."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.uow.log import digest

documents = st.lists(st.binary(min_size=1, max_size=8), max_size=6)


@given(documents, st.lists(st.integers(min_value=0, max_value=48)))
@settings(max_examples=30, deadline=None, database=None)
def test_a_digest_does_not_depend_on_where_batches_end(parts: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(parts)
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    again = [whole[start:end] for start, end in pairwise(places)]
    assert digest(parts) == digest(again) == digest([whole])
