"""How documents are taken out of the bytes of a reply: all of them, in order, whatever form the reply has."""

from typing import Any

import bson
import pytest
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

from boundwork.models.bson_types import decode_all
from boundwork.uow.sessions.pymongo_commands import ENCODED
from boundwork.uow.sessions.replies import PART, cursor_of, found_in


def reply(cursor: dict[str, Any]) -> Any:
    return RawBSONDocument(bson.encode({"cursor": cursor, "ok": 1.0}), ENCODED)


DOCUMENTS = [{"_id": number, "text": "x" * (number * 7 % 3000), "parts": [{"a": 1}]} for number in range(300)]


@pytest.mark.parametrize("batch", ["firstBatch", "nextBatch"])
@pytest.mark.parametrize("number", [0, 1, 2, 11, 300])
@pytest.mark.parametrize("first", [True, False], ids=["batch first", "batch last"])
def test_a_reply_gives_its_documents_in_order_and_its_cursor(batch: str, number: int, *, first: bool) -> None:
    rest = {"id": Int64(2**40 + 3), "ns": "shop.orders"}
    documents = {batch: DOCUMENTS[:number]}
    given = reply({**documents, **rest} if first else {**rest, **documents})
    assert [one for part in found_in(given) for one in decode_all(part)] == DOCUMENTS[:number]
    assert cursor_of(given) == 2**40 + 3
    assert type(cursor_of(given)) is Int64


def test_parts_are_hardly_larger_than_their_size() -> None:
    parts = found_in(reply({"firstBatch": DOCUMENTS, "id": Int64(0)}))
    assert len(parts) > 3
    assert all(PART <= len(part) < PART + 4000 for part in parts[:-1])
