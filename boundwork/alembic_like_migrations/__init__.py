"""Migrations: what one who knows Alembic expects, for documents: revision files, their graph, and how they are run."""

from boundwork.alembic_like_migrations import op
from boundwork.alembic_like_migrations.engine.errors import (
    DatabaseDirty,
    LeaseLost,
    LockHeld,
    NotHalfDone,
    NothingToResume,
    Refused,
    RevisionTampered,
    StandaloneServer,
    StepFailed,
    StepsChanged,
)
from boundwork.alembic_like_migrations.engine.program import RevisionBroken
from boundwork.alembic_like_migrations.engine.work import Standing
from boundwork.alembic_like_migrations.errors import (
    DuplicateRevision,
    GraphUnsound,
    IdRefused,
    MigrationError,
    MissingParent,
    NothingToMerge,
    RevisionAmbiguous,
    RevisionCycle,
    RevisionExists,
    RevisionNotApplied,
    RevisionNotFound,
    RevisionUnreadable,
    SettingsWrong,
    SeveralHeads,
    StepsImpossible,
    TemplateWrong,
    UnknownApplied,
)
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.migrator import AsyncMigrator, Migrator
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.steps.step import Irreversible

__all__ = [
    "AsyncMigrator",
    "DatabaseDirty",
    "DuplicateRevision",
    "Graph",
    "GraphUnsound",
    "IdRefused",
    "Irreversible",
    "LeaseLost",
    "LockHeld",
    "MigrationError",
    "Migrator",
    "MissingParent",
    "NotHalfDone",
    "NothingToMerge",
    "NothingToResume",
    "Phase",
    "Refused",
    "Revision",
    "RevisionAmbiguous",
    "RevisionBroken",
    "RevisionCycle",
    "RevisionExists",
    "RevisionNotApplied",
    "RevisionNotFound",
    "RevisionTampered",
    "RevisionUnreadable",
    "SettingsWrong",
    "SeveralHeads",
    "StandaloneServer",
    "Standing",
    "StepFailed",
    "StepsChanged",
    "StepsImpossible",
    "TemplateWrong",
    "UnknownApplied",
    "op",
    "read_folder",
]
