"""Changes as the body of a revision file: imports and the lines of `up()` and `down()`.

`down()` is `op.revert()`: each word is given what was there before, so that it knows its way back.
"""

import textwrap
from collections.abc import Sequence

from boundwork.alembic_like_migrations.autogenerate.python_text import WIDTH, Writer
from boundwork.alembic_like_migrations.autogenerate.words import Change, Word
from boundwork.alembic_like_migrations.drafts import Body

INDENT = "    "
OP = "from boundwork.alembic_like_migrations import op"


def body(changes: Sequence[Change]) -> Body:
    """Return what stands in the file of a revision that makes these changes."""
    writer = Writer()
    up = [line for change in changes for line in _lines(change, writer)]
    active = any(change.words and not change.only_proposed for change in changes)
    return Body(
        imports=tuple(sorted({*writer.imports, OP}, key=lambda line: (line.startswith("from boundwork"), line))),
        up=tuple(up if active else [*up, "pass"]) if up else (),
        down=("op.revert()",) if active else (),
    )


def _lines(change: Change, writer: Writer) -> list[str]:
    lines = [] if change.risk is None else [f"# {line}" for line in textwrap.wrap(change.risk, WIDTH - 6)]
    for word in change.words:
        written = lines_of(word, writer)
        lines += [f"# {line}" for line in written] if change.only_proposed else written
    return lines


def lines_of(word: Word, writer: Writer) -> list[str]:
    """Return a word as the lines of a function's body, not indented."""
    text = writer.call(word.name, *word.positional, indent=len(INDENT), **word.named)
    return textwrap.dedent(f"{INDENT}{text}").splitlines()
