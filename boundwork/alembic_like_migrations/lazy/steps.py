"""The steps of lazy migration: what a revision declares, what the finisher does, and the way back.

The declared step touches no document. The finisher upcasts by the very function that units of work read with, so a
document that it has migrated is the one that was read before. Each update asks for the version that it was made from.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bson import encode
from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.lazy.fingerprint import fingerprint
from boundwork.alembic_like_migrations.steps.documents import EXACT, send
from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Irreversible, StructureStep, Worked
from boundwork.errors import UpcastFailed
from boundwork.models.bson_types import MISSING
from boundwork.models.difference import Changed, Update, compare
from boundwork.models.upcasts.lineage import FIRST, Lineage
from boundwork.models.upcasts.pieces import Stored, Unfit
from boundwork.models.upcasts.upcast import SCHEMA_VERSION, Upcast
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.upcasting.documents import opened, update_of

if TYPE_CHECKING:
    from boundwork.alembic_like_migrations.engine.server import Server


@dataclass(frozen=True, slots=True)
class LazyUpcast(StructureStep):
    """Note that documents are upcast when they are read, and are brought to the version later."""

    target: str
    upcast: Upcast

    @property
    def title(self) -> str:
        """One line for people."""
        return f"upcast {self.target} to version {self.upcast.to} lazily"

    async def apply(self, server: "Server") -> None:
        """Leave all documents as they are."""

    def inverse(self) -> AnyStep:
        """Return the step that brings back what was upcast. Raises Irreversible."""
        if self.upcast.why_not_down is not None:
            raise Irreversible(self.title, self.upcast.why_not_down)
        return BringBack(self.target, self.upcast)

    def finisher(self) -> "Finish":
        """Return the step that brings the documents that are left."""
        return Finish(self.target, self.upcast)


@dataclass(frozen=True, slots=True)
class OfVersions(DataStep):
    """What both ways have in common: whole documents of one collection, and an update for each."""

    target: str
    upcast: Upcast

    @property
    def collection(self) -> str:
        """The collection whose documents are changed."""
        return self.target

    @property
    def needs_documents(self) -> bool:
        """Upcasts see whole documents."""
        return True

    async def work(self, batch: Batch) -> Worked:
        """Change the documents of a batch."""
        return Worked(await send(batch.session, "update", self.target, list(self._statements(batch))))

    def _statements(self, batch: Batch) -> Iterator[RawBSONDocument]:
        for one in batch.documents:
            stored = decode(bytes(one.raw))
            asked = {"_id": stored["_id"], **self.where}
            statement = encode({"q": asked, "u": self._update(stored)}, codec_options=EXACT)
            yield RawBSONDocument(statement, EXACT)

    @abstractmethod
    def _update(self, stored: Stored) -> Mapping[str, Any]:
        """Return the update of one document."""


@dataclass(frozen=True, slots=True)
class Finish(OfVersions):
    """Bring the documents of the version before to this one."""

    @property
    def title(self) -> str:
        """One line for people."""
        return f"bring {self.target} to version {self.upcast.to}"

    @property
    def where(self) -> Mapping[str, Any]:
        """The documents of the version before."""
        return Lineage(self.upcast.to, (self.upcast,)).left

    @property
    def about(self) -> dict[str, Any]:
        """What the ledger keeps of it."""
        return {"collection": self.target, "to": self.upcast.to, "upcast": fingerprint(self.upcast)}

    def inverse(self) -> AnyStep:
        """Refuse: it is undone with its revision."""
        raise Irreversible(self.title, "it is undone with its revision")

    def _update(self, stored: Stored) -> Mapping[str, Any]:
        one = opened(self.target, Lineage(self.upcast.to, (self.upcast,)), stored)
        return update_of(stored, one.fields, self.upcast.to)


@dataclass(frozen=True, slots=True)
class BringBack(OfVersions):
    """Bring the documents of the version back to the one before."""

    @property
    def title(self) -> str:
        """One line for people."""
        return f"bring {self.target} back from version {self.upcast.to}"

    @property
    def where(self) -> Mapping[str, Any]:
        """The documents of the version."""
        return {SCHEMA_VERSION: self.upcast.to}

    def inverse(self) -> AnyStep:
        """Return the lazy step again."""
        return LazyUpcast(self.target, self.upcast)

    def _update(self, stored: Stored) -> Mapping[str, Any]:
        before = self.upcast.to - 1
        now = {name: value for name, value in stored.items() if name != SCHEMA_VERSION}
        for piece in reversed(self.upcast.pieces):
            try:
                now = piece.down(now)
            except Unfit as unfit:
                key = stored["_id"]
                raise UpcastFailed(self.target, key, self.upcast.to, piece.title, str(unfit)) from unfit.__cause__
        if before > FIRST:
            now[SCHEMA_VERSION] = before
        changed = Changed()
        for name in [*stored, *(name for name in now if name not in stored)]:
            compare(name, stored.get(name, MISSING), now.get(name, MISSING), changed)
        return Update(changed.set, tuple(changed.unset), changed.push).operators()
