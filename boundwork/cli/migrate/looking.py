"""The commands of `boundwork migrate` that only look at a database: where it stands, what a run would do, what differs."""

from dataclasses import asdict
from typing import Annotated

import typer

from boundwork.alembic_like_migrations import DatabaseDirty, Migrator, RevisionTampered
from boundwork.alembic_like_migrations.engine.ledger import Direction
from boundwork.alembic_like_migrations.engine.work import Standing
from boundwork.alembic_like_migrations.project import Project
from boundwork.alembic_like_migrations.revision import Phase
from boundwork.cli.migrate.answers import AsJson, answering, print_rows
from boundwork.cli.migrate.asking import Account, Asked, Job, Names, Urls, run
from boundwork.cli.migrate.exits import Exit, exit_of
from boundwork.cli.migrate.models import load_models
from boundwork.cli.migrate.plan_rows import plan_rows, rehearsal_rows, rehearsed, summed_up
from boundwork.cli.migrate.structure import as_facts, difference_rows, exit_of_check, in_words


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
            "adopting": list(standing.adopting),
            "waiting": {squash: list(missing) for squash, missing in standing.waiting.items()},
            "replaced": dict(standing.replaced),
            "unfinished": [asdict(one) for one in standing.unfinished],
            "pruned": list(standing.pruned),
        }

    run(Asked(context, urls, names, as_json), look)
    code = max((_code_of(standing) for standing in found), default=Exit.OK)
    if check and code:
        raise typer.Exit(int(code))


def check(context: typer.Context, *, urls: Urls = None, names: Names = None, as_json: AsJson = False) -> None:
    """Compare the models with all revisions, and the database with those applied: 0, 3 or 4 says what differs."""
    with answering(as_json=as_json):
        models = load_models(Project.at(context.obj).settings)
    codes: list[Exit] = []

    def compare(migrator: Migrator, account: Account) -> None:
        checked = migrator.check(models)
        codes.append(exit_of_check(checked))
        if not as_json:
            print_rows(difference_rows(checked))
        account.words, account.facts = in_words(checked), as_facts(checked)

    run(Asked(context, urls, names, as_json), compare)
    if code := max(codes, default=Exit.OK):
        raise typer.Exit(int(code))


def plan(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(help="What to apply up to, or to go back to: an id, head, base, -1.")
    ] = "head",
    *,
    down: Annotated[bool, typer.Option("--down", help="Say what a downgrade would do.")] = False,
    phase: Annotated[Phase | None, typer.Option(help="Leave out the other phase of a rolling deploy.")] = None,
    urls: Urls = None,
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """Say what would be done, about how long it takes and what to think of; nothing is written."""
    if down and phase is not None:
        raise typer.BadParameter("a downgrade has no phases", param_hint="--phase")
    run(Asked(context, urls, names, as_json), planning(target, "down" if down else "up", phase, as_json=as_json))


def rehearse(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="What to apply up to: an id, head, heads, +1.")] = "head",
    *,
    any_order: Annotated[bool, typer.Option("--any-order", help="The order of fields does not matter.")] = False,
    most: Annotated[int, typer.Option(metavar="N", min=1, help="About how many documents of each collection.")] = 1000,
    urls: Urls = None,
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """Run up and down on some documents in a scratch database, and say what would not come back as it was."""
    alike = True

    def job(migrator: Migrator, account: Account) -> None:
        nonlocal alike
        found = migrator.rehearse(target, mode="any-order" if any_order else "bytes", most=most)
        alike = alike and found.same
        if not as_json:
            print_rows(rehearsal_rows(found))
        account.words, account.facts = rehearsed(found), {"rehearsal": found.as_object()}

    run(Asked(context, urls, names, as_json), job)
    if not alike:
        raise typer.Exit(int(Exit.FAILED))


def planning(target: str, direction: Direction, phase: Phase | None, *, as_json: bool) -> Job:
    """Return the job that tells a plan."""

    def job(migrator: Migrator, account: Account) -> None:
        made = migrator.plan(target, direction=direction, phase=phase)
        if not as_json:
            print_rows(plan_rows(made))
        account.words = summed_up(made)
        account.facts = {"plan": made.as_object()}

    return job


def _standing_in_words(standing: Standing) -> str:
    parts = [f"at {', '.join(standing.tips) or 'base'}"]
    parts += [f"{len(standing.pending)} pending"] if standing.pending else []
    parts += [f"{one.revision} stopped half-way {one.direction}" for one in standing.half_done]
    parts += [f"changed files: {', '.join(standing.tampered)}"] if standing.tampered else []
    parts += [f"{squash} stands for what is applied, and is noted by the next run" for squash in standing.adopting]
    parts += [f"{squash} waits for {', '.join(missing)}" for squash, missing in standing.waiting.items()]
    parts += [f"{one.revision} leaves {_number(one.left)} of {one.collection} to finish" for one in standing.unfinished]
    return "; ".join(parts)


def _number(left: int | None) -> str:
    return "an unknown number of documents" if left is None else f"{left:,} documents"


def _code_of(standing: Standing) -> Exit:
    if standing.half_done:
        return exit_of(DatabaseDirty([one.revision for one in standing.half_done]))
    if standing.tampered:
        return exit_of(RevisionTampered(standing.tampered))
    return Exit.PENDING if standing.pending else Exit.OK
