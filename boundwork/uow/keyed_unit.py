"""A unit with an idempotency key: at most one unit of a key commits.

It looks for a marker of the key before its body runs, and inserts its own as the last write before the commit. So a
commit of unknown outcome can be replaced by another transaction with the same writes and the same marker: if the first
one happened, the second meets its marker. Every error that a unit of the same key may have caused is explained by what
is stored under the key.
"""

import logging
from time import perf_counter
from typing import Any

from bson import ObjectId

from boundwork.errors import (
    AlreadyCommitted,
    BoundworkError,
    CommitOutcomeUnknown,
    CommitRefused,
    DuplicateKey,
    TransientFailure,
    UnitFenced,
)
from boundwork.uow.commands import BulkWrite, InsertOne
from boundwork.uow.ending import clean_up, overtake
from boundwork.uow.failures import FailureKind, SessionFailure
from boundwork.uow.idempotency import MARKERS, looking_for, marker_document, stored_marker
from boundwork.uow.port import BoundSession
from boundwork.uow.replaying import Recovery
from boundwork.uow.reporting import public_error
from boundwork.uow.settings import Settings
from boundwork.uow.unit import Unit

logger = logging.getLogger("boundwork.unit")
LOOK_SECONDS = 10.0
NAMESPACE_EXISTS, UNAUTHORIZED = 48, 13


class KeyedUnit(Unit):
    """The core of an open unit with a key."""

    def __init__(
        self, key: str, name: str, session: BoundSession, settings: Settings, *, handover: bool = False
    ) -> None:
        """Prepare a unit; nothing is opened yet."""
        super().__init__(name, session, settings, handover=handover)
        self._key = key
        self._mark = ObjectId()

    @property
    def key(self) -> str:
        """The idempotency key of the unit."""
        return self._key

    async def enter(self) -> None:
        """Open the session and see whether the key is taken: then AlreadyCommitted or UnitFenced."""
        await super().enter()
        try:
            await self._make_room()
            await self._look()
        except BaseException as error:
            await super().leave(error)
            raise

    async def _make_room(self) -> None:
        """Make the collection of the markers, before the transaction begins: one that is older cannot write into it.

        A collection that comes with a commit appears a moment after the documents that the commit changed: a rival
        would meet those and find no marker. Who may not make collections is not asked again; where there is none, the
        server says so when the marker is written.
        """
        if MARKERS in self.settings.collections_made:
            return
        try:
            await self.session.create_aside(MARKERS)
        except SessionFailure as failure:
            if failure.kind is FailureKind.UNREACHABLE:
                raise public_error(failure) from failure.__cause__
            if failure.code not in {NAMESPACE_EXISTS, UNAUTHORIZED}:
                logger.debug("unit %s: %s was not made: %s", self.name, MARKERS, failure)
                return
        self.settings.collections_made.add(MARKERS)

    async def _look(self) -> None:
        command = looking_for(self.key)
        batches = await self.send(lambda: self.session.find(command))
        self.workspace.log.found(command, batches, MARKERS)
        if not batches:
            return
        try:
            await self._is_stored()  # by a majority: what the transaction sees may still be rolled back
        except SessionFailure as failure:
            raise public_error(failure) from failure.__cause__
        raise TransientFailure(f"A unit with the idempotency key {self.key!r} was rolled back just now. Run it again.")

    async def commit(self) -> None:
        """Refuse: a key stands for one transaction."""
        self.check()
        raise CommitRefused(
            f"commit() was called in a unit of {self.name} with an idempotency key, which stands for one transaction. "
            "Let the block end, or do the rest in another unit with a key of its own.",
        )

    async def leave(self, error: BaseException | None) -> None:
        """Leave as any unit; AlreadyCommitted or UnitFenced in place of what a unit of the same key has caused."""
        try:
            await super().leave(error)
        except (TransientFailure, DuplicateKey) as failure:
            await self._blame_rival(failure)
            raise
        if isinstance(error, TransientFailure | DuplicateKey):
            await self._blame_rival(error)

    def may_repeat(self, error: BaseException | None) -> bool:
        """Tell whether the body may run again: after a commit of unknown outcome as well, thanks to the key."""
        return isinstance(error, CommitOutcomeUnknown) or super().may_repeat(error)

    async def complete(self) -> None:
        """Do what belongs into the transaction before its commit, and write the marker."""
        await super().complete()
        bulk = BulkWrite(MARKERS, (InsertOne(marker_document(self.key, self._mark, self._numbers())),))
        results = await self.send(lambda: self.session.write([bulk]), self._explain)
        self.workspace.log.wrote([bulk], results)

    async def conclude(self) -> None:
        """Send the commit until its outcome is known; where nobody knows, find it by the marker."""
        try:
            await super().conclude()
        except CommitOutcomeUnknown as doubt:
            try:
                await self._dispel(doubt)
            except BoundworkError:
                raise
            except BaseException:
                self.lose(doubt)
                await overtake(self)
                raise
        except TransientFailure:
            await clean_up(self, "abort", self.session.abort())
            if not await self._happened():
                raise

    async def _dispel(self, doubt: CommitOutcomeUnknown) -> None:
        """Return if the unit has committed, now or by the commit in doubt; raise the doubt if nobody knows still."""
        try:
            if self.settings.replay_seconds:
                return await self._replace()
        except BoundworkError as failure:
            logger.info("unit %s: a commit of unknown outcome could not be replaced: %s", self.name, failure)
            await clean_up(self, "abort", self.session.abort())
        try:
            if await self._happened():
                return None
        except (AlreadyCommitted, UnitFenced) as taken:
            self.doom(taken)
            raise
        doubt.add_note(
            f"The unit has the idempotency key {self.key!r}: it is safe to run it again with this key, and outcome() "
            "tells what became of it.",
        )
        raise doubt

    async def _replace(self) -> None:
        """Commit another transaction in the place of one that may have committed; they have the same marker."""
        replays = self.receipt.replays
        await Recovery(self).restart()
        self.receipt.replays = max(self.receipt.replays, replays + 1)
        await super().conclude()

    async def _happened(self) -> bool:
        """Tell whether this unit is known to have committed; errors as `_is_stored`."""
        try:
            return await self._is_stored()
        except SessionFailure as failure:
            logger.warning("unit %s: its marker could not be read: %s", self.name, failure)
            return False

    async def _is_stored(self) -> bool:
        """Tell whether the marker of this very unit is stored; AlreadyCommitted or UnitFenced if another one is."""
        marker = await stored_marker(self.session, self.key, LOOK_SECONDS)
        if marker is None or marker.unit == self._mark:
            return marker is not None
        if marker.receipt is None:
            raise UnitFenced(self.key)
        raise AlreadyCommitted(self.key, marker.receipt)

    async def _blame_rival(self, failure: BaseException) -> None:
        try:
            await self._happened()
        except (AlreadyCommitted, UnitFenced) as taken:
            raise taken from failure

    def _numbers(self) -> dict[str, Any]:
        staged, known = self.workspace.staged, self.receipt
        return {
            "inserted": staged.inserted,
            "updated": staged.updated,
            "removed": staged.removed,
            "commands": self.session.commands,
            "commits": 1,
            "attempts": known.attempts,
            "replays": known.replays,
            "seconds": perf_counter() - self.began,
        }

    def _explain(self, failure: SessionFailure) -> BoundworkError:
        if failure.kind is FailureKind.DUPLICATE_KEY:
            return DuplicateKey(MARKERS, self.key, ("_id",))
        return public_error(failure)
