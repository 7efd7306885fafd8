"""How a command asks databases: each one that was named, one after another, and what it tells at the end.

The first failure ends it, and a table says what became of each.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from boundwork import BoundworkError
from boundwork.alembic_like_migrations import Migrator
from boundwork.alembic_like_migrations.project import Project
from boundwork.cli.migrate.answers import answering, fail, failed, print_json, print_rows
from boundwork.cli.migrate.exits import exit_of
from boundwork.cli.migrate.models import make_importable
from boundwork.cli.migrate.places import Place, places
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
DEFAULT_LOCK_TIMEOUT = 60.0
NOTHING = "nothing to do"
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
    batch_seconds: float = 1.0


def run(asked: Asked, job: Job) -> None:
    """Do a job in each database, until one fails, and tell what became of each."""
    with answering(as_json=asked.as_json):
        project = Project.at(asked.context.obj)
        make_importable(project.settings)
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
                how: dict[str, Any] = {"patience": asked.patience, "batch_seconds": asked.batch_seconds}
                job(Migrator(connection, project.graph, watcher=watching, **how), account)
            if watching.squashes:
                noted = f"adopted {', '.join(watching.squashes)}"
                account.words = noted if account.words == NOTHING else f"{account.words}; {noted}"
                account.facts["adopted"] = watching.squashes
        except BoundworkError as failure:
            account.words, account.error = f"failed: {type(failure).__name__}", failure
            return failure
        except KeyboardInterrupt:
            text = "Interrupted. What was committed stays; `resume` goes on with it."
            fail("Interrupted", text, INTERRUPTED, as_json=asked.as_json)
        finally:
            watching.close()
    return None


def _style(account: Account) -> str:
    return "red" if account.error is not None else ""
