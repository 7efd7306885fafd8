"""What the steps share that go back by the undo log: they visit what it keeps of another step, and it forgets that."""

from collections.abc import Mapping
from typing import Any

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.step import AnyStep, DataStep, Irreversible
from boundwork.alembic_like_migrations.steps.undo_log import UNDO, every


class WayBack(DataStep):
    """A way back by what was kept under a mark."""

    mark: Mark

    @property
    def collection(self) -> str:
        """The undo log."""
        return UNDO

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of what was kept."""
        return every(self.mark)

    def inverse(self) -> AnyStep:
        """Raise Irreversible: what was kept is forgotten."""
        raise Irreversible(self.title, "it is itself the way back")
