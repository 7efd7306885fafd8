"""Which models the values of a field are, and the containers that lead to them.

What is fetched of a field and how it is renamed depends on that: the server reaches into objects and lists by names, but
not through the keys of a dict, and what is null where a path goes on it leaves out as if it were not there.
"""

from collections.abc import Collection, Mapping
from typing import Union, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeIs

from boundwork.models.data import data
from boundwork.models.expressions.targets import kinds_of, takes_none


@data(frozen=True, slots=True)
class Inner:
    """The models of the values, and for each container around them whether it is a dict, the outermost first.

    `nullable` says that the value itself may be None, `gaps` that an element of a container may be.
    """

    models: tuple[type[BaseModel], ...]
    dicts: tuple[bool, ...]
    nullable: bool
    gaps: bool

    @property
    def is_reached_by_names(self) -> bool:
        """Tell whether the server can be asked for parts of the values without losing that some are None."""
        return not any(self.dicts) and not self.gaps


def inner_models(annotation: object) -> Inner | None:
    """Return what stands in a field with an annotation, None where that is not models alone."""
    kinds = kinds_of(annotation)
    nullable = takes_none(annotation)
    models = tuple(kind for kind in kinds if _is_model(kind))
    if models and len(models) == len(kinds):
        return Inner(models, (), nullable, gaps=False)
    container = get_origin(kinds[0]) if len(kinds) == 1 else None
    if not isinstance(container, type) or not issubclass(container, Collection):
        return None
    is_dict = issubclass(container, Mapping)
    parts = [part for part in get_args(kinds[0]) if part is not ...][1 if is_dict else 0 :]
    inner = inner_models(Union[tuple(parts)]) if parts else None  # noqa: UP007 - of parts that are known now only
    if inner is None:
        return None
    return Inner(inner.models, (is_dict, *inner.dicts), nullable, gaps=inner.nullable or inner.gaps)


def _is_model(kind: object) -> TypeIs[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel) and not kind.__pydantic_root_model__
