"""Whatever a client sends instead of a token: it is refused, or it is a position of plain values."""

import base64
import random
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork import InvalidPageToken
from boundwork.repositories.keyset import after
from boundwork.repositories.tokens import Position, read, written
from tests.unit.test_page_tokens import GENUINE, KEY, MARK, ORDER


def test_a_mutated_token_is_refused_or_is_a_position_of_values() -> None:
    draw = random.Random(1)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    taken = 0
    for _ in range(20_000):
        token = list(GENUINE)
        for _ in range(draw.choice([1, 1, 2, 5])):
            token[draw.randrange(len(token))] = draw.choice(alphabet)
        try:
            position = read("".join(token), MARK, 2, None)
        except InvalidPageToken:
            continue
        taken += 1
        assert set(keys(after(ORDER, position.values))) <= OPERATORS | {"total", "_id"}
    assert taken
    for _ in range(2_000):
        token = list(written(Position((1, 7)), MARK, KEY))
        token[draw.randrange(len(token))] = draw.choice(alphabet)
        if "".join(token) != written(Position((1, 7)), MARK, KEY):
            with pytest.raises(InvalidPageToken):
                read("".join(token), MARK, 2, KEY)


OPERATORS = {"$or", "$and", "$eq", "$gt", "$lt", "$ne", "$type"}


def keys(condition: object) -> list[str]:
    """Return every key of a filter, at any depth."""
    if isinstance(condition, dict):
        inner = cast("dict[str, object]", condition)
        return [*inner, *keys(list(inner.values()))]
    listed = cast("list[object]", condition) if isinstance(condition, list) else []
    return [key for value in listed for key in keys(value)]


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=300)
    | st.binary(max_size=200).map(lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="))
)
def test_no_text_of_a_client_is_anything_but_refused(token: str) -> None:
    with pytest.raises(InvalidPageToken):
        read(token, MARK, 2, None)
