"""How a reference is stored: as the bare id, in the form that the model's own id has. Also what may stand for one.

So data that was there before fits, indexes work as on any field, and no DBRef is involved.
"""

from collections.abc import Callable
from typing import Annotated, Any, get_origin

from boundwork.models.bson_types import NATIVE, CannotStore
from boundwork.models.kinds import class_of
from boundwork.models.references.ref import Ref, check_id, id_class, model_of
from boundwork.models.shapes import ANYTHING, Settler, Shape


def is_reference(annotation: Any) -> bool:
    """Say whether a bare annotation is `Ref[...]`."""
    return get_origin(annotation) is Ref


def referred(annotation: Any) -> Any:
    """Return the model that a bare annotation refers to; None if it is no reference, or its model is open."""
    model = model_of(annotation) if is_reference(annotation) else None
    return model if isinstance(model, type) else None


def id_annotation(model: Any) -> Any:
    """Return what a model says of its id, with metadata."""
    info = model.__pydantic_fields__["id"]
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def reference(annotation: Any, shape_of: Callable[[Any], Shape]) -> Shape:
    """Give the shape of a reference."""
    model = referred(annotation)
    if model is None:
        return ANYTHING
    own = shape_of(id_annotation(model))
    write = own.encode

    def encode(value: Any) -> Any:
        found: Any = value.id if class_of(value) is Ref and value.model is model else _id_in(model, value)
        return found if type(found) in NATIVE else write(found)

    return Shape(
        encode=encode,
        decode=own.decode,
        settle=_settler(own.settle),
        kinds=own.kinds,
        classes=(Ref,),
        converted=True,
        steered=True,
        whole=own.whole,
    )


def _settler(settle: Settler | None) -> Settler | None:
    if settle is None:
        return None

    def settle_id(stored: Any, value: Any) -> None:
        if class_of(value) is Ref:
            settle(stored, value.id)

    return settle_id


def _model_meant(value: Any) -> Any:
    """Give the model that a reference or a document is of; None for an id."""
    cls = class_of(value)
    if cls is Ref:
        return value.model
    return cls if getattr(cls, "__boundwork_document__", False) else None


def _id_in(model: Any, value: Any) -> Any:
    """Give the id that a value stands for in a field, which anything may have been assigned to."""
    found = _model_meant(value)
    if found is None:
        return value
    if not issubclass(found, model):
        raise CannotStore(f"it refers to {found.__name__}, and the field to {model.__name__}")
    return value.id


def referred_id(shown: str, models: list[Any], value: Any) -> Any:
    """Return the id that a value stands for where it is compared with a reference; TypeError for another model's.

    `shown` is the field, `models` are those that it may refer to.
    """
    found = _model_meant(value)
    if found is not None:
        if not any(issubclass(found, model) or issubclass(model, found) for model in models):
            names = " or ".join(model.__name__ for model in models)
            raise TypeError(f"{shown} refers to {names}, and was compared with a reference to {found.__name__}.")
        return value.id
    classes = [id_class(model) for model in models]
    if not any(cls is None or isinstance(value, cls) for cls in classes):
        try:
            check_id(models[0], value)
        except TypeError as error:
            raise TypeError(f"{shown}: {error}") from None
    return value
