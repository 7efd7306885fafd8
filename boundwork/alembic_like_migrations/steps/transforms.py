"""The data step that lets a Python function change documents.

The function sees a document and says what it becomes. What is sent is the smallest update; it need not be guarded by the
old values, since it is in the transaction that read the document: if somebody else writes it meanwhile, the server lets
one of the two fail, and the batch is done again with the newer document. So the function may be called more than once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import bson
from bson import encode
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.documents import EXACT, raw, replacement, send
from boundwork.alembic_like_migrations.steps.errors import FunctionFailed
from boundwork.alembic_like_migrations.steps.images import PutBack
from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Irreversible, Worked
from boundwork.alembic_like_migrations.steps.undo_log import keep_images
from boundwork.models.difference import Changed, Update, compare

Document = dict[str, Any]
Change = Mapping[str, Any] | list[Mapping[str, Any]] | None
READABLE: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
"""What a function sees: as models do, times are aware UTC and UUIDs are UUIDs; times beyond `datetime` are `DatetimeMS`."""


@dataclass(frozen=True, slots=True)
class TransformStep(DataStep):
    """Change the documents that match a filter by a function; with a mark, images of them are kept."""

    target: str
    function: Callable[[Document], Change]
    name: str
    matching: Mapping[str, Any]
    seconds: float | None
    mark: Mark | None

    @property
    def title(self) -> str:
        """One line for people."""
        return f"transform {self.target} by {self.name}"

    @property
    def collection(self) -> str:
        """The collection whose documents are changed."""
        return self.target

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of the documents to change."""
        return self.matching

    @property
    def needs_documents(self) -> bool:
        """The function sees whole documents."""
        return True

    @property
    def batch_seconds(self) -> float | None:
        """How long a batch may take."""
        return self.seconds

    def inverse(self) -> AnyStep:
        """Return the step that puts the documents back. Raises Irreversible without images."""
        if self.mark is None:
            raise Irreversible(self.title, "no images of the documents are kept (undo=False)")
        return PutBack(f"undo: {self.title}", self.target, self.mark)

    async def work(self, batch: Batch) -> Worked:
        """Change the documents of a batch."""
        changed = await send(batch.session, "update", self.target, list(self._statements(batch)))
        if self.mark is not None and changed:
            await keep_images(batch.session, self.mark, self.target, batch.documents)
        return Worked(changed)

    def _statements(self, batch: Batch) -> Iterator[RawBSONDocument]:
        for one in batch.documents:
            document = _readable(bytes(one.raw))
            key = document["_id"]
            try:
                change = update_of(one, self.function(document))
                if change is not None:
                    yield RawBSONDocument(encode({"q": {"_id": key}, "u": change}, codec_options=EXACT), EXACT)
            except (Exception, BSONError) as error:
                raise FunctionFailed(self.name, error, [key]) from error


def update_of(stored: RawBSONDocument, said: Change) -> Any:
    """Return the update that does what a function said of a document; None if there is nothing to do.

    Operators and pipelines are taken as they are; any other mapping is the new document.
    """
    if said is None or not said:
        return None
    if isinstance(said, list):
        return said
    if next(iter(said)).startswith("$"):
        return said
    before = _readable(bytes(stored.raw))
    return _difference(before, _readable(encode({"_id": before["_id"], **said}, codec_options=EXACT)))


def _readable(document: bytes) -> Document:
    return bson.decode(document, READABLE)  # pyright: ignore[reportUnknownMemberType] - an array of unknown items among the types it reads


def _difference(before: Document, now: Document) -> Any:
    """Return the smallest update, or the whole new document where paths cannot make it."""
    changed = Changed()
    compare("", before, now, changed)
    if "" in changed.set:
        whole = replacement(raw(now))
        return whole if isinstance(whole, list) else now
    paths = Changed({path[1:]: value for path, value in changed.set.items()}, [path[1:] for path in changed.unset])
    paths.push = {path[1:]: value for path, value in changed.push.items()}
    return Update(paths.set, tuple(paths.unset), paths.push).operators() or None
