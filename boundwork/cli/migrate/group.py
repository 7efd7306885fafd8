"""The commands of `boundwork migrate` and their options.

They read and write files; only `check` and `revision --auto` execute revision files and ask a database.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from boundwork.alembic_like_migrations import Graph, RevisionNotFound
from boundwork.alembic_like_migrations.autogenerate.checking import Against
from boundwork.alembic_like_migrations.drafts import NO_BODY
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
from boundwork.cli.migrate.project import Project, Written, begin
from boundwork.cli.migrate.structure import check, proposed

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


migrate.command()(check)


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
        body = proposed(project, after, against, drop=drop) if auto else NO_BODY
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
            print_json({"heads": list(graph.heads), "revisions": [as_object(graph, one) for one in _newest(graph)]})
        elif as_graph:
            print_lines(_drawing(graph))
        else:
            print_rows([as_row(graph, one) for one in _newest(graph)])


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
        found = graph.resolve(name)
        if not found:
            raise RevisionNotFound(name, "it means the state before all revisions.")
        if as_json:
            print_json({"revisions": [as_object(graph, graph[one]) for one in found]})
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


def _newest(graph: Graph) -> list[Any]:
    return list(reversed(list(graph)))


def _drawing(graph: Graph) -> list[Row]:
    lines: list[Row] = []
    for line in drawn(graph, plain=not can_draw_lines()):
        one = line.revision
        words = () if one is None else tuple((f"{text} ", style) for text, style in as_row(graph, one) if text)
        lines.append(((f"{line.lanes}  ", "blue"), *words))
    return lines


def _details(graph: Graph, revision_id: str) -> list[Row]:
    one = graph[revision_id]
    facts = (
        ("revision", f"{one.revision} {marks(graph, one)}".strip()),
        ("after", ", ".join(one.down_revisions) or "nothing"),
        ("before", ", ".join(graph.children(revision_id)) or "nothing"),
        ("phase", one.phase or "any"),
        ("file", shown(one.path)),
        ("checksum", one.checksum),
        *(("message" if not number else "", line) for number, line in enumerate(one.message.splitlines())),
    )
    return [((f"{name:9}", "dim"), (text, "")) for name, text in facts]
