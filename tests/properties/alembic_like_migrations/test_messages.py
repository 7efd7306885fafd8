"""Any message that is written into a revision file is read back from it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.alembic_like_migrations.settings import Section, Settings
from boundwork.alembic_like_migrations.writing import write_revision, write_template
from tests.unit.alembic_like_migrations.test_writing import draft


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_every_message_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    message = " ".join(text.split())
    project = Settings(tmp_path_factory.mktemp("project") / "pyproject.toml", Section())
    template = write_template(project.folder)
    template.write_text('"""$message"""\nrevision = $revision\ndown_revision = $down_revision\nphase = $phase\n')
    assert write_revision(project, draft(message)).message == message
