"""Migrations: what one who knows Alembic expects, for documents: revision files, their graph, and how they are run."""

from boundwork.alembic_like_migrations import op
from boundwork.alembic_like_migrations.autogenerate.checking import Checked
from boundwork.alembic_like_migrations.autogenerate.differences import Difference
from boundwork.alembic_like_migrations.autogenerate.replaying import ReplayFailed
from boundwork.alembic_like_migrations.engine.errors import (
    DatabaseDirty,
    ImagesMissing,
    ImagesPruned,
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
from boundwork.alembic_like_migrations.engine.pruning import Pruned
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
from boundwork.alembic_like_migrations.lazy.errors import NotFinished, NotLazy, UpcastChanged
from boundwork.alembic_like_migrations.lazy.finishing import Finished, Unfinished
from boundwork.alembic_like_migrations.migrator import AsyncMigrator, Migrator
from boundwork.alembic_like_migrations.planning.plan import Adoption, Plan, PlannedRevision, PlannedStep
from boundwork.alembic_like_migrations.planning.rehearsal import Rehearsal, Unlike
from boundwork.alembic_like_migrations.revision import Phase, Revision
from boundwork.alembic_like_migrations.rollout.errors import GateRefused, InstanceTooOld, LivingInstance, PhaseBlocked
from boundwork.alembic_like_migrations.rollout.instance import AsyncInstance, Instance
from boundwork.alembic_like_migrations.rollout.rename_pair import RenameUnclear
from boundwork.alembic_like_migrations.squashing.squash import Squashed
from boundwork.alembic_like_migrations.steps.errors import (
    DocumentsChanged,
    DocumentsInTheWay,
    DuplicatesFound,
    FieldsInTheWay,
    FunctionFailed,
    LockedOut,
    StepWrong,
    StructureDiffers,
    StructureRefused,
)
from boundwork.alembic_like_migrations.steps.step import Irreversible

__all__ = [
    "Adoption",
    "AsyncInstance",
    "AsyncMigrator",
    "Checked",
    "DatabaseDirty",
    "Difference",
    "DocumentsChanged",
    "DocumentsInTheWay",
    "DuplicateRevision",
    "DuplicatesFound",
    "FieldsInTheWay",
    "Finished",
    "FunctionFailed",
    "GateRefused",
    "Graph",
    "GraphUnsound",
    "IdRefused",
    "ImagesMissing",
    "ImagesPruned",
    "Instance",
    "InstanceTooOld",
    "Irreversible",
    "LeaseLost",
    "LivingInstance",
    "LockHeld",
    "LockedOut",
    "MigrationError",
    "Migrator",
    "MissingParent",
    "NoFolder",
    "NotFinished",
    "NotHalfDone",
    "NotLazy",
    "NothingToMerge",
    "NothingToResume",
    "PartlyReplaced",
    "Phase",
    "PhaseBlocked",
    "Plan",
    "PlannedRevision",
    "PlannedStep",
    "Pruned",
    "Refused",
    "Rehearsal",
    "RenameUnclear",
    "ReplacesWrong",
    "ReplayFailed",
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
    "StepWrong",
    "StepsChanged",
    "StepsImpossible",
    "StructureDiffers",
    "StructureRefused",
    "TemplateWrong",
    "Unfinished",
    "UnknownApplied",
    "Unlike",
    "UpcastChanged",
    "op",
    "read_folder",
]
