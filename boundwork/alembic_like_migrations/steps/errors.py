"""What a step can refuse, or find in its way: each error names collections, fields and ids, never what documents hold.

MigrationError
+-- StepWrong               a step was declared with words that cannot be carried out
+-- StructureRefused        the server refused a change of the structure
|   +-- LockedOut           long transactions held its lock through all tries
+-- StructureDiffers        what is to be made is there, and is another
+-- DuplicatesFound         documents have the same values of what is to be a unique key
+-- FieldsInTheWay          documents have both the old and the new field, or a value that cannot be converted
+-- DocumentsInTheWay       the target of a move has documents with the same ids
+-- DocumentsChanged        documents were changed since, so what they were cannot be put back
+-- ImageTooLarge           a document is too large for what it was to be kept
+-- FunctionFailed          a function of the revision file raised an error
"""

from collections.abc import Sequence
from typing import Any

from boundwork.alembic_like_migrations.errors import NAMED, MigrationError, shown


class StepWrong(MigrationError):
    """A step was declared with words that cannot be carried out."""


class StructureRefused(MigrationError):
    """The server refused a change of the structure; `code` is its code, all its words are in `details` of the cause."""

    def __init__(self, what: str, code: int | None, why: str) -> None:
        """Say what was refused, and why."""
        super().__init__(f"The server refused to {what}: {why}")
        self.code = code


class LockedOut(StructureRefused):
    """Long transactions held the lock through all tries; `holders` names clients whose transactions are open."""

    def __init__(self, what: str, code: int | None, seconds: float, holders: Sequence[str]) -> None:
        """Say what could not be done for how long, and because of whom."""
        who = f" Open transactions: {'; '.join(holders)}." if holders else ""
        super().__init__(
            what,
            code,
            f"its lock was not free within {seconds:.0f} s, in all the tries.{who} Nothing waits for it any more. "
            "End the long transactions, and go on.",
        )
        self.holders = tuple(holders)


class StructureDiffers(MigrationError):
    """What is to be made is there already, and differs at `paths`."""

    def __init__(self, what: str, name: str, paths: Sequence[str]) -> None:
        """Name it, and where it differs."""
        where = f" ({', '.join(paths)})" if paths else ""
        super().__init__(
            f"There is already a {what} {name!r}, and it is another{where}. Rename or drop it, or declare it as it is."
        )
        self.name = name
        self.paths = tuple(paths)


class DuplicatesFound(MigrationError):
    """Documents have the same values of what is to be a unique key; `pairs` are two ids for each value, some of them."""

    def __init__(self, collection: str, fields: Sequence[str], pairs: Sequence[tuple[Any, Any]]) -> None:
        """Name the fields and the documents."""
        some = ", ".join(f"{shown(one)} and {shown(other)}" for one, other in pairs[:NAMED])
        more = ", and more" if len(pairs) > NAMED else ""
        super().__init__(
            f"Documents of {collection!r} have the same values of ({', '.join(fields)}): {some}{more}. Nothing was tried. "
            "Make them differ, and go on."
        )
        self.collection = collection
        self.fields = tuple(fields)
        self.pairs = tuple(pairs)


class FieldsInTheWay(MigrationError):
    """Fields of documents stand in the way of a step; `ids` are some of the documents."""

    def __init__(self, collection: str, ids: Sequence[Any], what: str, advice: str) -> None:
        """Say what the documents have, and what to do."""
        super().__init__(f"Documents of {collection!r} {what}: {_ids(ids)}. {advice}")
        self.collection = collection
        self.ids = tuple(ids)


class DocumentsInTheWay(MigrationError):
    """The target of a move has documents with the same ids; `ids` are some of them."""

    def __init__(self, source: str, target: str, ids: Sequence[Any]) -> None:
        """Name the collections and the documents."""
        super().__init__(
            f"{source!r} and {target!r} both have documents with these ids: {_ids(ids)}. Move or remove one of each, and go on."
        )
        self.source = source
        self.target = target
        self.ids = tuple(ids)


class DocumentsChanged(MigrationError):
    """Documents were changed since the step, so what they were cannot be put back; `ids` are some of them."""

    def __init__(self, collection: str, ids: Sequence[Any]) -> None:
        """Name the documents."""
        super().__init__(
            f"Documents of {collection!r} were changed since: {_ids(ids)}. Putting back what they were would lose that. "
            "To keep them as they are, delete their images from boundwork_migrations_undo, and go on."
        )
        self.collection = collection
        self.ids = tuple(ids)


class ImageTooLarge(MigrationError):
    """A document is so close to the server's limit that no image of it can be kept; `id` is its id."""

    def __init__(self, collection: str, one: Any) -> None:
        """Name the document."""
        super().__init__(
            f"The document {shown(one)} of {collection!r} is almost 16 MB large, so what it was cannot be kept beside it. Make it "
            "smaller, or do without the way back (keep=False, undo=False), and go on."
        )
        self.id = one


class FunctionFailed(MigrationError):
    """A function of the revision file raised an error, which is the cause; `id` is that of the document, if there is one."""

    def __init__(self, name: str, error: BaseException, of: Sequence[Any] = ()) -> None:
        """Say which function raised what, for which document."""
        where = f" for the document {of[0]!r}" if of else ""
        super().__init__(f"{name}() raised {type(error).__name__}{where}. Its text is in the cause of this error.")
        self.id = of[0] if of else None


def _ids(ids: Sequence[Any]) -> str:
    more = ", and more" if len(ids) > NAMED else ""
    return ", ".join(shown(one) for one in ids[:NAMED]) + more
