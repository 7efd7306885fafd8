"""Any stored value is written as Python that gives it back."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from boundwork.alembic_like_migrations.autogenerate.python_text import Writer
from tests.unit.alembic_like_migrations.test_autogenerate import read

plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


@given(st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_drawn_values_are_given_back(value: Any) -> None:
    writer = Writer()
    assert read(writer, writer.value(value)) == value
