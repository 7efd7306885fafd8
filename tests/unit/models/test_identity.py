"""Two stored ids are the same where MongoDB says so."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from boundwork.models.identity import identity_key

UID = UUID(int=5)
OID = ObjectId()


@pytest.mark.parametrize(
    "ids",
    [
        [1, 1.0, Int64(1), Decimal128("1"), Decimal128("1.0")],
        [float("nan"), Decimal128("NaN")],
        [UID, Binary(UID.bytes, 4)],
        [b"a", Binary(b"a", 0)],
        [{"a": 1, "b": [2]}, {"a": 1.0, "b": [Int64(2)]}],
        [datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1)],  # noqa: DTZ001 - as bson gives it without tz_aware
        [OID, ObjectId(OID.binary)],
    ],
)
def test_ids_that_are_equal_in_bson_have_one_key(ids: list[Any]) -> None:
    assert len({identity_key(value) for value in ids}) == 1


def test_ids_of_different_types_have_different_keys() -> None:
    ids = [1, True, "1", None, OID, OID.binary, str(OID), UID, UID.bytes, {"a": 1}, {"a": True}, Binary(b"1", 7),
           {"a": 1, "b": 2}, {"b": 2, "a": 1}, datetime(1970, 1, 1, tzinfo=UTC), 0]  # fmt: skip
    assert len({identity_key(value) for value in ids}) == len(ids)
