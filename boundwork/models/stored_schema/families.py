"""The validator of a collection: the schema of its model, or of each of the models that share it.

Models of a family are told apart by their discriminator, as when they are loaded. Others that share a collection are
not told apart by anything: a document has to fit one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from boundwork.models import discriminators
from boundwork.models.codec import codec_of
from boundwork.models.fields import SCRATCH
from boundwork.models.stored_schema.conversion import converted, requiring
from boundwork.models.stored_schema.place import Place
from boundwork.models.stored_schema.records import model_schema
from boundwork.models.stored_schema.scalars import Schema
from boundwork.models.structure.declared import NotExpressed
from boundwork.models.upcasts.upcast import SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A `$jsonSchema` and the rules of the models that it cannot express."""

    schema: dict[str, Any]
    not_expressed: tuple[NotExpressed, ...]


def stored_schema(*models: type[BaseModel]) -> StoredSchema:
    """Return the `$jsonSchema` of the stored form of a model, or of several that share a collection."""
    notes: list[NotExpressed] = []
    schemas: list[Schema] = []
    for model in _with_families(models):
        place = Place(model.__name__, notes)
        schema = _told_apart(model, model_schema(model, place, converted))
        if schema is not None and schema not in schemas:
            schemas.append(schema)
            if len(models) > 1 and not discriminators.is_family(model):
                place.note("nothing tells its documents from those of the other models, so fitting one is enough")
    return StoredSchema(schemas[0] if len(schemas) == 1 else {"anyOf": schemas}, tuple(notes))


def _with_families(models: Sequence[type[BaseModel]]) -> list[type[BaseModel]]:
    """Add the rest of each family: what one model refuses may be the document of another."""
    members = [member for model in models for member in (*discriminators.family_of(model), model)]
    return list(dict.fromkeys(members))


def _told_apart(model: type[BaseModel], schema: Schema) -> Schema | None:
    """Restrict the schema of a model to its own documents; None for a base that has none."""
    schema = _lockable(model, schema)
    if not discriminators.is_family(model):
        return schema
    codec = codec_of(model)
    field = discriminators.field_of(model)
    if field in codec.tags:
        return requiring(schema, codec.stored(field))
    if field not in codec.by_name:
        return None
    name = codec.stored(field)
    taken = discriminators.values_of(model)
    if not taken:
        return schema
    return {**schema, "not": {"required": [name], "properties": {name: {"enum": taken}}}}


def _lockable(model: type[BaseModel], schema: Schema) -> Schema:
    """Let a document be locked, and have its schema version, where its model forbids unknown fields."""
    if not codec_of(model).has_id or schema.get("additionalProperties") is not False:
        return schema
    lineage = getattr(model, "__boundwork_lineage__", None)
    version = {} if lineage is None else {SCHEMA_VERSION: {"bsonType": ["int", "long"]}}
    return {**schema, "properties": {**schema["properties"], **version, SCRATCH: {}}}
