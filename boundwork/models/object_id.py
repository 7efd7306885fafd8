"""How bson.ObjectId takes part in pydantic: validation, JSON and JSON schema.

pydantic knows ObjectId only as an arbitrary class. The `is-instance` step it makes of it is replaced, wherever it
stands in a model's schema, by one that also takes 24 hexadecimal digits and writes them to JSON.
"""

from typing import Any, cast

from bson import ObjectId
from pydantic_core import CoreSchema, core_schema

from boundwork.models.kinds import is_array, is_dict, is_tuple

_PATTERN = "^[0-9a-fA-F]{24}$"
_VALUES = frozenset({"metadata", "default", "config"})


def object_id_schema() -> CoreSchema:
    """Build the schema of one ObjectId: instances at C speed, hexadecimal text, text in JSON."""
    text = core_schema.chain_schema(
        [core_schema.str_schema(pattern=_PATTERN), core_schema.no_info_plain_validator_function(ObjectId)],
    )
    return core_schema.json_or_python_schema(
        json_schema=text,
        python_schema=core_schema.union_schema(
            [core_schema.is_instance_schema(ObjectId), text],
            mode="left_to_right",
        ),
        serialization=core_schema.plain_serializer_function_ser_schema(
            str,
            return_schema=core_schema.str_schema(pattern=_PATTERN),
            when_used="json",
        ),
    )


def with_object_ids(schema: CoreSchema) -> CoreSchema:
    """Replace every `is-instance` step for ObjectId in a schema; the schema is changed in place and given back."""
    return cast("CoreSchema", _replaced(schema))


def _replaced(part: Any) -> Any:
    if is_dict(part):
        if part.get("type") == "is-instance" and part.get("cls") is ObjectId:
            return object_id_schema()
        for key, value in part.items():
            if key not in _VALUES:
                part[key] = _replaced(value)
    elif is_array(part):
        part[:] = map(_replaced, part)
    elif is_tuple(part):
        return tuple(map(_replaced, part))
    return part
