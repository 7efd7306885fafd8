"""The revision graph as a mermaid flowchart, from parents down to children; GitHub and GitLab draw it in Markdown."""

from boundwork.alembic_like_migrations import Graph, Revision

# What mermaid would read as its own; an entity begins with #, so that comes first.
_ENTITIES = (
    ("#", "#35;"),
    ("&", "#amp;"),
    ('"', "#quot;"),
    ("<", "#lt;"),
    (">", "#gt;"),
    ("`", "#96;"),
    ("\\", "#92;"),
)


def flowchart(graph: Graph) -> str:
    """Return the graph as text that ends in a newline.

    Revisions to contract have six corners, squashes double sides and what they replace; heads are bold.
    """
    lines = ["flowchart TD"]
    lines += [f"    {_name(one.revision)}{_box(one)}" for one in graph]
    lines += [f"    {_name(parent)} --> {_name(one.revision)}" for one in graph for parent in one.down_revisions]
    lines += [f"    style {_name(head)} stroke-width:4px" for head in graph.heads]
    return "\n".join(lines) + "\n"


def _name(revision: str) -> str:
    """Return an id as the name of a node; some ids, such as `end`, are words of mermaid."""
    return f"r_{revision}"


def _box(one: Revision) -> str:
    replaced = f" (replaces {', '.join(one.replaces)})" if one.replaces else ""
    label = _escaped(f"{one.revision} {one.title}{replaced}".strip())
    if one.replaces:
        return f'[["{label}"]]'
    return f'{{{{"{label}"}}}}' if one.phase == "contract" else f'["{label}"]'


def _escaped(text: str) -> str:
    for character, entity in _ENTITIES:
        text = text.replace(character, entity)
    return text
