"""What can go wrong while migrations run.

    MigrationError
    +-- LockHeld            another runner has the lease
    +-- LeaseLost           this runner was taken for dead: it may no longer write
    +-- StepFailed          a step could not be carried out
    +-- Refused             the server refused what a step did, or failed at it
    +-- DatabaseDirty       a revision was begun and not ended
    +-- NothingToResume     nothing was left half-done
    +-- NotHalfDone         only what is half-done can be decided by hand
    +-- StepsChanged        a file declares other steps than it did when it was begun
    +-- RevisionTampered    the file of an applied revision is not the one that was applied
    +-- ImagesMissing       a way back needs what nobody remembers of documents
    |   +-- ImagesPruned    ... because `prune` has removed it
    +-- StandaloneServer    the server has no transactions, so no step can be recorded with what it does

The facts are attributes. Every text says what to do next.
"""

from collections.abc import Sequence

from boundwork.alembic_like_migrations.errors import MigrationError

AGAIN = {"finish": "`finish` again"}


class LockHeld(MigrationError):
    """Another runner has the lease; `owner` says who, `seconds` how long it lasts unless it is renewed."""

    def __init__(self, owner: str, seconds: float) -> None:
        """Say who has it and for how long."""
        super().__init__(
            f"Migrations of this database are being run by {owner}; its lease lasts {max(seconds, 0):.0f} s more unless it is "
            "renewed. Wait, or run `unlock` if that process is gone."
        )
        self.owner = owner
        self.seconds = seconds


class LeaseLost(MigrationError):
    """The lease went to another runner, or was unlocked, while this one did not answer; nothing more was written."""

    def __init__(self, epoch: int) -> None:
        """Name the epoch of the lease that was lost."""
        super().__init__(
            "Another runner has taken over the migrations of this database, or they were unlocked. This one has "
            "stopped, and what it was doing in that moment was not written. Look at `current`."
        )
        self.epoch = epoch


class StepFailed(MigrationError):
    """A step could not be carried out; what came before it stays, and its own last batch was not written.

    If it was `rehearsed`, nothing of the real database was changed, and nothing is left to resume.
    """

    def __init__(self, revision: str, direction: str, step: str, why: str, *, rehearsed: bool = False) -> None:
        """Say which step of which revision failed, and why."""
        then = (
            "It was a rehearsal: the database is as it was. Mend the revision or its documents, and rehearse again."
            if rehearsed
            else "What came before it stays. Mend the cause and run "
            f"{AGAIN.get(direction, '`resume`, or decide by hand with `resolve`')}."
        )
        super().__init__(f"Revision {revision} ({direction}) failed at the step {step!r}: {why} {then}")
        self.revision = revision
        self.direction = direction
        self.step = step
        self.why = why
        self.rehearsed = rehearsed


class Refused(MigrationError):
    """The server refused what a step did, or failed at it; `code` is the server's. That batch was not written.

    `batch` are the first and the last id of the batch, as text; `documents` is how many it had, 0 without one.
    """

    def __init__(self, what: str, code: int | None, batch: tuple[str, str] | None = None, documents: int = 0) -> None:
        """Say what the server said, and where."""
        where = f" at the document {batch[1]}" if batch and documents == 1 else ""
        where = f" in the batch of the documents {batch[0]} to {batch[1]}" if batch and documents > 1 else where
        super().__init__(f"{what}{where}.")
        self.what = what
        self.code = code
        self.batch = batch
        self.documents = documents

    def of_the_last(self) -> "Refused":
        """Return the same of the last document alone: those before it were not refused."""
        return Refused(self.what, self.code, self.batch, min(self.documents, 1))


class DatabaseDirty(MigrationError):
    """Revisions were begun and not ended; `revisions` names them."""

    def __init__(self, revisions: Sequence[str]) -> None:
        """Name the revisions."""
        super().__init__(
            f"{', '.join(revisions)} {'was' if len(revisions) == 1 else 'were'} begun and not ended. Run `resume` to go on, "
            "or decide by hand with `resolve`."
        )
        self.revisions = tuple(revisions)


class NothingToResume(MigrationError):
    """No revision is half-done."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("Nothing was left half-done. Run `upgrade` or `downgrade`.")


class NotHalfDone(MigrationError):
    """A revision is to be decided by hand, and there is nothing to decide."""

    def __init__(self, revision: str) -> None:
        """Name the revision."""
        super().__init__(
            f"{revision} is not half-done and its file is as it was, so there is nothing to resolve. Use `stamp` to note "
            "where the database is."
        )
        self.revision = revision


class StepsChanged(MigrationError):
    """The steps that a revision declares are not those that were begun; `step` is the first that differs, from 1."""

    def __init__(self, revision: str, step: int, begun: str) -> None:
        """Name the revision, and the step as it was."""
        super().__init__(
            f"Revision {revision} was begun with {begun!r} as step {step}, and declares something else there now. What "
            "was begun must stay as it was: restore it, or decide by hand with `resolve`."
        )
        self.revision = revision
        self.step = step


class RevisionTampered(MigrationError):
    """The files of applied revisions are not those that were applied; `revisions` names them, `begun` the half-done."""

    def __init__(self, revisions: Sequence[str], begun: Sequence[str] = ()) -> None:
        """Name the revisions."""
        whole, half = [one for one in revisions if one not in begun], ", ".join(begun)
        texts: list[str] = []
        if whole:
            texts.append(
                f"The files of {', '.join(whole)} have changed since they were applied. Restore them and write a new revision "
                f"for the change, or, if it means nothing, run `resolve {whole[0]} --applied`{' and so on' * (len(whole) > 1)}."
            )
        if half:
            texts.append(
                f"The files of {half} have changed since they were begun. Restore them, or go on with the mended ones by "
                "`resume --changed`."
            )
        super().__init__(" ".join(texts))
        self.revisions = tuple(revisions)
        self.begun = tuple(begun)


class ImagesMissing(MigrationError):
    """The way back of a revision needs what its steps remembered of documents, and that is not there; nothing was run."""

    def __init__(self, revision: str, step: str, why: str) -> None:
        """Name the revision and the step, and say why."""
        super().__init__(
            f"Revision {revision} cannot be reverted: {step!r} needs what documents were, and {why}. Nothing was run. "
            f"If the documents may stay as they are, go down to it (`downgrade {revision}`) and `stamp` the revision before it "
            "then; or write its down() by hand."
        )
        self.revision = revision
        self.step = step
        self.why = why


class ImagesPruned(ImagesMissing):
    """What the way back of a revision needs was removed by `prune`; nothing was run."""


class StandaloneServer(MigrationError):
    """The server is a standalone: it cannot record a step in one transaction with what the step does."""

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__(
            "The server is a standalone and has no transactions, so a crash could apply a step twice. Start it with "
            "--replSet and initiate the set (one node is enough)."
        )
