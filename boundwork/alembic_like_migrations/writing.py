"""How a new revision file comes to be: its name and its text, from templates that the user can change.

Both templates are those of the standard library's `string.Template`. What a template gives is read again before it
is written, so a template that would lose the revision or its parents is refused and leaves no file.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from boundwork.alembic_like_migrations.drafts import Draft
from boundwork.alembic_like_migrations.errors import RevisionExists, RevisionUnreadable, TemplateWrong
from boundwork.alembic_like_migrations.files import read_source
from boundwork.alembic_like_migrations.revision import Revision
from boundwork.alembic_like_migrations.settings import Settings

TEMPLATE_NAME = "revision.py.template"
TEMPLATE = '''"""$message

Made on $date, after $after.
"""
$imports
revision = $revision
down_revision = $down_revision
phase = $phase$replaces


def up() -> None:
    """Bring the database from the revisions before to this one."""$up


def down() -> None:
    """Bring it back."""$down
'''
LONGEST_SLUG = 40
LONGEST_LINE = 110


def write_template(folder: Path) -> Path:
    """Put the built-in template into a folder, to be changed; one that is there is left as it is."""
    path = folder / TEMPLATE_NAME
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(TEMPLATE, "utf-8")
    return path


def write_revision(settings: Settings, draft: Draft) -> Revision:
    """Write the file of a new revision and return what it says. Raises TemplateWrong and RevisionExists."""
    path = settings.folder / file_name(settings, draft)
    template = settings.folder / TEMPLATE_NAME
    given = template if template.is_file() else None
    text = _text(given, draft)
    try:
        revision = read_source(text, path)
    except RevisionUnreadable as error:
        raise TemplateWrong(given, f"makes no revision file. {error}") from error
    wanted = (draft.revision, draft.down_revisions, draft.phase, draft.replaces)
    if (revision.revision, revision.down_revisions, revision.phase, revision.replaces) != wanted:
        raise TemplateWrong(given, "must contain $revision, $down_revision and $phase, each as the value of its name.")
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise RevisionExists(path) from None
    return revision


def file_name(settings: Settings, draft: Draft) -> str:
    """Return the name of the file of a revision, with `.py`. Raises TemplateWrong."""
    words = {
        "date": f"{draft.made:%Y%m%d}",
        "time": f"{draft.made:%H%M%S}",
        "slug": slug(draft.message.partition("\n")[0]),
        "id": draft.revision,
    }
    template = settings.section.file_name
    name = _filled(settings.file, f"file_name = {template!r}", template, words)
    if name.startswith(("_", ".")) or "/" in name or "\\" in name:
        raise TemplateWrong(
            settings.file,
            f"file_name = {template!r} makes {name!r}; it must be one name, not begun by a dot or underscore.",
        )
    return f"{name}.py"


def slug(message: str) -> str:
    """Return the first words of a message as part of a file name: small letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", message).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    kept = words[0][:LONGEST_SLUG] if words else "revision"
    for word in words[1:]:
        if len(kept) + 1 + len(word) > LONGEST_SLUG:
            break
        kept = f"{kept}_{word}"
    return kept


def _text(path: Path | None, draft: Draft) -> str:
    try:
        template = TEMPLATE if path is None else path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise TemplateWrong(path, f"is not UTF-8: {error.reason}.") from error
    words = {
        "message": _in_docstring(draft.message),
        "revision": _quoted(draft.revision),
        "down_revision": _parents(draft.down_revisions),
        "phase": "None" if draft.phase is None else _quoted(draft.phase),
        "replaces": _replaces(draft),
        "date": f"{draft.made:%Y-%m-%d %H:%M} UTC",
        "after": ", ".join(draft.down_revisions) or "nothing",
        "imports": "".join(f"\n{line}" for line in draft.body.imports) + ("\n" if draft.body.imports else ""),
        "up": _indented(draft.body.up),
        "down": _indented(draft.body.down),
    }
    places = set(Template(template).get_identifiers())
    if draft.body.up and not {"imports", "up", "down"} <= places:
        raise TemplateWrong(path, "must contain $imports, $up and $down, or there is no place for what was found.")
    if draft.replaces and "replaces" not in places:
        raise TemplateWrong(path, "must contain $replaces, as in `phase = $phase$replaces`, to hold a squash.")
    return _filled(path, "it", template, words)


def _indented(lines: Sequence[str]) -> str:
    """Return lines of a function, each after a line break, so that none at all leave the template as it is."""
    return "".join(f"\n    {line}".rstrip(" ") for line in lines)


def _filled(path: Path | None, place: str, template: str, words: Mapping[str, str]) -> str:
    known = ", ".join(f"${word}" for word in words)
    try:
        return Template(template).substitute(words)
    except KeyError as error:
        raise TemplateWrong(path, f"{place} has ${error.args[0]}, which nobody fills in. There are {known}.") from None
    except ValueError as error:
        raise TemplateWrong(path, f"{place}: {error}. A dollar sign is written $$.") from None


def _replaces(draft: Draft) -> str:
    """Return what comes after the phase, begun by a line break: what a squash replaces, and whole files that it keeps."""
    if not draft.replaces:
        return ""
    line = f"replaces = ({', '.join(map(_quoted, draft.replaces))}{',' if len(draft.replaces) == 1 else ''})"
    if len(line) > LONGEST_LINE:
        line = "\n".join(["replaces = (", *(f"    {_quoted(one)}," for one in draft.replaces), ")"])
    return "\n".join(["", line, *draft.body.before])


def _quoted(text: str) -> str:
    return f'"{text}"'


def _parents(parents: Sequence[str]) -> str:
    if not parents:
        return "None"
    return _quoted(parents[0]) if len(parents) == 1 else f"({', '.join(map(_quoted, parents))})"


def _in_docstring(message: str) -> str:
    """Return a message as it is written between three quotes, so that Python reads the same message."""
    text = message.replace("\\", "\\\\")
    if '"""' in text or text.endswith('"'):
        text = text.replace('"', '\\"')
    return "".join(one if one.isprintable() or one == "\n" else one.encode("unicode_escape").decode() for one in text)
