"""How the conditions passed to a query become one MongoDB filter of one model."""

from typing import Any

from pydantic import BaseModel

from boundwork.models.expressions.conditions import Condition, Junction, as_filter
from boundwork.models.expressions.targets import Target


def compile_filter(model: type[BaseModel], *filters: Condition) -> dict[str, Any]:
    """Return the filter that requires all conditions, as BSON values; `{}` for none.

    Raises TypeError for a bool, for what is no condition, and for a field of another model.
    """
    junction = Junction("$and", [as_filter(condition) for condition in filters])
    for target in junction.targets():
        check_root(model, target)
    return junction.compiled()


def check_root(model: type[BaseModel], target: Target) -> None:
    """Raise TypeError unless the target is a field of the model, its bases or its subclasses."""
    if not issubclass(model, target.root) and not issubclass(target.root, model):
        text = f"{target.shown} is not a field of {model.__name__}."
        raise TypeError(text)
