"""How failures become `InvalidDocument`: fields and reasons, never values."""

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema

from boundwork.errors import InvalidDocument
from boundwork.models.bson_types import CannotStore, encode_value
from boundwork.models.locations import place_of

if TYPE_CHECKING:
    from boundwork.models.codec import Codec
    from boundwork.models.slots import Tracked

_TELLING = frozenset({
    "value_error", "assertion_error", "union_tag_invalid", "iteration_error", "get_attribute_error", "json_invalid",
    "string_pattern_mismatch",
})  # fmt: skip
"""Error types whose message may repeat a value."""


def collection_of(model: type[BaseModel]) -> str:
    """Name the collection of a model, or the model where it has none."""
    return getattr(model, "__boundwork_collection__", None) or model.__name__


def _known_types() -> frozenset[str]:
    return frozenset(
        kind for kind in get_args(core_schema.ErrorType) if kind not in _TELLING and not kind.endswith("_parsing")
    )


_SAFE = _known_types()


def problems_of(error: ValidationError, kind: object) -> list[tuple[str, str]]:
    """Name each place in a value of a kind, which is a model or another annotation, and the reason without values."""
    problems: list[tuple[str, str]] = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        failed = detail["type"]
        path = place_of(kind, detail["loc"], named=failed == "extra_forbidden") or "(document)"
        problems.append((path, f"{detail['msg']} ({failed})" if failed in _SAFE else failed))
    return problems


def cannot_store(document: "Tracked", error: CannotStore) -> InvalidDocument:
    """Build the error for a value that has no form in BSON."""
    path = ".".join(error.path) or "(document)"
    return InvalidDocument(collection_of(type(document)), _id(document), [(path, error.problem)], stored=False)


def too_deep(document: "Tracked", codec: "Codec") -> InvalidDocument:
    """Build the error for a document that Python cannot walk through."""
    name = "(document)"
    for field in codec.fields:
        try:
            field.shape.encode(document.__dict__.get(field.name))
        except RecursionError:
            name = field.name
            break
        except CannotStore:
            continue
    reason = "it contains itself, or is nested too deeply"
    return InvalidDocument(collection_of(type(document)), _id(document), [(name, reason)], stored=False)


def id_changed(document: "Tracked", before: Any) -> InvalidDocument:
    """Build the error for a document of a unit whose id was changed."""
    reason = "the id of a document in a unit cannot change; add a copy under the new id and remove this document"
    return InvalidDocument(collection_of(type(document)), before, [("id", reason)], stored=False)


def _id(document: "Tracked") -> Any:
    value = document.__dict__.get("id")
    try:
        encode_value(value)
    except CannotStore:
        return f"(of type {type(value).__name__})"
    return value
