"""How the conditions passed to a query become one MongoDB filter of one model.

A field that the model does not have is refused here, before the server is asked and finds nothing: places of
expressions belong to the model or its family, and so do the paths in plain filters.
"""

from typing import Any

from pydantic import BaseModel

from boundwork.models.codec import codec_of
from boundwork.models.expressions.conditions import Condition, Junction, as_filter
from boundwork.models.expressions.stored_names import REMEDY, check_stored_path
from boundwork.models.expressions.targets import Target


def compile_filter(model: type[BaseModel], *filters: Condition) -> dict[str, Any]:
    """Return the filter that requires all conditions, as BSON values; `{}` for none.

    Raises TypeError for a bool, for what is no condition, and for a field of another model, ValueError for a plain
    filter with a name that the model does not store.
    """
    return checked(model, *filters).compiled()


def checked(model: type[BaseModel], *filters: Condition) -> Junction:
    """Return the conditions as one, all of whose fields are those of the model; raises like `compile_filter`."""
    junction = Junction("$and", [as_filter(condition) for condition in filters])
    for target in junction.targets():
        check_root(model, target)
    for name in junction.stored_paths():
        check_stored_path(model, name, "A plain filter", REMEDY)
    return junction


def check_root(model: type[BaseModel], target: Target) -> None:
    """Raise TypeError unless the target is a field of the model, its bases or its subclasses, stored as the model does."""
    if not issubclass(model, target.root) and not issubclass(target.root, model):
        text = f"{target.shown} is not a field of {model.__name__}."
        raise TypeError(text)
    if model is not target.root and issubclass(model, target.root):
        _check_name(model, target)


def _check_name(model: type[BaseModel], target: Target) -> None:
    first = target.segments[0].partition(".")[0]
    name = next((field.name for field in codec_of(target.root).fields if field.stored == first), None)
    own = None if name is None else codec_of(model).by_name.get(name)
    if own is not None and own.stored != first:
        shown = f"{model.__name__}.{name}"
        text = f"{target.root.__name__}.{name} is stored as {first!r}, and {shown} as {own.stored!r}. Write {shown}."
        raise TypeError(text)
