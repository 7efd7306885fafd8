"""The commands of `boundwork migrate` and their options.

They read and write files. `squash` and `revision --auto` execute revision files, and the latter asks a database.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from boundwork.alembic_like_migrations import Graph, Revision, RevisionNotFound
from boundwork.alembic_like_migrations.autogenerate.checking import Against
from boundwork.alembic_like_migrations.drafts import NO_BODY
from boundwork.alembic_like_migrations.project import Project, Written, begin
from boundwork.alembic_like_migrations.revision import Phase
from boundwork.alembic_like_migrations.rollout.rename_pair import RenamePair
from boundwork.alembic_like_migrations.settings import FILE_NAME, URL_VARIABLE, Section
from boundwork.cli.migrate.answers import (
    AsJson,
    Row,
    answering,
    as_object,
    as_row,
    can_draw_lines,
    marks,
    print_json,
    print_lines,
    print_rows,
    shown,
)
from boundwork.cli.migrate.drawing import drawn
from boundwork.cli.migrate.exits import Exit
from boundwork.cli.migrate.mermaid import flowchart
from boundwork.cli.migrate.places import at_one
from boundwork.cli.migrate.structure import proposed

CODES = "; ".join(f"[bold]{int(code)}[/bold] {code.meaning}" for code in Exit)
ABOUT = f"Revisions of a database: their files and their graph.\n\nExit codes: {CODES}."

Chosen = Annotated[str | None, typer.Option("--id", metavar="ID", help="The id.", show_default="one by chance")]

migrate = typer.Typer(name="migrate", help=ABOUT, no_args_is_help=True, rich_markup_mode="rich")


@migrate.callback()
def choose(
    context: typer.Context,
    project: Annotated[
        Path, typer.Option(metavar="DIR", help="A folder of the project.", exists=True, file_okay=False)
    ] = Path(),
) -> None:
    """Stand above the commands."""
    context.obj = project


@migrate.command()
def init(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where the revision files will be.")] = "migrations",
    *,
    models: Annotated[
        str | None, typer.Option(metavar="MODULE:NAME", help="What declares the models, as shop.models:Shop.")
    ] = None,
    url_variable: Annotated[
        str, typer.Option(metavar="NAME", help="The environment variable with the URL of the database.")
    ] = URL_VARIABLE,
    file_name: Annotated[str, typer.Option(metavar="TEMPLATE", help="How files are named.")] = FILE_NAME,
    as_json: AsJson = False,
) -> None:
    """Begin: write the settings to pyproject.toml, make the folder, and put the template of revisions there."""
    with answering(as_json=as_json):
        section = Section(folder=folder, models=models, url_variable=url_variable, file_name=file_name)
        settings, template = begin(context.obj, section)
        if as_json:
            print_json({"settings": str(settings.file), "folder": str(settings.folder), "template": str(template)})
            return
        print_rows(
            [
                (("settings", "dim"), (shown(settings.file), ""), ("[tool.boundwork.migrations]", "dim")),
                (("folder", "dim"), (shown(settings.folder), ""), ("", "")),
                (("template", "dim"), (shown(template), ""), ("yours to change", "dim")),
            ]
        )


@migrate.command()
def revision(  # noqa: PLR0913 - each option is an argument
    context: typer.Context,
    message: Annotated[str | None, typer.Option("-m", "--message", help="What it does, in a few words.")] = None,
    *,
    after: Annotated[
        str, typer.Option(metavar="NAME", help="What it comes after; [bold]base[/bold] for nothing.")
    ] = "head",
    phase: Annotated[Phase | None, typer.Option(help="When a rolling deploy may run it.")] = None,
    auto: Annotated[bool, typer.Option("--auto", help="Write what brings the revisions to the models.")] = False,
    against: Annotated[
        Against, typer.Option(help="With --auto: start from the structure that revisions make, or the database has.")
    ] = "revisions",
    drop: Annotated[
        bool, typer.Option("--drop", help="With --auto: drop what no model declares, instead of proposing it.")
    ] = False,
    url: Annotated[str | None, typer.Option(metavar="URL", help="With --auto: the server and database to ask.")] = None,
    name: Annotated[str | None, typer.Option("--db", metavar="NAME", help="With --auto: its database instead.")] = None,
    revision_id: Chosen = None,
    rename: Annotated[
        str | None,
        typer.Option(metavar="COLLECTION.OLD:NEW", help="Write two revisions that rename a field in a rolling deploy."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the file of a new revision."""
    if rename is not None and (phase or revision_id):
        raise typer.BadParameter("it writes two revisions, with phases and ids of their own", param_hint="--rename")
    if rename is None and (message is None or not message.strip()):
        raise typer.BadParameter("say what it does", param_hint="-m")
    with answering(as_json=as_json):
        project = Project.at(context.obj)
        if rename is not None:
            _tell_all(project.rename(RenamePair.parsed(rename), message, after=after), as_json=as_json)
            return
        place = at_one(project.settings, url, name) if auto else None
        body = NO_BODY if place is None else proposed(project, place, after, against, drop=drop)
        written = project.add(message or "", after=after, phase=phase, revision=revision_id, body=body)
        _tell(written, as_json=as_json)


@migrate.command()
def merge(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="What to merge.", show_default="all heads")
    ] = None,
    *,
    message: Annotated[str | None, typer.Option("-m", "--message", help="Why, in a few words.")] = None,
    revision_id: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Write a revision that comes after several, so that there is one head again."""
    with answering(as_json=as_json):
        _tell(Project.at(context.obj).merge(names or [], message, revision=revision_id), as_json=as_json)


@migrate.command()
def squash(
    context: typer.Context,
    written: Annotated[str, typer.Argument(metavar="FIRST:LAST", help="What to replace, as 3f2a:head or base+1:head.")],
    *,
    message: Annotated[str | None, typer.Option("-m", "--message", help="What it does, in a few words.")] = None,
    revision_id: Chosen = None,
    as_json: AsJson = False,
) -> None:
    """Write one revision that replaces a range; the old files stay until all databases have passed them."""
    with answering(as_json=as_json):
        made, squashed = Project.at(context.obj).squash(written, message, revision=revision_id)
        if as_json:
            facts = {"anew": list(squashed.anew), "kept": list(squashed.kept), "irreversible": squashed.irreversible}
            print_json({**as_object(made.graph, made.revision), **facts})
            return
        _tell(made, as_json=False)
        told = {"written anew": squashed.anew, "kept whole": squashed.kept}
        rows = [((word, "dim"), (", ".join(names), "")) for word, names in told.items() if names]
        why = squashed.irreversible
        print_rows(rows if why is None else [*rows, (("no way back", "dim"), (why, ""))])


@migrate.command()
def heads(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the revisions that nothing comes after."""
    with answering(as_json=as_json):
        graph = Project.at(context.obj).graph
        if as_json:
            print_json({"heads": [as_object(graph, graph[head]) for head in graph.heads]})
            return
        print_rows([as_row(graph, graph[head]) for head in graph.heads])


@migrate.command()
def history(
    context: typer.Context,
    *,
    as_graph: Annotated[bool, typer.Option("--graph", help="Draw branches and merges.")] = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a mermaid flowchart.")] = False,
    as_json: AsJson = False,
) -> None:
    """List all revisions, the newest first."""
    if as_graph + as_mermaid + as_json > 1:
        raise typer.BadParameter("--graph, --mermaid and --json exclude each other")
    with answering(as_json=as_json):
        graph = Project.at(context.obj).graph
        if as_mermaid:
            typer.echo(flowchart(graph), nl=False)
        elif as_json:
            told = {"revisions": _newest(graph), "replaced": graph.replaced}
            print_json({"heads": list(graph.heads), **_objects(graph, told)})
        elif as_graph:
            print_lines(_drawing(graph))
        else:
            print_rows([as_row(graph, one) for one in (*_newest(graph), *graph.replaced)])


@migrate.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="An id or its beginning, head, heads, head-1.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show all that the file of a revision says."""
    with answering(as_json=as_json):
        graph = Project.at(context.obj).graph
        old = graph.everything.get(name)
        found = [graph[one] for one in graph.resolve(name)] if old is None else [old]
        if not found:
            raise RevisionNotFound(name, "it means the state before all revisions.")
        if as_json:
            print_json(_objects(graph, {"revisions": found}))
            return
        for one in found:
            print_rows(_details(graph, one))


def _tell(written: Written, *, as_json: bool) -> None:
    if as_json:
        print_json(as_object(written.graph, written.revision))
        return
    print_rows([((written.revision.revision, "bold yellow"), (shown(written.revision.path), ""))])


def _tell_all(written: list[Written], *, as_json: bool) -> None:
    if as_json:
        print_json({"revisions": [as_object(written[-1].graph, one.revision) for one in written]})
        return
    for one in written:
        _tell(one, as_json=False)


def _objects(graph: Graph, told: Mapping[str, Sequence[Revision]]) -> dict[str, Any]:
    return {word: [as_object(graph, one) for one in revisions] for word, revisions in told.items()}


def _newest(graph: Graph) -> list[Revision]:
    return list(reversed(list(graph)))


def _drawing(graph: Graph) -> list[Row]:
    lines: list[Row] = []
    for line in drawn(graph, plain=not can_draw_lines()):
        one = line.revision
        words = () if one is None else tuple((f"{text} ", style) for text, style in as_row(graph, one) if text)
        lines.append(((f"{line.lanes}  ", "blue"), *words))
    return lines


def _details(graph: Graph, one: Revision) -> list[Row]:
    children = graph.children(one.revision) if one.revision in graph else ()
    facts = (
        ("revision", f"{one.revision} {marks(graph, one)}".strip()),
        ("after", ", ".join(one.down_revisions) or "nothing"),
        ("before", ", ".join(children) or "nothing"),
        *((("replaces", ", ".join(one.replaces)),) if one.replaces else ()),
        ("phase", one.phase or "any"),
        ("file", shown(one.path)),
        ("checksum", one.checksum),
        *(("message" if not number else "", line) for number, line in enumerate(one.message.splitlines())),
    )
    return [((f"{name:9}", "dim"), (text, "")) for name, text in facts]
