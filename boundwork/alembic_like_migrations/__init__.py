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
    NoFolder,
    NothingToMerge,
    PartlyReplaced,
    ReplacesWrong,
    RevisionAmbiguous,
    RevisionCycle,
    RevisionExists,
    RevisionNotApplied,
    RevisionNotFound,
    RevisionUnreadable,
    SettingsWrong,
    SeveralHeads,
    SquashImpossible,
    StepsImpossible,
    TemplateWrong,
    UnknownApplied,
)
from boundwork.alembic_like_migrations.files import read_folder
from boundwork.alembic_like_migrations.graph import Graph
from boundwork.alembic_like_migrations.migrator import AsyncMigrator, Migrator
from boundwork.alembic_like_migrations.planning.plan import Plan, PlannedRevision, PlannedStep
from boundwork.alembic_like_migrations.planning.rehearsal import Rehearsal, Unlike
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.rollout.errors import GateRefused, InstanceTooOld, LivingInstance, PhaseBlocked
from boundwork.alembic_like_migrations.rollout.instance import AsyncInstance, Instance
from boundwork.alembic_like_migrations.squashing.squash import Squashed
from boundwork.alembic_like_migrations.steps.step import Irreversible

__all__ = [
    "AsyncInstance",
    "AsyncMigrator",
    "DatabaseDirty",
    "DuplicateRevision",
    "GateRefused",
    "Graph",
    "GraphUnsound",
    "IdRefused",
    "Instance",
    "InstanceTooOld",
    "Irreversible",
    "LeaseLost",
    "LivingInstance",
    "LockHeld",
    "MigrationError",
    "Migrator",
    "MissingParent",
    "NoFolder",
    "NotHalfDone",
    "NothingToMerge",
    "NothingToResume",
    "PartlyReplaced",
    "Phase",
    "PhaseBlocked",
    "Plan",
    "PlannedRevision",
    "PlannedStep",
    "Refused",
    "Rehearsal",
    "ReplacesWrong",
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
    "SquashImpossible",
    "Squashed",
    "StandaloneServer",
    "Standing",
    "StepFailed",
    "StepsChanged",
    "StepsImpossible",
    "TemplateWrong",
    "UnknownApplied",
    "Unlike",
    "op",
    "read_folder",
]
