"""The command `prune` of `boundwork migrate`: what it says before, what it asks, and what it prints."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from boundwork.alembic_like_migrations import Migrator, Pruned
from boundwork.cli.migrate.answers import AsJson, Row, print_rows
from boundwork.cli.migrate.asking import (
    DEFAULT_LOCK_TIMEOUT,
    Account,
    Asked,
    LockTimeout,
    Names,
    Urls,
    run,
)


def prune(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    before: Annotated[
        str | None, typer.Argument(metavar="[REV]", help="Prune what was applied before it: an id, head.")
    ] = None,
    *,
    keep: Annotated[int | None, typer.Option(metavar="N", min=0, help="Prune all but the last N instead.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask no question.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Remove what old revisions remember of documents; those that need it can no longer be reverted."""
    if (before is None) == (keep is None):
        raise typer.BadParameter("say either REV or --keep N")
    if as_json and not (yes or dry_run):
        raise typer.BadParameter("it asks no question, so say --yes or --dry-run", param_hint="--json")

    def job(migrator: Migrator, account: Account) -> None:
        found = migrator.prune(before, keep=keep, dry_run=True)
        if not as_json:
            print_rows([_row(one) for one in found])
        if found and not dry_run:
            if not (yes or typer.confirm(f"Remove that from {account.place.title} for good?")):
                account.words = "left as it is"
                return
            found = migrator.prune(before, keep=keep, only=[one.revision for one in found])
        account.words = _words(found, dry_run=dry_run)
        account.facts = {"would_prune" if dry_run else "pruned": [asdict(one) for one in found]}

    run(Asked(context, urls, names, as_json, lock_timeout), job)


def _row(one: Pruned) -> Row:
    then = "can be reverted all the same" if one.revertible else "cannot be reverted without"
    return ((one.revision, "bold yellow"), (f"remembers {one.images:,} images of documents, and {then}", ""))


def _words(found: Sequence[Pruned], *, dry_run: bool) -> str:
    if not found:
        return "nothing to prune"
    names = ", ".join(one.revision for one in found)
    return f"would prune {names}" if dry_run else f"pruned {names}"
