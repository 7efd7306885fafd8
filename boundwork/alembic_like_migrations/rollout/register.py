"""Which instances live: a document for each in `boundwork_instances`, with a lease on the server's clock.

A contracting revision leaves a note there before it looks who lives, and an instance enters itself before it looks for
notes. Both are written with majority first, so of the two at least one sees the other, however close together they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.engine.lease import NOW
from boundwork.alembic_like_migrations.rollout.errors import InstanceTooOld, LivingInstance
from boundwork.uow.ensuring import StructureSession

INSTANCES = "boundwork_instances"
FORGOTTEN_AFTER_MILLISECONDS = 24 * 60 * 60 * 1000
"""How long the entry of an instance that was killed stays, for people to see."""

BASE = "base"


@dataclass(frozen=True, slots=True)
class Entry:
    """What an instance enters; `key` is its own by chance."""

    key: str
    application: str
    revision: str
    process: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Register:
    """The register of a database."""

    structure: StructureSession

    async def renew(self, entry: Entry) -> bool:
        """Enter an instance for another while, and tell whether it had been forgotten. Raises SessionFailure."""
        lasting = {"$add": [NOW, round(entry.seconds * 1000)]}
        known = {
            "application": {"$literal": entry.application},
            "revision": {"$literal": entry.revision},
            "process": {"$literal": entry.process},
            "since": {"$ifNull": ["$since", "$$NOW"]},
            "lapsed": {"$lte": [{"$ifNull": ["$expires", 0]}, NOW]},
        }
        update = [{"$set": known}, {"$set": {"seen": "$$NOW", "expires": lasting}}]
        reply = await self._modify({"_id": entry.key}, update=update, upsert=True, new=True, fields={"lapsed": 1})
        return bool(reply["value"]["lapsed"])

    async def refuse_too_old(self, entry: Entry) -> None:
        """Raise InstanceTooOld if a contracting revision has left a note about the revision of an instance."""
        noted = {"contracted": {"$exists": True}, "too_old": entry.revision}
        if found := await self._find(noted):
            raise InstanceTooOld(entry.application, entry.revision, found[0]["contracted"])

    async def leave(self, key: str) -> None:
        """Forget an instance, and those that nobody has heard of for a day."""
        await self._modify({"_id": key}, remove=True)
        long_ago = {"$subtract": [NOW, FORGOTTEN_AFTER_MILLISECONDS]}
        forgotten = {"application": {"$exists": True}, "$expr": {"$lt": ["$expires", long_ago]}}
        await self.structure.command({"delete": INSTANCES, "deletes": [{"q": forgotten, "limit": 0}]})

    async def living(self) -> list[LivingInstance]:
        """Return the instances whose lease lasts, in the order in which they came."""
        alive = {"application": {"$exists": True}, "$expr": {"$gt": ["$expires", NOW]}}
        left = {"$divide": [{"$subtract": ["$expires", NOW]}, 1000]}
        names = {"application": 1, "revision": 1, "process": 1, "left": left}
        pipeline = [{"$match": alive}, {"$sort": {"since": 1, "_id": 1}}, {"$project": names}]
        rows = await self._all({"aggregate": INSTANCES, "pipeline": pipeline, "cursor": {}})
        return [LivingInstance(row["application"], row["revision"], row["process"], float(row["left"])) for row in rows]

    async def note(self, contracting: str, too_old: tuple[str, ...]) -> None:
        """Let no instance of these revisions enter itself any more."""
        note = {"contracted": contracting, "too_old": [*too_old, BASE]}
        await self._modify({"_id": f"contracted by {contracting}"}, update={"$set": note}, upsert=True)

    async def notes(self) -> list[str]:
        """Return the contracting revisions that have left a note."""
        return [row["contracted"] for row in await self._find({"contracted": {"$exists": True}})]

    async def _modify(self, query: Mapping[str, Any], **options: Any) -> Mapping[str, Any]:
        return await self.structure.command({"findAndModify": INSTANCES, "query": query, **options})

    async def _find(self, query: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return await self._all({"find": INSTANCES, "filter": query})

    async def _all(self, command: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        cursor: Any = (await self.structure.command(command))["cursor"]
        found = list(cursor["firstBatch"])
        while cursor["id"]:
            cursor = (await self.structure.command({"getMore": cursor["id"], "collection": INSTANCES}))["cursor"]
            found += cursor["nextBatch"]
        return found
