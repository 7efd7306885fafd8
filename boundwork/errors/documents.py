"""What is wrong with a document, or with what was asked for."""

from collections.abc import Sequence
from typing import Self

from boundwork.errors.base import BoundworkError

NAMED = 10


class DocumentNotFound(BoundworkError):
    """No document of the model has the id, or meets the conditions of a query.

    Attributes: `model` (name), `collection`, `id` (None for a query), `ids` (all that are missing; `id` is the first).
    """

    def __init__(self, model: str, collection: str, id: object) -> None:  # noqa: A002 - the field is called id
        """Name the model, the collection and the id."""
        super().__init__(
            f"{model} {id!r} was not found in collection {collection!r}. Use find_by_id to get None instead."
        )
        self.model = model
        self.collection = collection
        self.id = id
        self.ids: tuple[object, ...] = (id,)

    @classmethod
    def of_many(cls, model: str, collection: str, ids: Sequence[object]) -> Self:
        """Build the error for several ids; the text names the first ten."""
        error = cls(model, collection, ids[0])
        named = ", ".join(map(repr, ids[:NAMED]))
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        error.args = (
            f"{model} {named}{more} not found in collection {collection!r}. Use find with in_ to get those that exist.",
        )
        error.ids = tuple(ids)
        return error

    @classmethod
    def of_references(cls, model: str, collection: str, ids: Sequence[object], by: str) -> Self:
        """Build the error for documents that are referred to, by a field or by a reference, and are not there."""
        error = cls.of_many(model, collection, ids)
        named = error.args[0].partition(" not found")[0]
        text = f"{named} not found in collection {collection!r}, though {by} refers to it."
        error.args = (f"{text} Say missing='none' where that is expected.",)
        return error

    @classmethod
    def of_query(cls, model: str, collection: str) -> Self:
        """Build the error for a query that found nothing."""
        error = cls(model, collection, None)
        error.args = (f"No {model} in collection {collection!r} meets the conditions. Use one_or_none to get None.",)
        return error


class ReferenceNotLoaded(BoundworkError):
    """A document was asked for without asking the server, and the unit has not loaded it.

    Attributes: `model` (name), `id`.
    """

    def __init__(self, model: str, id: object) -> None:  # noqa: A002 - the field is called id
        """Name the model and the id."""
        super().__init__(
            f"{model} {id!r} is not loaded in this unit. Load it with load(), or along with the documents that refer to "
            "it: find(...).include(...).",
        )
        self.model = model
        self.id = id


class MultipleDocumentsFound(BoundworkError):
    """More than one document meets the conditions of a query that was asked for one.

    Attributes: `model` (name), `collection`.
    """

    def __init__(self, model: str, collection: str) -> None:
        """Name the model and the collection."""
        super().__init__(
            f"More than one {model} in collection {collection!r} meets the conditions. "
            "Narrow them, or use first() with a sort.",
        )
        self.model = model
        self.collection = collection


class InvalidPageToken(BoundworkError):
    """A page token is malformed, was made for another query, or was not signed with the key."""

    def __init__(self, text: str | None = None) -> None:
        """Say what may have happened; the token itself is the client's and is not quoted."""
        super().__init__(
            text
            or "The page token was not made for this query: it is malformed, of another sort, or not signed with this "
            "key. Begin at the first page.",
        )


class InvalidDocument(BoundworkError):
    """A document does not fit its model, or has a value that cannot be stored.

    Attributes: `collection`, `id`, `fields` (dotted paths), `problems` (one text a field, without values).
    """

    def __init__(
        self,
        collection: str,
        id: object,  # noqa: A002 - the field is called id
        problems: Sequence[tuple[str, str]],
        *,
        stored: bool,
    ) -> None:
        """Name collection, id and fields; `stored` says that the document came from the database."""
        where = "The stored document" if stored else "The document"
        what = "; ".join(f"{field}: {problem}" for field, problem in problems)
        then = "Mend it in the database or in the model." if stored else "It was not written. Mend the value."
        super().__init__(f"{where} {id!r} of collection {collection!r} does not fit its model: {what}. {then}")
        self.collection = collection
        self.id = id
        self.fields = tuple(field for field, _ in problems)
        self.problems = tuple(problem for _, problem in problems)


class InvalidRequest(BoundworkError):
    """What a client sent is not allowed, or does not fit the model; nothing was changed.

    Attributes: `model` (name, or the word that was asked), `fields` (dotted paths), `problems` (one text a field, without
    values). The text may be shown to the client.
    """

    def __init__(self, model: str, problems: Sequence[tuple[str, str]]) -> None:
        """Name the fields and what is wrong with each."""
        what = "; ".join(f"{field}: {problem}" for field, problem in problems)
        super().__init__(f"The request does not fit {model}: {what}. Nothing was changed.")
        self.model = model
        self.fields = tuple(field for field, _ in problems)
        self.problems = tuple(problem for _, problem in problems)


class WrongModel(BoundworkError):
    """The same document was asked for as a model that it was not loaded as."""


class NotInUnit(BoundworkError):
    """A document was handed to a unit that it does not belong to."""


_WAYS_OF_ADDING = " Use add_if_absent where it may be there already, merge for a copy of it."


class DuplicateKey(BoundworkError):
    """A unique key is taken by another document; nothing was written.

    Attributes: `collection`, `id`, `fields` (the key's fields), `origin` (where the document was added).
    """

    def __init__(
        self,
        collection: str,
        id: object,  # noqa: A002 - the field is called id
        fields: tuple[str, ...],
        origin: str | None = None,
    ) -> None:
        """Name collection, id, the key's fields and the call that added the document."""
        key = ", ".join(fields) or "a unique key"
        came = f" (added at {origin})" if origin else ""
        then = ""
        if fields == ("_id",):
            then = (
                _WAYS_OF_ADDING
                if origin
                else " The one that has it was not found: it is another tenant's, or a condition leaves it out."
            )
        super().__init__(
            f"The key ({key}) of document {id!r}{came} is taken in collection {collection!r}. "
            f"The unit was rolled back: nothing was written.{then}",
        )
        self.collection = collection
        self.id = id
        self.fields = fields
        self.origin = origin

    @classmethod
    def of_changes(cls, collection: str, fields: tuple[str, ...]) -> Self:
        """Build the error for a set-based change; the server does not say of which document (`id` is None)."""
        error = cls(collection, None, fields)
        key = ", ".join(fields) or "a unique key"
        text = f"A change would give two documents of collection {collection!r} the same key ({key})."
        error.args = (f"{text} The unit was rolled back: nothing was written.",)
        return error
