"""Page tokens: what was written is read, and nothing else is taken, whatever a client sends."""

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from boundwork import InvalidPageToken
from boundwork.repositories.tokens import MOST_CHARACTERS, Position, key_of, mark_of, read, written

ORDER = (("total", -1), ("_id", 1))
MARK = mark_of("orders", ORDER)
KEY = b"a secret of the program"
VALUES: list[Any] = [
    None, True, 5, Int64(2**40), 1.5, float("inf"), Decimal128("1.50"), "$ne", "text", b"ab", Binary(b"ab", 5),
    UUID(int=7), ObjectId("0123456789abcdef01234567"), datetime(2024, 2, 29, tzinfo=UTC), Timestamp(5, 1), MinKey(), MaxKey(),
]  # fmt: skip


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(("back", "inclusive"), [(False, False), (True, False), (False, True)])
def test_what_was_written_is_read(value: Any, key: bytes | None, back: bool, inclusive: bool) -> None:
    position = Position((value, 7), back, inclusive)
    token = written(position, MARK, key)
    again = read(token, MARK, 2, key)
    assert again == position
    assert [type(part) for part in again.values] == [type(part) for part in position.values]
    assert token.replace("-", "").replace("_", "").isalnum()


def forged(**fields: Any) -> str:
    parts = {"v": 1, "q": MARK, "b": False, "i": False, "k0": 1, "k1": 7, **fields}
    body = b"\0" + bson.encode({name: part for name, part in parts.items() if part is not ...})
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


GENUINE = written(Position((1, 7)), MARK, None)


def test_the_forger_of_these_tests_knows_the_form() -> None:
    assert forged() == GENUINE


@pytest.mark.parametrize(
    "token",
    [
        "", "x", "=", GENUINE + "=", GENUINE + "A", GENUINE[:-2], "é" + GENUINE, GENUINE + "\n", None, 5, b"x", {"$ne": 1},
        "A" * (MOST_CHARACTERS + 1), forged(v=2), forged(q=b"other"), forged(b=1), forged(i=None), forged(k1=...),
        forged(k2=1), forged(k0={"$ne": None}), forged(k0=[1]), forged(k0=Regex("^a")), forged(k0=Code("f()")),
        forged(k0={"a": 1}), written(Position((1, 7)), mark_of("orders", ORDER[::-1]), None),
        written(Position((1, 7)), mark_of("customers", ORDER), None), written(Position((1, 7)), MARK, KEY),
        written(Position((1,)), MARK, None),
    ],
)  # fmt: skip
def test_any_other_token_is_refused_with_one_error(token: Any) -> None:
    with pytest.raises(InvalidPageToken, match="was not made for this query") as caught:
        read(token, MARK, 2, None)
    assert caught.value.__cause__ is None


def test_with_a_key_only_what_was_signed_with_it_is_taken() -> None:
    token = written(Position((1, 7)), MARK, KEY)
    for key in (None, b"another"):
        with pytest.raises(InvalidPageToken):
            read(token, MARK, 2, key)
    with pytest.raises(InvalidPageToken):
        read(GENUINE, MARK, 2, KEY)
    with pytest.raises(ValueError, match="the key is empty"):
        key_of("")
    with pytest.raises(TypeError, match="a key is bytes or a str, not int"):
        key_of(16)  # `bytes` makes a key of it that everybody can guess


def test_values_that_are_too_long_for_a_token_are_named_as_the_reason() -> None:
    with pytest.raises(ValueError, match="too long for a page token"):
        written(Position(("x" * MOST_CHARACTERS, 7)), MARK, None)
