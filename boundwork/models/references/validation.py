"""What pydantic is told about a reference: what it is made of, and what JSON and JSON schemas show of it.

The id is validated as the model's own field is. It is looked up in the fields of the model and not in its schema,
because a model may refer to itself, or to one that refers back.
"""

from collections.abc import Callable
from typing import Annotated, Any

from bson import ObjectId
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from boundwork.models.kinds import class_of
from boundwork.models.object_id import object_id_schema


def reference_schema(kind: Any, model: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    """Return the schema of references of a kind to a model."""
    is_plain = _is_plain_object_id(model)

    def made(value: Any) -> Any:
        return kind._trusted(model, value)  # noqa: SLF001 - made here and nowhere else without a look at the id

    def taken(value: Any, validate: Callable[[Any], Any]) -> Any:
        cls = class_of(value)
        if is_plain and cls is ObjectId:
            return made(value)
        if cls is kind:
            return value if value.model is model else made(_own(model, value.model, value.id))
        if getattr(cls, "__boundwork_document__", False):
            return made(_own(model, cls, value.id))
        return made(validate(value))

    def bare(value: Any, write: Callable[[Any], Any], info: Any) -> Any:
        if type(value) is not kind:
            return write(value)
        return write(value.id) if info.mode == "json" else value

    return core_schema.json_or_python_schema(
        json_schema=core_schema.no_info_after_validator_function(made, _id_schema(model, handler)),
        python_schema=core_schema.no_info_wrap_validator_function(taken, _id_schema(model, handler)),
        serialization=core_schema.wrap_serializer_function_ser_schema(
            bare, info_arg=True, schema=_id_schema(model, handler)
        ),
    )


def _own(model: Any, found: Any, value: Any) -> Any:
    if not issubclass(found, model):
        raise PydanticCustomError(
            "reference_model",
            "the reference is to {found}, and belongs to {wanted}",
            {"found": found.__name__, "wanted": model.__name__},
        )
    return value


def _is_plain_object_id(model: Any) -> bool:
    info = model.__pydantic_fields__["id"]
    return info.annotation is ObjectId and not info.metadata


def _id_schema(model: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    if _is_plain_object_id(model):
        return object_id_schema()
    info = model.__pydantic_fields__["id"]
    annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return handler.generate_schema(annotation)
