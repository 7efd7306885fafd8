"""The commands of `boundwork migrate` that change a database: what they print, and the exit code."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import typer

from boundwork.alembic_like_migrations import MigrationError, Migrator, NothingToResume
from boundwork.alembic_like_migrations.revision import Phase
from boundwork.cli.migrate.answers import AsJson
from boundwork.cli.migrate.asking import (
    DEFAULT_LOCK_TIMEOUT,
    NOTHING,
    Account,
    Asked,
    Job,
    LockTimeout,
    Names,
    Urls,
    run,
)
from boundwork.cli.migrate.looking import check, current, plan, planning, rehearse


def upgrade(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="What to apply up to: an id, head, heads, +1.")] = "head",
    *,
    phase: Annotated[Phase | None, typer.Option(help="Leave out the other phase of a rolling deploy.")] = None,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done, as `plan` does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Apply what is missing."""
    if dry_run:
        run(Asked(context, urls, names, as_json), planning(target, "up", phase, as_json=as_json))
        return
    run(
        Asked(context, urls, names, as_json, lock_timeout),
        _path("applied", lambda migrator: migrator.upgrade(target, phase=phase)),
    )


def downgrade(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="What to go back to: an id, base, -1.")],
    *,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Revert what came after a revision."""
    run(
        Asked(context, urls, names, as_json, lock_timeout),
        _path("reverted", lambda migrator: migrator.downgrade(target)),
    )


def resume(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    *,
    changed: Annotated[bool, typer.Option(help="The file was mended; what was begun of it is the same.")] = False,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Go on with what a crash or a failure left half-done."""

    def ended(migrator: Migrator) -> tuple[str, ...]:
        try:
            return migrator.resume(changed=changed)
        except NothingToResume:
            return ()

    run(Asked(context, urls, names, as_json, lock_timeout), _path("ended", ended))


def stamp(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="Where the database stands: an id, head, base.")],
    *,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Note that a database stands at a revision, without running anything."""

    def note(migrator: Migrator, account: Account) -> None:
        before = _known(migrator)
        noted = migrator.stamp(target)
        forgotten = [one for one in before if one not in noted]
        told = [f"{word} {', '.join(names)}" for word, names in (("stamped", noted), ("forgot", forgotten)) if names]
        account.words = ", ".join(told) or NOTHING
        account.facts = {"stamped": list(noted), "forgotten": forgotten}

    run(Asked(context, urls, names, as_json, lock_timeout), note)


def unlock(context: typer.Context, *, urls: Urls = None, names: Names = None, as_json: AsJson = False) -> None:
    """Take the lock away from a deployer that is gone; one that is not can write no more."""

    def take(migrator: Migrator, account: Account) -> None:
        owner = migrator.unlock()
        account.facts = {"owner": owner}
        account.words = "was not locked" if owner is None else f"was locked by {owner}"

    run(Asked(context, urls, names, as_json), take)


def resolve(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    revision: Annotated[
        str, typer.Argument(metavar="REV", help="One that is half-done, or an applied one whose file was changed.")
    ],
    *,
    applied: Annotated[bool, typer.Option("--applied", help="It counts as applied.")] = False,
    reverted: Annotated[bool, typer.Option("--reverted", help="It counts as not applied.")] = False,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Decide by hand what a half-done revision is, or accept a changed file (--applied); nothing is run."""
    if applied == reverted:
        raise typer.BadParameter("say either --applied or --reverted")
    state: Literal["applied", "reverted"] = "applied" if applied else "reverted"

    def decide(migrator: Migrator, account: Account) -> None:
        migrator.resolve(revision, state)
        account.words, account.facts = f"{revision} is {state}", {"revision": revision, "state": state}

    run(Asked(context, urls, names, as_json, lock_timeout), decide)


def add_running(group: typer.Typer) -> None:
    """Add the commands to `boundwork migrate`."""
    for command in (upgrade, check, rehearse, resume, current, stamp, unlock, resolve):
        group.command()(command)
    for command in (plan, downgrade):
        group.command(context_settings={"ignore_unknown_options": True})(command)  # -1 is a target


def _known(migrator: Migrator) -> Sequence[str]:
    """Return what was run or noted so far; nothing where that cannot be told, as stamping is a way out of that."""
    try:
        standing = migrator.standing()
    except MigrationError:
        return ()
    return (
        *standing.applied,
        *(record.revision for record in standing.half_done if record.revision not in standing.applied),
    )


def _path(word: str, do: Callable[[Migrator], Sequence[str]]) -> Job:
    def job(migrator: Migrator, account: Account) -> None:
        done = do(migrator)
        account.words = f"{word} {', '.join(done)}" if done else NOTHING
        account.facts = {word: list(done)}

    return job
