"""What of a document stops a step before it writes: an expression that the server asks of a batch, and the words for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson.raw_bson import RawBSONDocument

from boundwork.alembic_like_migrations.steps.documents import EXACT, split
from boundwork.alembic_like_migrations.steps.errors import FieldsInTheWay
from boundwork.uow.commands import Find
from boundwork.uow.port import BoundSession

LISTED = 11
"""One more than an error names, so that it can say that there are more."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An expression that is true for a document that a step cannot change, and the words for it."""

    when: Mapping[str, Any]
    what: str
    advice: str

    async def refuse(self, session: BoundSession, collection: str, ids: Sequence[Any]) -> None:
        """Raise FieldsInTheWay if there are such documents among these."""
        condition = {"_id": {"$in": list(ids)}, "$expr": self.when}
        asked = Find(collection, condition, sort=(("_id", 1),), limit=LISTED, projection={"_id": 1})
        found = [RawBSONDocument(one, EXACT) for batch in await session.find(asked) for one in split(batch)]
        if found:
            raise FieldsInTheWay(collection, [one["_id"] for one in found], self.what, self.advice)
