"""How a command answers: one JSON object with --json, else lines, with colour and tables on a terminal only.

A failure is one line on stderr; with --json it is an object on stdout as well.
"""

import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from boundwork import BoundworkError
from boundwork.alembic_like_migrations import Graph, Revision
from boundwork.cli.migrate.exits import Exit, exit_of

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Row = Sequence[tuple[str, str]]
"""Texts, each with its style."""


@contextmanager
def answering(*, as_json: bool) -> Generator[None]:
    """Turn the failures that a user can meet into one line and the exit code of their kind."""
    try:
        yield
    except BoundworkError as failure:
        fail(type(failure).__name__, str(failure), exit_of(failure), as_json=as_json)
    except OSError as failure:
        fail("OSError", of_the_system(failure), Exit.FAILED, as_json=as_json)


def of_the_system(failure: OSError) -> str:
    """Say what the operating system refused, and which file it was about."""
    where = f"{failure.filename}: " if failure.filename else ""
    return f"{where}{failure.strerror or failure}."


def fail(kind: str, text: str, code: int, *, as_json: bool) -> NoReturn:
    """Say what went wrong, and end with an exit code."""
    line = " ".join(text.split())
    typer.echo(f"boundwork: {line}", err=True)
    if as_json:
        with suppress(OSError):  # it may be stdout that failed, a full disk behind it
            print_json({"error": {"kind": kind, "message": line, "exit": int(code)}})
    raise typer.Exit(int(code))


def failed(failure: BoundworkError) -> dict[str, Any]:
    """Return what is told of a failure in JSON."""
    message = " ".join(str(failure).split())
    return {"kind": type(failure).__name__, "message": message, "exit": int(exit_of(failure))}


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one object, and nothing else."""
    sys.stdout.write(json.dumps(answer, indent=2) + "\n")


def print_rows(rows: Sequence[Row]) -> None:
    """Print rows as an aligned table on a terminal, as lines elsewhere; what is longer than a line is not cut."""
    console = Console(highlight=False)
    if not console.is_terminal:
        for row in rows:
            typer.echo("  ".join(text for text, _ in row if text))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*(Text(text, style, overflow="fold") for text, style in row))
    console.print(table)


def print_lines(lines: Sequence[Row]) -> None:
    """Print lines of styled pieces, with nothing between the pieces."""
    console = Console(highlight=False)
    for line in lines:
        if console.is_terminal:
            console.print(Text.assemble(*line), soft_wrap=True)
        else:
            typer.echo("".join(text for text, _ in line).rstrip())


def as_object(graph: Graph, one: Revision) -> dict[str, Any]:
    """Return all that is known of a revision, for JSON."""
    return {
        "revision": one.revision,
        "down_revisions": list(one.down_revisions),
        "children": list(graph.children(one.revision)) if one.revision in graph else [],
        "phase": one.phase,
        "message": one.message,
        "path": None if one.path is None else str(one.path),
        "checksum": one.checksum,
        "head": one.revision in graph.heads,
        "replaces": list(one.replaces),
        "replaced_by": graph.view.hidden.get(one.revision),
    }


def as_row(graph: Graph, one: Revision) -> Row:
    """Return a revision in a line: its id, what it is, and the first line of its message."""
    return ((one.revision, "bold yellow"), (marks(graph, one), "cyan"), (one.title, ""))


def marks(graph: Graph, one: Revision) -> str:
    """Return in brackets what is special about a revision; empty if nothing is."""
    if one.revision in graph.view.hidden:
        return f"(replaced by {graph.view.hidden[one.revision]})"
    found = [
        word
        for word, holds in (
            ("base", not one.down_revisions),
            ("merge", len(one.down_revisions) > 1),
            ("branches", len(graph.children(one.revision)) > 1),
            ("squash", bool(one.replaces)),
            (str(one.phase), one.phase is not None),
            ("head", not graph.children(one.revision)),
        )
        if holds
    ]
    return f"({', '.join(found)})" if found else ""


def shown(path: Path | None) -> str:
    """Return a path as a user would type it: from here, if it is below here."""
    if path is None:
        return ""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def can_draw_lines() -> bool:
    """Tell whether the output takes the characters that lines are drawn with."""
    try:
        "●│├╯".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
