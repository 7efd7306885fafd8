"""Documents over the limit of the server, among many: the error says which one it was."""

from typing import Any

import pytest

from boundwork import Document, TransactionFailed
from tests.contract.colours import define

LIMIT = 16 * 1024 * 1024


class Blob(Document[int], collection="blobs"):
    data: list[bytes] = []


@pytest.fixture
def store(database: Any, colour: str) -> Any:
    return define(colour, database, blobs=Blob)


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1024 * 1024], ids=["just over", "far over"])
async def test_a_new_document_that_is_too_large_is_named_with_where_it_was_added(store: Any, size: int) -> None:
    with pytest.raises(TransactionFailed, match=r"^Blob 7 \(added at \w+.py:\d+\).*larger") as caught:
        async with store as uow:
            for number in range(10):
                uow.blobs.add(Blob(id=number, data=[bytes(size if number == 7 else 9)]))
    assert "'blobs'" in str(caught.value)
    assert f"{LIMIT:,} is the most" in str(caught.value)
    async with store as uow:
        assert await uow.blobs.count() == 0


@pytest.mark.parametrize("how", ["grown", "replaced"])
async def test_a_document_that_becomes_too_large_is_named(store: Any, how: str) -> None:
    async with store as uow:
        uow.blobs.add_all([Blob(id=number, data=[bytes(LIMIT // 2)] if number == 2 else []) for number in range(4)])
    with pytest.raises(TransactionFailed, match=r"^Blob 2 of collection 'blobs' is larger"):
        async with store as uow:
            for blob in await uow.blobs.find().to_list():
                if blob.id != 2:
                    blob.data.append(b"x")
                elif how == "grown":
                    blob.data.append(bytes(LIMIT // 2))
                else:
                    blob.data = [bytes(LIMIT + 1024 * 1024)]
