"""What a step is: a declaration of one change, made without any I/O, that the engine carries out and records.

The server forbids what changes the structure in a transaction, so there are two kinds. A structure step is one that
may be carried out twice, since a crash can come between it and its record. A data step works on batches; each batch
commits in one transaction with its place in the record, so no document is worked on twice and none is left out.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.errors import MigrationError
from boundwork.uow.port import BoundSession

if TYPE_CHECKING:
    from boundwork.alembic_like_migrations.engine.server import Server

Kind = Literal["structure", "data"]
EVERYTHING: Mapping[str, Any] = {}


class Irreversible(MigrationError):
    """A step has no inverse; `step` is its title, `why` the reason that was given."""

    def __init__(self, step: str, why: str) -> None:
        """Say which step, and why."""
        super().__init__(f"{step!r} cannot be undone: {why}. Write down() by hand, or leave the revision applied.")
        self.step = step
        self.why = why


class Step(ABC):
    """One change that a revision declares."""

    kind: ClassVar[Kind]

    @property
    @abstractmethod
    def title(self) -> str:
        """One line for people: the word, the collection, the names; never values of documents."""

    @abstractmethod
    def inverse(self) -> "AnyStep":
        """Return the step that undoes this one. Raises Irreversible."""

    @property
    def makes(self) -> Sequence[str]:
        """The collections that come into being by what the step puts into them, if they are not there."""
        return ()


class StructureStep(Step):
    """A change of collections, indexes or validators: outside of transactions, and harmless when done twice."""

    kind = "structure"

    @abstractmethod
    async def apply(self, server: "Server") -> None:
        """Carry it out; what is there already, as it should be, is left."""


class Ids(Sequence[Any]):
    """The ids of documents, read when they are asked for: many steps do not need them."""

    def __init__(self, documents: Sequence[RawBSONDocument]) -> None:
        """Know the documents."""
        self._documents = documents

    def __len__(self) -> int:
        return len(self._documents)

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [one["_id"] for one in self._documents[index]]
        return self._documents[index]["_id"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents of a data step, in the order of their ids, and the transaction that they are worked on in.

    `documents` are whole if the step `needs_documents`, else the `_id` alone; `ids` are their ids.
    """

    session: BoundSession
    ids: Sequence[Any]
    documents: Sequence[RawBSONDocument]


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a batch: how many documents were changed."""

    changed: int


class DataStep(Step):
    """A change of documents, batch by batch."""

    kind = "data"

    @property
    def needs_documents(self) -> bool:
        """Tell whether batches hold whole documents."""
        return False

    @property
    def batch_seconds(self) -> float | None:
        """How long a batch may take; None leaves it to the runner."""
        return None

    @property
    @abstractmethod
    def collection(self) -> str:
        """The collection whose documents are visited."""

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.collection,)

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of the documents to visit."""
        return EVERYTHING

    @abstractmethod
    async def work(self, batch: Batch) -> Worked:
        """Change the documents of a batch in its transaction."""


AnyStep = StructureStep | DataStep
