"""Graphs by chance."""

from hypothesis import strategies as st

from tests.unit.alembic_like_migrations.graphs import Parents


@st.composite
def parents(draw: st.DrawFn, most: int = 10) -> Parents:
    """Draw a graph without cycles: each revision comes after some of those before it, whatever their names are."""
    names = [f"r{number:02}" for number in draw(st.permutations(range(draw(st.integers(1, most)))))]
    found: Parents = {}
    for name in names:
        chosen = draw(st.integers(0, (1 << len(found)) - 1))
        found[name] = tuple(before for bit, before in enumerate(found) if chosen >> bit & 1)
    return found
