"""From a model to the `$jsonSchema` of its stored form, and the list of what that cannot express."""

from boundwork.models.stored_schema.families import StoredSchema, stored_schema

__all__ = ["StoredSchema", "stored_schema"]
