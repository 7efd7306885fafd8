"""The command `finish` of `boundwork migrate`: what it prints."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from boundwork.alembic_like_migrations import Finished, Migrator
from boundwork.cli.migrate.answers import AsJson, print_rows
from boundwork.cli.migrate.asking import (
    DEFAULT_LOCK_TIMEOUT,
    Account,
    Asked,
    LockTimeout,
    Names,
    Urls,
    run,
)
from boundwork.cli.migrate.exits import Exit


def finish(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    revision: Annotated[str | None, typer.Argument(metavar="[REV]", help="One lazy revision; all without it.")] = None,
    *,
    batch: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.01, max=20, help="How long a batch of documents may take.")
    ] = 1.0,
    changed: Annotated[bool, typer.Option(help="The upcast was mended; it does the same, but better.")] = False,
    urls: Urls = None,
    names: Names = None,
    lock_timeout: LockTimeout = DEFAULT_LOCK_TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Migrate the documents that lazy revisions have left, while the application runs."""
    left = False

    def bring(migrator: Migrator, account: Account) -> None:
        nonlocal left
        done = migrator.finish(revision, changed=changed)
        if not as_json:
            print_rows([_row(one) for one in done])
        again = any(one.left != 0 for one in done)
        left = left or again
        account.words = "not finished: run it again" if again else "finished" if done else "nothing to finish"
        account.facts = {"finished": [asdict(one) for one in done]}

    run(Asked(context, urls, names, as_json, lock_timeout, batch), bring)
    if left:
        raise typer.Exit(int(Exit.PENDING))


def _row(one: Finished) -> Sequence[tuple[str, str]]:
    left = f", {one.left:,} were added since" if one.left else ""
    text = f"{one.collection} is of version {one.version}: {one.migrated:,} documents migrated{left}"
    return ((one.revision, "bold yellow"), (text, ""))
