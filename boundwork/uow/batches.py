"""How batches of concatenated BSON are taken apart without decoding them: each document begins with its length."""

from collections.abc import Iterable, Iterator


def cut(batches: Iterable[bytes]) -> list[bytes]:
    """Return the documents of batches one by one."""
    documents: list[bytes] = []
    for batch in batches:
        start = 0
        while start < len(batch):
            end = start + int.from_bytes(batch[start : start + 4], "little")
            documents.append(batch[start:end])
            start = end
    return documents


def divided(batch: bytes, size: int) -> Iterator[bytes]:
    """Iterate over parts of a batch, each of whole documents; one that is not twice as large as `size` is a part."""
    if 0 < len(batch) < 2 * size:
        yield batch
        return
    start = end = 0
    while end < len(batch):
        end += int.from_bytes(batch[end : end + 4], "little")
        if end - start >= size:
            yield batch[start:end]
            start = end
    if start < end:
        yield batch[start:end]
