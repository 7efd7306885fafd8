"""What `boundwork migrate check` tells, and what `revision --auto` writes: models compared with a server."""

from collections.abc import Sequence

from boundwork.alembic_like_migrations.autogenerate.api import propose
from boundwork.alembic_like_migrations.autogenerate.checking import Against, Checked
from boundwork.alembic_like_migrations.autogenerate.differences import Difference
from boundwork.alembic_like_migrations.autogenerate.rendering import body
from boundwork.alembic_like_migrations.drafts import Body
from boundwork.alembic_like_migrations.project import Project
from boundwork.cli.migrate.answers import Row
from boundwork.cli.migrate.exits import Exit
from boundwork.cli.migrate.models import load_models
from boundwork.cli.migrate.places import Place


def proposed(project: Project, place: Place, after: str, against: Against, *, drop: bool) -> Body:
    """Return the body of the revision that mends what differs; an empty one if nothing does."""
    models = load_models(project.settings)
    with place.connect() as database:
        found = propose(database, project.graph, models, after=after, against=against, drop=drop)
    return body(found)


def exit_of_check(checked: Checked) -> Exit:
    """Return the exit code for a check; a database that drifted is the worse of the two."""
    if checked.database:
        return Exit.DRIFT
    return Exit.PENDING if checked.models else Exit.OK


def as_facts(checked: Checked) -> dict[str, object]:
    """Return what a check found, for JSON."""
    return {
        "clean": checked.clean,
        "models": [one.as_object() for one in checked.models],
        "database": [one.as_object() for one in checked.database],
        "pending": list(checked.pending),
        "exit": int(exit_of_check(checked)),
    }


def difference_rows(checked: Checked) -> list[Row]:
    """Return a row for each difference."""
    return [*_named("models", checked.models), *_named("database", checked.database)]


def in_words(checked: Checked) -> str:
    """Return in a few words what a check found."""
    number = len(checked.models) + len(checked.database)
    found = f"{number} differ{'s' if number == 1 else ''}" if number else "nothing differs"
    return f"{found}; {len(checked.pending)} pending" if checked.pending else found


def _named(side: str, differing: Sequence[Difference]) -> list[Row]:
    return [((side, "bold red"), (str(one), "")) for one in differing]
