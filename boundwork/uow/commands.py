"""What a unit asks a server to do, as data.

Every read and write of a unit is one of these values. They are built above the driver, carried out by a
`BoundSession` and kept in the unit's log, so that a unit can be repeated without running its body again.
Filters, documents and updates are in their stored form: BSON types only. No repr shows them.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from boundwork.models.data import data


@data(frozen=True, slots=True)
class Options:
    """How a read is carried out: an index by name or fields, a collation, a comment, a limit of time.

    `all_tenants` lifts the tenant of the unit.
    """

    hint: str | tuple[tuple[str, int], ...] | None = None
    collation: Mapping[str, Any] | None = None
    comment: str | None = None
    max_time_ms: int | None = None
    all_tenants: bool = False


AS_USUAL = Options()


@data(frozen=True, slots=True)
class Find:
    """Read the documents that match a filter."""

    collection: str
    filter: Mapping[str, Any] = field(repr=False)
    sort: tuple[tuple[str, int], ...] = ()
    skip: int = 0
    limit: int = 0
    projection: Mapping[str, Any] | None = None
    options: Options = AS_USUAL


@data(frozen=True, slots=True)
class Count:
    """Count the documents that match a filter; a limit of 0 is no limit."""

    collection: str
    filter: Mapping[str, Any] = field(repr=False)
    skip: int = 0
    limit: int = 0
    options: Options = AS_USUAL


@data(frozen=True, slots=True)
class Distinct:
    """Read the different values that the matching documents have under a path."""

    collection: str
    path: str
    filter: Mapping[str, Any] = field(repr=False)
    options: Options = AS_USUAL


@data(frozen=True, slots=True)
class Aggregate:
    """Read the rows that a pipeline makes of a collection; `all_tenants` lifts the tenant of the unit."""

    collection: str
    pipeline: tuple[Mapping[str, Any], ...] = field(repr=False)
    all_tenants: bool = False


Read = Find | Count | Distinct | Aggregate


@data(frozen=True, slots=True)
class InsertOne:
    """Insert one document; its `_id` is set."""

    document: Mapping[str, Any] = field(repr=False)


@data(frozen=True, slots=True)
class UpdateOne:
    """Apply update operators to the document that a filter selects; the filter names its `_id`."""

    filter: Mapping[str, Any] = field(repr=False)
    update: Mapping[str, Any] = field(repr=False)


@data(frozen=True, slots=True)
class UpsertOne:
    """Insert a document unless one with its `_id`, that meets the `key` too, is there; what is there is left as it is.

    The key is the rest of what names the document: its shard key, its tenant. One with another key is not there, and its
    `_id` is a duplicate key.
    """

    document: Mapping[str, Any] = field(repr=False)
    key: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def filter(self) -> dict[str, Any]:
        """What selects the document that may be there."""
        return {"_id": self.document["_id"], **self.key}


@data(frozen=True, slots=True)
class DeleteOne:
    """Delete the document that a filter selects; the filter names its `_id`."""

    filter: Mapping[str, Any] = field(repr=False)


@data(frozen=True, slots=True)
class UpdateMany:
    """Apply update operators to all documents that a filter selects; array filters choose elements of lists."""

    filter: Mapping[str, Any] = field(repr=False)
    update: Mapping[str, Any] = field(repr=False)
    array_filters: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    options: Options = AS_USUAL


@data(frozen=True, slots=True)
class DeleteMany:
    """Delete all documents that a filter selects."""

    filter: Mapping[str, Any] = field(repr=False)
    options: Options = AS_USUAL


SetBased = UpdateMany | DeleteMany
Write = InsertOne | UpdateOne | UpsertOne | DeleteOne | SetBased


@data(frozen=True, slots=True)
class FindAndUpdate:
    """Apply update operators to the first document that a filter selects, and return it as it was before."""

    collection: str
    filter: Mapping[str, Any] = field(repr=False)
    update: Mapping[str, Any] = field(repr=False)
    sort: tuple[tuple[str, int], ...] = ()
    array_filters: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    options: Options = AS_USUAL


@data(frozen=True, slots=True)
class BulkWrite:
    """Carry out writes on one collection, in order, stopping at the first error."""

    collection: str
    writes: tuple[Write, ...]


@data(frozen=True, slots=True)
class BulkResult:
    """How many documents a bulk of writes reached."""

    inserted: int = 0
    matched: int = 0
    modified: int = 0
    deleted: int = 0
    upserted: int = 0


@data(frozen=True, slots=True)
class UniqueKey:
    """The fields of a unique index, as dotted paths.

    A sparse one leaves out documents that have none of them. `conditions` are the fields that decide whether a partial
    one takes a document in, and `partial` is its filter. A collated one holds texts equal by the rules of a language.
    """

    name: str
    paths: tuple[str, ...]
    sparse: bool = False
    conditions: tuple[str, ...] = ()
    partial: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    collated: bool = False
