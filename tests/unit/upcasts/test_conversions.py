"""What an upcast converts comes back as it was when it is written for an old version, or is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Int64, ObjectId

from boundwork import Upcast
from boundwork.models.upcasts.conversions import conversion
from boundwork.models.upcasts.pieces import Unfit
from boundwork.uow.sessions.memory.encoding import as_stored

OID = ObjectId("0123456789abcdef01234567")
DATES = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)]
SCALARS: list[Any] = [
    None, 0, 1, 2.0, 2.5, Int64(7), "", "a", "7", "10", "2020-01-01T00:00:00.000Z", str(OID), OID, True, *DATES,
    1_577_836_800_000,
]  # fmt: skip


@pytest.mark.parametrize("how", ["text to int", "text to object id", "milliseconds to date", "text to date"])
@pytest.mark.parametrize("value", SCALARS, ids=repr)
def test_a_converted_value_comes_back_the_same_or_is_refused(how: Any, value: Any) -> None:
    [piece] = Upcast(2).convert("a", how).pieces
    before = as_stored({"a": value})
    if not conversion(how).takes(value):
        assert piece.up(before) == before
        return
    try:
        now = piece.up(before)
    except Unfit:
        return
    assert as_stored(piece.down(as_stored(now))) == before
