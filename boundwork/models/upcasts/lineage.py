"""The schema versions of one collection: the present one, and the upcasts from those that may still be stored.

They are declared where the collection is named, so that all its models agree. What names or finds a document (its id,
tenant, shard key, version, kind, and the fields of unique keys) cannot be upcast: it must be the same in every version.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from boundwork.models import discriminators
from boundwork.models.codec import codec_of
from boundwork.models.data import data
from boundwork.models.fixed_fields import fixed_fields
from boundwork.models.structure.indexes import declared_indexes
from boundwork.models.upcasts.pieces import Stored
from boundwork.models.upcasts.upcast import SCHEMA_VERSION, Upcast

FIRST = 1
LINEAGES: "dict[str, Lineage]" = {}
"""The collections of this process with old documents, by name, for aggregations that reach into them."""


@data(frozen=True, slots=True)
class Lineage:
    """The present version, and the upcasts to it, oldest first."""

    version: int
    upcasts: tuple[Upcast, ...] = ()

    @property
    def old(self) -> tuple[int, ...]:
        """The versions that a stored document may have besides the present one."""
        return tuple(upcast.to - 1 for upcast in self.upcasts)

    def since(self, version: int) -> tuple[Upcast, ...]:
        """Return the upcasts for a document of an old version, in order."""
        return tuple(upcast for upcast in self.upcasts if upcast.to > version)

    def stored_in(self, version: int) -> dict[str, Any]:
        """Return the condition for the documents of a version."""
        return {SCHEMA_VERSION: None if version == FIRST else version}

    @property
    def left(self) -> dict[str, Any]:
        """The condition for the documents of all old versions."""
        values = [None if version == FIRST else version for version in self.old]
        return {SCHEMA_VERSION: values[0] if len(values) == 1 else {"$in": values}}

    @property
    def current(self) -> dict[str, Any]:
        """The condition for all other documents."""
        values = [None if version == FIRST else version for version in self.old]
        return {SCHEMA_VERSION: {"$nin": values}}

    @property
    def computes(self) -> bool:
        """Tell whether functions of the program decide about documents."""
        return any(upcast.computes for upcast in self.upcasts)

    def brought(self, document: Stored, version: int) -> Stored:
        """Return a document of an old version as one of the present version. Raises Unfit."""
        for upcast in self.since(version):
            for piece in upcast.pieces:
                document = piece.up(document)
        return document


def is_upcast(value: object) -> bool:
    """Tell whether a value is an upcast."""
    return isinstance(value, Upcast)


def version_of(document: Mapping[str, Any]) -> Any:
    """Return the schema version of a stored document."""
    version = document.get(SCHEMA_VERSION)
    return FIRST if version is None else version


def declared_lineage(
    model: str,
    schema_version: int | None,
    upcasts: Sequence[Upcast],
    inherited: Lineage | None,
    *,
    names_collection: bool,
) -> Lineage | None:
    """Return the lineage of a class; TypeError where it contradicts itself, or its parents."""
    if schema_version is None and not upcasts:
        return inherited
    if not names_collection:
        raise TypeError(f"{model}: schema_version and upcasts are declared where the collection is named.")
    if isinstance(schema_version, bool) or not isinstance(schema_version, int) or schema_version < FIRST:
        raise TypeError(
            f"{model}: schema_version is a whole number, at least 1. Write schema_version=2 beside upcasts."
        )
    known = [upcast for upcast in upcasts if is_upcast(upcast)]
    if len(known) < len(upcasts):  # checkers look at no keyword of a class
        raise TypeError(f"{model}: upcasts takes values of Upcast.")
    wanted = list(range(schema_version - len(known) + 1, schema_version + 1))
    if [upcast.to for upcast in known] != wanted:
        raise TypeError(
            f"{model}: upcasts lead to {', '.join(str(upcast.to) for upcast in known)}, and must lead, one by one, to "
            f"schema_version {schema_version}."
        )
    return Lineage(schema_version, tuple(known))


def check_lineage(model: type[Any], lineage: Lineage) -> None:
    """Raise TypeError if an upcast of a complete model changes what documents are named, found or kept apart by."""
    if lineage.upcasts:
        LINEAGES[model.__boundwork_collection__ or ""] = lineage
    codec, scope, fixed = codec_of(model), model.__boundwork_scope__, fixed_fields(model)
    if any(field.stored == SCHEMA_VERSION for field in codec.fields):
        raise TypeError(f"{model.__name__}: {SCHEMA_VERSION!r} holds the schema version and cannot be a field.")
    names = [
        scope.tenant_field,
        scope.soft_delete,
        discriminators.field_of(model) if discriminators.is_family(model) else None,
    ]
    kept = {field.stored: "is for the unit of work" for field in codec.fields if field.name in names}
    if fixed is not None:
        kept |= dict.fromkeys(filter(None, (fixed.version_path, *fixed.shard_key)), "is part of every write")
    for index in declared_indexes(model):
        if index.unique:
            kept |= {
                path: f"is in the unique index {index.name}, which sees old documents as they are"
                for path, _ in index.keys
            }
    for upcast in lineage.upcasts:
        for path in upcast.paths():
            for name, why in kept.items():
                if overlap(path, name):
                    raise TypeError(
                        f"{model.__name__}: the upcast to {upcast.to} changes {path!r}, but {name!r} {why}. Migrate it at "
                        "once, by op.rename_field and the like."
                    )


def overlap(one: str, other: str) -> bool:
    """Tell whether two paths are the same place, or one lies in the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
