"""How single stored values are read back: those of one place of a model, without the documents around them."""

from collections.abc import Iterable
from typing import Any, Union

from pydantic import ConfigDict, TypeAdapter, ValidationError

from boundwork.errors import InvalidDocument
from boundwork.models.annotations import shape_of
from boundwork.models.expressions.targets import Target
from boundwork.models.problems import collection_of, problems_of

_CONFIG = ConfigDict(arbitrary_types_allowed=True)


def read_values(place: Target, stored: Iterable[Any]) -> list[Any]:
    """Return the python values of stored ones; InvalidDocument names the place if one does not fit it."""
    annotation: Any = Union[(*place.annotations, None)]
    shape = shape_of(annotation)
    validate = TypeAdapter(annotation, config=_CONFIG).validate_python
    values: list[Any] = []
    for value in stored:
        taken = value if shape.decode is None or value is None else shape.decode(value)
        try:
            read = validate(taken, strict=False)
        except ValidationError as error:
            reason = problems_of(error, place.root)[0][1]
            raise InvalidDocument(collection_of(place.root), "(some)", [(place.shown, reason)], stored=True) from None
        if shape.settle is not None and taken is not None:
            shape.settle(taken, read)
        values.append(read)
    return values


def holds_lists(place: Target) -> bool:
    """Tell whether the values of a place may be arrays, as far as the model knows."""
    return any(kind is not Any and "array" in shape_of(kind).kinds for kind in place.kinds)
