"""How batches of concatenated BSON are taken apart without decoding them: each document begins with its length."""

from collections.abc import Iterable


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
