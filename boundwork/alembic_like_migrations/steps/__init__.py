"""What revisions are made of: steps that are declared first and carried out later, each with a record of its own."""

from boundwork.alembic_like_migrations.steps.step import AnyStep, Batch, DataStep, Step, StructureStep, Worked

__all__ = ["AnyStep", "Batch", "DataStep", "Step", "StructureStep", "Worked"]
