"""The commands of `boundwork migrate` that ask a database: what they print, and the exit code.

Several databases are taken one after another; the first failure ends it, and a table says what became of each.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import typer

from boundwork import BoundworkError
from boundwork.alembic_like_migrations import DatabaseDirty, Migrator, NothingToResume, RevisionTampered
from boundwork.alembic_like_migrations.engine.work import Standing
from boundwork.cli.migrate.answers import answering, failed, print_json, print_rows
from boundwork.cli.migrate.exits import Exit, exit_of
from boundwork.cli.migrate.places import Place, places
from boundwork.cli.migrate.project import Project
from boundwork.cli.migrate.watching import watcher

Urls = Annotated[
    list[str] | None,
    typer.Option(
        "--url", metavar="URL", help="A server and a database; can be repeated.", show_default="from the environment"
    ),
]
Names = Annotated[
    list[str] | None, typer.Option("--db", metavar="NAME", help="A database of each URL instead; can be repeated.")
]
LockTimeout = Annotated[float, typer.Option(metavar="SECONDS", min=0, help="How long another deployer is waited for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
DEFAULT_LOCK_TIMEOUT = 60.0
INTERRUPTED = 130


@dataclass(slots=True)
class Account:
    """What became of one database; `words` for people, `facts` for JSON."""

    place: Place
    words: str = "not reached"
    facts: dict[str, Any] = field(default_factory=dict)
    error: BoundworkError | None = None

    def as_object(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        error = None if self.error is None else type(self.error).__name__
        return {"database": self.place.title, **self.facts, "error": error}


Job = Callable[[Migrator, Account], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What all of these commands are asked: where, how long to wait for others, and how to answer."""

    context: typer.Context
    urls: Sequence[str] | None
    names: Sequence[str] | None
    as_json: bool
    patience: float = 0.0


def upgrade(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="What to apply up to: an id, head, heads, +1.")] = "head",
    *,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Apply what is missing."""
    _run(
        Asked(context, urls, names, as_json, lock_timeout), _path("applied", lambda migrator: migrator.upgrade(target))
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
    _run(
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

    _run(Asked(context, urls, names, as_json, lock_timeout), _path("ended", ended))


def current(
    context: typer.Context,
    *,
    check: Annotated[bool, typer.Option(help="Exit with 3, 7 or 8 where something is to be done.")] = False,
    urls: Urls = None,
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """Show where a database stands."""
    found: list[Standing] = []

    def look(migrator: Migrator, account: Account) -> None:
        standing = migrator.standing()
        found.append(standing)
        account.words = _standing_in_words(standing)
        account.facts = {
            "applied": list(standing.applied),
            "tips": list(standing.tips),
            "pending": list(standing.pending),
            "half_done": {one.revision: one.direction for one in standing.half_done},
            "tampered": list(standing.tampered),
        }

    _run(Asked(context, urls, names, as_json), look)
    code = max((_code_of(standing) for standing in found), default=Exit.OK)
    if check and code:
        raise typer.Exit(int(code))


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
    _run(Asked(context, urls, names, as_json, lock_timeout), _path("stamped", lambda migrator: migrator.stamp(target)))


def unlock(context: typer.Context, *, urls: Urls = None, names: Names = None, as_json: AsJson = False) -> None:
    """Take the lock away from a deployer that is gone; one that is not can write no more."""

    def take(migrator: Migrator, account: Account) -> None:
        owner = migrator.unlock()
        account.facts = {"owner": owner}
        account.words = "was not locked" if owner is None else f"was locked by {owner}"

    _run(Asked(context, urls, names, as_json), take)


def resolve(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="A revision that is half-done.")],
    *,
    applied: Annotated[bool, typer.Option("--applied", help="It counts as applied.")] = False,
    reverted: Annotated[bool, typer.Option("--reverted", help="It counts as not applied.")] = False,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Decide by hand what a half-done revision is; nothing is run."""
    if applied == reverted:
        raise typer.BadParameter("say either --applied or --reverted")
    state: Literal["applied", "reverted"] = "applied" if applied else "reverted"

    def decide(migrator: Migrator, account: Account) -> None:
        migrator.resolve(revision, state)
        account.words, account.facts = f"{revision} is {state}", {"revision": revision, "state": state}

    _run(Asked(context, urls, names, as_json, lock_timeout), decide)


def add_running(group: typer.Typer) -> None:
    """Add the commands to `boundwork migrate`."""
    for command in (upgrade, resume, current, stamp, unlock, resolve):
        group.command()(command)
    group.command(context_settings={"ignore_unknown_options": True})(downgrade)  # -1 is a target


def _path(word: str, run: Callable[[Migrator], Sequence[str]]) -> Job:
    def job(migrator: Migrator, account: Account) -> None:
        done = run(migrator)
        account.words = f"{word} {', '.join(done)}" if done else "nothing to do"
        account.facts = {word: list(done)}

    return job


def _run(asked: Asked, job: Job) -> None:
    """Do a job in each database, until one fails, and tell what became of each."""
    with answering(as_json=asked.as_json):
        project = Project.at(asked.context.obj)
        found = places(project.settings, asked.urls or (), asked.names or (), os.environ)
        accounts = [Account(place) for place in found]
        failure = _run_each(project, accounts, asked, job)
        if asked.as_json:
            whole: dict[str, Any] = {"databases": [account.as_object() for account in accounts]}
            print_json(whole if failure is None else {**whole, "error": failed(failure)})
        else:
            print_rows([((account.place.title, "bold"), (account.words, _style(account))) for account in accounts])
    if failure is not None:
        typer.echo(f"boundwork: {' '.join(str(failure).split())}", err=True)
        raise typer.Exit(int(exit_of(failure)))


def _run_each(project: Project, accounts: Sequence[Account], asked: Asked, job: Job) -> BoundworkError | None:
    for account in accounts:
        watching = watcher(quiet=asked.as_json)
        try:
            with account.place.connect() as connection:
                job(Migrator(connection, project.graph, watcher=watching, patience=asked.patience), account)
        except BoundworkError as failure:
            account.words, account.error = f"failed: {type(failure).__name__}", failure
            return failure
        except KeyboardInterrupt:
            typer.echo("boundwork: Interrupted. What was committed stays; `resume` goes on with it.", err=True)
            raise typer.Exit(INTERRUPTED) from None
        finally:
            watching.close()
    return None


def _style(account: Account) -> str:
    return "red" if account.error is not None else ""


def _standing_in_words(standing: Standing) -> str:
    parts = [f"at {', '.join(standing.tips) or 'base'}"]
    parts += [f"{len(standing.pending)} pending"] if standing.pending else []
    parts += [f"{one.revision} stopped half-way {one.direction}" for one in standing.half_done]
    parts += [f"changed files: {', '.join(standing.tampered)}"] if standing.tampered else []
    return "; ".join(parts)


def _code_of(standing: Standing) -> Exit:
    if standing.half_done:
        return exit_of(DatabaseDirty([one.revision for one in standing.half_done]))
    if standing.tampered:
        return exit_of(RevisionTampered(standing.tampered))
    return Exit.PENDING if standing.pending else Exit.OK
