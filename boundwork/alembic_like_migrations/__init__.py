"""Migrations: what one who knows Alembic expects, for documents. So far: revision files and their graph."""

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
from boundwork.alembic_like_migrations.revision import Phase, Revision

__all__ = [
    "DuplicateRevision",
    "Graph",
    "GraphUnsound",
    "IdRefused",
    "MigrationError",
    "MissingParent",
    "NothingToMerge",
    "Phase",
    "Revision",
    "RevisionAmbiguous",
    "RevisionCycle",
    "RevisionExists",
    "RevisionNotApplied",
    "RevisionNotFound",
    "RevisionUnreadable",
    "SettingsWrong",
    "SeveralHeads",
    "StepsImpossible",
    "TemplateWrong",
    "UnknownApplied",
    "read_folder",
]
