"""Every error that boundwork raises.

    BoundworkError
    +-- NoActiveUnitOfWork         a repository was used outside a unit
    +-- AmbiguousUnitOfWork        several open units declare the model
    +-- NestedUnitOfWork           another definition was opened inside an open unit
    +-- TenantMissing              documents have tenants, and the unit was not told whose it works with
    +-- UnitUsedElsewhere          a unit was used from another task, thread or process
    +-- UnitClosed                 a unit was used after its end
    +-- CommitRefused              commit() or rollback() was called where the unit cannot be ended
    +-- AlreadyCommitted           a unit with the same idempotency key has committed
    +-- UnitFenced                 outcome() was asked for the idempotency key before a unit committed
    +-- UnitDoomed                 a unit was used after a server error ended its transaction
    +-- DocumentNotFound           no document has the id, or meets the conditions of `one()`
    +-- ReferenceNotLoaded         loaded() was asked for a document that the unit has not loaded
    +-- MultipleDocumentsFound     more than one document meets the conditions of `one()`
    +-- InvalidPageToken           a page token was not made for the query
    +-- InvalidDocument            a document does not fit its model or cannot be stored
    +-- InvalidRequest             the body, the sort or the fields that a client sent are not allowed, or do not fit
    +-- WrongModel                 a document was asked for as another model than it was loaded as
    +-- NewerDocument              a stored document has a higher schema version than its model knows
    +-- UpcastFailed               a stored document could not be brought to the present schema version
    +-- MigrationUnfinished        a query cannot be answered while documents of an old schema version are stored
    +-- NotInUnit                  a document was handed to a unit that it does not belong to
    +-- DuplicateKey               a unique key is taken
    +-- TransactionFailed          the server refused a command; the base of the next two
    |   +-- TransientFailure       the unit failed, and running its body again may succeed
    |   |   +-- StaleDocument      a document changed since it was read
    |   +-- TransactionsUnavailable  the server is a standalone
    +-- WriteEscaped               a write left the session of a unit, whose commit was refused
    +-- CommitOutcomeUnknown       the commit was sent, and nobody can say whether it happened
    +-- ServerUnavailable          no server could be reached, or it refused the login
    +-- SchemaNotEnsured           a declared collection or index could not be made

Those of migrations are in boundwork.alembic_like_migrations.errors, on the same base.

Texts name ids and fields, never contents. The facts are attributes, the driver's error is `__cause__`, and
every error can be pickled.
"""

from boundwork.errors.base import BoundworkError
from boundwork.errors.documents import (
    DocumentNotFound,
    DuplicateKey,
    InvalidDocument,
    InvalidPageToken,
    InvalidRequest,
    MultipleDocumentsFound,
    NotInUnit,
    ReferenceNotLoaded,
    WrongModel,
)
from boundwork.errors.transactions import (
    CommitOutcomeUnknown,
    SchemaNotEnsured,
    ServerUnavailable,
    StaleDocument,
    TransactionFailed,
    TransactionsUnavailable,
    TransientFailure,
)
from boundwork.errors.units import (
    AlreadyCommitted,
    AmbiguousUnitOfWork,
    CommitRefused,
    NestedUnitOfWork,
    NoActiveUnitOfWork,
    TenantMissing,
    UnitClosed,
    UnitDoomed,
    UnitFenced,
    UnitUsedElsewhere,
    WriteEscaped,
)
from boundwork.errors.upcasts import MigrationUnfinished, NewerDocument, UpcastFailed

__all__ = [
    "AlreadyCommitted",
    "AmbiguousUnitOfWork",
    "BoundworkError",
    "CommitOutcomeUnknown",
    "CommitRefused",
    "DocumentNotFound",
    "DuplicateKey",
    "InvalidDocument",
    "InvalidPageToken",
    "InvalidRequest",
    "MigrationUnfinished",
    "MultipleDocumentsFound",
    "NestedUnitOfWork",
    "NewerDocument",
    "NoActiveUnitOfWork",
    "NotInUnit",
    "ReferenceNotLoaded",
    "SchemaNotEnsured",
    "ServerUnavailable",
    "StaleDocument",
    "TenantMissing",
    "TransactionFailed",
    "TransactionsUnavailable",
    "TransientFailure",
    "UnitClosed",
    "UnitDoomed",
    "UnitFenced",
    "UnitUsedElsewhere",
    "UpcastFailed",
    "WriteEscaped",
    "WrongModel",
]
