"""What can go wrong while documents of several schema versions are in one collection."""

from boundwork.errors.base import BoundworkError


class NewerDocument(BoundworkError):
    """A stored document has a higher schema version than its model knows.

    Attributes: `collection`, `id`, `found`, `known`.
    """

    def __init__(self, collection: str, id: object, found: object, known: int) -> None:  # noqa: A002 - the field is called id
        """Name the document and both versions."""
        super().__init__(
            f"The document {id!r} of collection {collection!r} has the schema version {found!r}, and its model knows "
            f"versions up to {known}: newer code has written it. Deploy that code here, or migrate the document back."
        )
        self.collection = collection
        self.id = id
        self.found = found
        self.known = known


class UpcastFailed(BoundworkError):
    """A stored document of an old schema version could not be brought to the present one.

    Attributes: `collection`, `id`, `found` (its version), `step` (what of the upcast failed).
    """

    def __init__(self, collection: str, id: object, found: int, step: str, why: str) -> None:  # noqa: A002 - as above
        """Name the document, its version and the step; `why` holds no values."""
        super().__init__(
            f"The document {id!r} of collection {collection!r} has the schema version {found} and could not be brought "
            f"to the present one by {step!r}: {why}. Mend the document, or the upcast."
        )
        self.collection = collection
        self.id = id
        self.found = found
        self.step = step


class MigrationUnfinished(BoundworkError):
    """What was asked cannot be answered rightly while documents of an old schema version are stored.

    Attributes: `collection`, `why`.
    """

    def __init__(self, collection: str, why: str) -> None:
        """Say what stands in the way, and what to do."""
        super().__init__(
            f"This cannot be answered while collection {collection!r} holds documents of an old schema version: {why}. "
            "Run `boundwork migrate finish` first, or ask in another way."
        )
        self.collection = collection
        self.why = why


UNANSWERED = (MigrationUnfinished, NewerDocument, UpcastFailed)
"""Errors of a question: nothing was written, so the unit that asked it goes on."""
