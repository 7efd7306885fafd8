"""`boundwork migrate check`, and what `revision --auto` writes: the commands that compare models with a server."""

import os
from collections.abc import Sequence

import typer

from boundwork import connect
from boundwork.alembic_like_migrations.autogenerate.api import check as compared
from boundwork.alembic_like_migrations.autogenerate.api import propose
from boundwork.alembic_like_migrations.autogenerate.checking import Against, Checked
from boundwork.alembic_like_migrations.autogenerate.differences import Difference
from boundwork.alembic_like_migrations.autogenerate.rendering import body
from boundwork.alembic_like_migrations.drafts import Body
from boundwork.cli.migrate.answers import AsJson, Row, answering, print_json, print_rows
from boundwork.cli.migrate.exits import Exit
from boundwork.cli.migrate.models import load_models
from boundwork.cli.migrate.project import Project


def check(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Compare the models with all revisions, and the database with those applied: 0, 3 or 4 says what differs."""
    with answering(as_json=as_json):
        project = Project.at(context.obj)
        models = load_models(project.settings)
        with connect(project.settings.database_url(os.environ)) as database:
            checked = compared(database, project.graph, models)
        code = exit_of(checked)
        if as_json:
            print_json(_as_object(checked, code))
        else:
            print_rows(_rows(checked))
    if code:
        raise typer.Exit(int(code))


def proposed(project: Project, after: str, against: Against, *, drop: bool) -> Body:
    """Return the body of the revision that mends what differs; an empty one if nothing does."""
    models = load_models(project.settings)
    with connect(project.settings.database_url(os.environ)) as database:
        found = propose(database, project.graph, models, after=after, against=against, drop=drop)
    return body(found)


def exit_of(checked: Checked) -> Exit:
    """Return the exit code for a check; a database that drifted is the worse of the two."""
    if checked.database:
        return Exit.DRIFT
    return Exit.PENDING if checked.models else Exit.OK


def _as_object(checked: Checked, code: Exit) -> dict[str, object]:
    return {
        "clean": checked.clean,
        "models": [one.as_object() for one in checked.models],
        "database": [one.as_object() for one in checked.database],
        "pending": list(checked.pending),
        "exit": int(code),
    }


def _rows(checked: Checked) -> list[Row]:
    rows = [*_named("models", checked.models), *_named("database", checked.database)]
    if not rows:
        rows.append((("nothing differs", "bold green"),))
    if checked.pending:
        rows.append((("pending", "dim"), (", ".join(checked.pending), "")))
    return rows


def _named(side: str, differing: Sequence[Difference]) -> list[Row]:
    return [((side, "bold red"), (str(one), "")) for one in differing]
