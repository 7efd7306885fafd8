"""What the server is told about lists, sets, tuples and dicts: the type and number of their items."""

from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from boundwork.models.annotations import shape_of
from boundwork.models.bson_types import encode_key
from boundwork.models.stored_schema.place import Place
from boundwork.models.stored_schema.rules import Rules
from boundwork.models.stored_schema.scalars import Schema, is_distinct, key_names

SchemaOf = Callable[[Any, Place], Schema]


def _counted(schema: Schema, rules: Rules, lowest: str, highest: str) -> Schema:
    for rule, keyword in (("min_length", lowest), ("max_length", highest)):
        count = rules.take(rule)
        if count is not None:
            schema[keyword] = count
    return schema


def array_schema(item: Any, rules: Rules, place: Place, schema_of: SchemaOf) -> Schema:
    """Return the schema of a list, deque or tuple of any length."""
    schema: Schema = {"bsonType": "array"}
    items = schema_of(item, place.inside("[]"))
    if items:
        schema["items"] = items
    return _counted(schema, rules, "minItems", "maxItems")


def set_schema(item: Any, rules: Rules, place: Place, schema_of: SchemaOf) -> Schema:
    """Return the schema of a set, which is stored as an array."""
    schema = array_schema(item, rules, place, schema_of)
    if is_distinct(shape_of(item).kinds):
        schema["uniqueItems"] = True
    else:
        place.note("no item stands twice")
    return schema


def tuple_schema(items: list[Any], place: Place, schema_of: SchemaOf) -> Schema:
    """Return the schema of a tuple with one annotation for each place."""
    schemas = [schema_of(item, place.inside(f"[{index}]")) for index, item in enumerate(items)]
    schema: Schema = {"bsonType": "array", "minItems": len(items), "maxItems": len(items)}
    return schema | ({"items": schemas} if items else {})


def mapping_schema(key: Any, value: Any, rules: Rules, place: Place, schema_of: SchemaOf) -> Schema:
    """Return the schema of a dict, whose keys are the names of fields."""
    schema: Schema = {"bsonType": "object"}
    values = schema_of(value, place.inside("{}"))
    names = _names(key, place)
    if names is not None:
        schema |= {"properties": dict.fromkeys(names, values), "additionalProperties": False}
    elif values:
        schema["additionalProperties"] = values
    return _counted(schema, rules, "minProperties", "maxProperties")


def _names(key: Any, place: Place) -> list[str] | None:
    values = list(get_args(key)) if get_origin(key) is Literal else key_names(key)
    if values is not None:
        names = [encode_key(value) for value in values]
        # A name with a dot would be taken for a path, and an empty one ends the server (6.0.5).
        if all(name and "." not in name and name[0] != "$" for name in names):
            return names
    if key not in {str, Any, object}:
        place.note(f"the keys are those of {getattr(key, '__name__', key)}")
    return None
