"""What a read model takes of stored documents: which fields are fetched, and how they become its instances.

A field of a read model means the field of the document with the same python name, or with the stored name that its
alias gives; `id` is the document's id. Models inside are taken apart the same way where they are other models than those
of the document. Rows of an aggregation have no document behind them: there the names are those of the rows.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from boundwork.errors import InvalidDocument
from boundwork.models.bson_types import decode_all
from boundwork.models.codec import codec_of
from boundwork.models.expressions.stored_names import family_of
from boundwork.models.expressions.targets import takes_none
from boundwork.models.fields import ID, StoredField
from boundwork.models.hydration import hydration_pause
from boundwork.models.inner_models import Inner, inner_models
from boundwork.models.kinds import is_array, is_document
from boundwork.models.problems import problems_of

ModelT = TypeVar("ModelT", bound=BaseModel)
Taken = Callable[[Any], Any]
"""Turns a stored value into one with the names that the read model stores under."""


class View(Generic[ModelT]):
    """How a read model is made of stored documents, or of rows; `paths` are the stored paths that it needs."""

    def __init__(self, model: type[ModelT], source: type[BaseModel] | None, collection: str) -> None:
        """Compare a read model with the documents' model, None for rows; TypeError names what does not fit."""
        _require_read_only(model)
        self.model = model
        self._codec = codec_of(model)
        self._collection = collection
        self.paths: tuple[str, ...] = ()
        if source is None:
            self._take: Taken = _row_taken if _has_plain_id(model) else _as_it_is
        else:
            paths, self._take = _taken_apart(model, family_of(source), model.__name__)
            self.paths = tuple(paths)

    def projection(self, more: Iterable[str] = ()) -> dict[str, int]:
        """Return the projection of what is needed, and of further paths."""
        wanted = {*self.paths, *more}
        outermost = [path for path in wanted if not any(path.startswith(f"{other}.") for other in wanted)]
        projection = dict.fromkeys(sorted(outermost), 1)
        return projection if ID in projection else {**projection, ID: 0} if projection else {ID: 1}

    def read(self, batches: Iterable[bytes]) -> list[ModelT]:
        """Return an instance for each stored document; InvalidDocument names the fields that do not fit."""
        with hydration_pause():
            return [self._made(stored) for batch in batches for stored in decode_all(batch)]

    def _made(self, stored: dict[str, Any]) -> ModelT:
        taken = self._codec.decode(self._take(stored))
        try:
            made = self.model.__pydantic_validator__.validate_python(taken, strict=False)
        except ValidationError as error:
            problems = problems_of(error, self.model)
            raise InvalidDocument(self._collection, stored.get(ID), problems, stored=True) from None
        self._codec.settle(taken, made)
        return cast("ModelT", made)


def _require_read_only(model: type[BaseModel]) -> None:
    if BaseModel not in getattr(model, "__mro__", ()):
        given = model if isinstance(cast("object", model), type) else type(model)
        raise TypeError(f"A read model is a pydantic model class, not {given.__name__}.")
    if getattr(model, "__boundwork_document__", False):
        raise TypeError(
            f"{model.__name__} is a Document. A read model is a plain pydantic model: find returns documents."
        )
    if not model.model_config.get("frozen"):
        raise TypeError(
            f"{model.__name__} could be changed, and nothing would be written. "
            f"Declare it read-only: class {model.__name__}({model.__bases__[0].__name__}, frozen=True).",
        )


def _taken_apart(model: type[BaseModel], sources: Sequence[type[BaseModel]], shown: str) -> tuple[list[str], Taken]:
    """Return the paths below the sources that a model needs, and what renames a stored value to its own names."""
    paths: list[str] = []
    renames: list[tuple[str, str, Taken]] = []
    null: set[str] = set()
    for field in codec_of(model).fields:
        origin = _origin(field, sources, f"{shown}.{field.name}")
        below, take = _inside(model, field, sources, origin, f"{shown}.{field.name}")
        if below and _may_be_null(model, field, sources, origin):
            null.add(field.stored)
        paths += [f"{origin}.{path}" for path in below] or [origin]
        renames.append((origin, field.stored, take))

    def rename(stored: Any) -> Any:
        if not is_document(stored):
            return stored
        taken = dict.fromkeys(null)
        taken.update({name: take(stored[origin]) for origin, name, take in renames if origin in stored})
        return taken

    return paths, rename


def _origin(field: StoredField, sources: Sequence[type[BaseModel]], shown: str) -> str:
    """Return the name under which the documents store a field of the read model."""
    codecs = [codec_of(source) for source in sources]
    if field.stored == field.name:
        for codec in codecs:
            if field.name in codec.by_name:
                return codec.by_name[field.name].stored
    if any(field.stored in {own.stored for own in codec.fields} or codec.extra for codec in codecs):
        return field.stored
    known = sorted({own.name for codec in codecs for own in codec.fields})
    nearest = difflib.get_close_matches(field.name, known, n=1)
    advice = f"Did you mean {nearest[0]!r}?" if nearest else f"It has: {', '.join(known)}."
    raise TypeError(f"{shown}: {sources[0].__name__} has no such field, by name or by alias. {advice}")


def _inside(
    model: type[BaseModel], field: StoredField, sources: Sequence[type[BaseModel]], origin: str, shown: str
) -> tuple[list[str], Taken]:
    """Return what is needed inside a field whose values are other models than the documents have there."""
    wanted = inner_models(model.model_fields[field.name].annotation)
    have = [found for _, found in _found(sources, origin)]
    models = [found for inner in have for found in inner.models]
    if (
        wanted is None
        or len(wanted.models) != 1
        or not have
        or any(issubclass(one, wanted.models[0]) for one in models)
    ):
        return [], _as_it_is
    paths, take = _taken_apart(wanted.models[0], models, shown)
    for is_dict in reversed(have[0].dicts):
        take = _values_taken(take) if is_dict else _elements_taken(take)
    is_told = _is_told(model.model_fields[field.name], _found(sources, origin))
    return paths if is_told and all(inner.is_reached_by_names for inner in have) else [], take


def _found(sources: Sequence[type[BaseModel]], origin: str) -> list[tuple[FieldInfo, Inner]]:
    """Return the fields of the documents with a stored name that hold models, and which these are."""
    infos = [
        source.model_fields[own.name] for source in sources for own in codec_of(source).fields if own.stored == origin
    ]
    return [(info, inner) for info in infos if (inner := inner_models(info.annotation)) is not None]


def _may_be_null(model: type[BaseModel], field: StoredField, sources: Sequence[type[BaseModel]], origin: str) -> bool:
    """Tell whether None is what a field was that came without the parts it was asked for."""
    nullable = any(inner.nullable for _, inner in _found(sources, origin))
    return nullable and takes_none(model.model_fields[field.name].annotation)


def _is_told(wanted: FieldInfo, have: Sequence[tuple[FieldInfo, Inner]]) -> bool:
    """Tell whether null and missing mean the same; a default that is not None tells them apart, so all is fetched."""
    defaults = [wanted, *(info for info, _ in have)]
    plain = all(
        info.default_factory is None and (info.default is None or info.default is PydanticUndefined)
        for info in defaults
    )
    return plain or not any(inner.nullable for _, inner in have)


def _elements_taken(take: Taken) -> Taken:
    return lambda stored: [take(item) for item in stored] if is_array(stored) else stored


def _values_taken(take: Taken) -> Taken:
    return lambda stored: {key: take(value) for key, value in stored.items()} if is_document(stored) else stored


def _has_plain_id(model: type[BaseModel]) -> bool:
    own = codec_of(model).by_name.get("id")
    return own is not None and own.stored == "id"


def _row_taken(stored: Any) -> Any:
    """Call the `_id` of a row `id`, unless it has both."""
    if ID in stored and "id" not in stored:
        stored["id"] = stored.pop(ID)
    return stored


def _as_it_is(stored: Any) -> Any:
    return stored
