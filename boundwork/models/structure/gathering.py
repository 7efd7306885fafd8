"""Which collections a set of models asks for, and with what: models that share a collection are taken together.

Indexes are those of every model in the collection and of its bases. Options are declared once; a model that shares
the collection says nothing or the same. Everything that lives in the collection counts, also where only one of its
models was named, because the server knows only the collection.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from boundwork.models.codec import codec_of
from boundwork.models.document import Document
from boundwork.models.stored_schema import stored_schema
from boundwork.models.structure.declared import DeclaredCollection, DeclaredIndex, NotExpressed, StoredOptions
from boundwork.models.structure.indexes import declared_indexes
from boundwork.models.structure.options import CollectionOptions, seconds
from boundwork.models.structure.paths import stored_path

Model = type[Document[Any]]
_CAPPED_STEP = 256


def declared_structure(models: Iterable[Model] | None = None) -> tuple[DeclaredCollection, ...]:
    """Return what models declare, by collection; None means every model of the program's modules.

    Raises TypeError for a model without a collection and for declarations that contradict each other.
    """
    given = cast("object", models)
    if isinstance(given, type) and issubclass(given, Document):
        raise TypeError(f"Give the models as a list, such as [{given.__name__}].")
    named = _defined() if models is None else list(models)
    groups: dict[str, dict[Model, None]] = {}
    for model in named:
        if not getattr(cast("object", model), "__boundwork_document__", False):
            name = getattr(cast("object", model), "__name__", type(model).__name__)
            raise TypeError(f"A structure is declared by classes that derive from Document, and {name} is none.")
        collection = model.__boundwork_collection__
        if collection is None:
            message = f'{model.__name__} has no collection. Name one: class {model.__name__}(..., collection="...").'
            raise TypeError(message)
        groups.setdefault(collection, {}).update(dict.fromkeys(_sharing(model, collection)))
    return tuple(_declared(name, list(groups[name])) for name in sorted(groups))


def is_collated(model: Model) -> bool:
    """Tell whether a model, or one that shares its collection with it, declares a collation of the collection."""
    collection = model.__boundwork_collection__
    relatives = [model] if collection is None else _sharing(model, collection)
    found = [options for relative in relatives if (options := relative.__boundwork_options__) is not None]
    return any(options.collation is not None for options in found)


def _defined() -> list[Model]:
    """List the models of modules that have a collection; of classes with one name the one that was defined last.

    Classes made inside functions are left out: whether those of an earlier call are still there is chance.
    """
    found: dict[tuple[str, str], Model] = {}
    for model in _descendants(Document):
        if model.__boundwork_collection__ is not None and "<locals>" not in model.__qualname__:
            found[model.__module__, model.__qualname__] = model
    return list(found.values())


def _descendants(model: Model) -> Iterable[Model]:
    for child in model.__subclasses__():
        if not child.__pydantic_generic_metadata__["parameters"]:
            yield child
        yield from _descendants(child)


def _sharing(model: Model, collection: str) -> list[Model]:
    """List the relatives of a model that live in its collection, the oldest first."""
    bases: list[Any] = [base for base in model.__mro__ if getattr(base, "__boundwork_collection__", None) == collection]
    eldest: Model = bases[-1]
    relatives = dict.fromkeys([eldest, *_descendants(eldest), model])
    return [
        relative
        for relative in relatives
        if relative.__boundwork_collection__ == collection and not relative.__pydantic_generic_metadata__["parameters"]
    ]


def _declared(name: str, models: Sequence[Model]) -> DeclaredCollection:
    for model in models:
        codec_of(model)
    options = _options(name, models)
    stored, notes = _stored_options(models, options)
    return DeclaredCollection(name=name, options=stored, indexes=_indexes(name, models, options), not_expressed=notes)


def _options(name: str, models: Sequence[Model]) -> CollectionOptions:
    declared = {model: options for model in models if (options := model.__boundwork_options__) is not None}
    chosen = next(iter(declared.values()), CollectionOptions())
    for model, options in declared.items():
        if options != chosen:
            first = next(iter(declared)).__name__
            message = (
                f"{first} and {model.__name__} declare different options of collection {name!r}. Keep one of them."
            )
            raise TypeError(message)
    return chosen


def _stored_options(
    models: Sequence[Model], options: CollectionOptions
) -> tuple[StoredOptions, tuple[NotExpressed, ...]]:
    made = None if options.validation is None else stored_schema(*models)
    capped, series, collation = options.capped, options.time_series, options.collation
    stored = StoredOptions(
        capped_size=None if capped is None else -(-capped.size // _CAPPED_STEP) * _CAPPED_STEP,
        capped_documents=None if capped is None else capped.documents,
        time_series=None if series is None else _time_series(models[0], options),
        clustered=options.clustered,
        change_images=options.change_images,
        expire_after_seconds=seconds(options.expire_after),
        collation=None if collation is None else collation.stored(),
        validator=None if made is None else {"$jsonSchema": made.schema},
        validation_level="strict" if options.validation is None else options.validation.level,
        validation_action="error" if options.validation is None else options.validation.action,
    )
    return stored, () if made is None else made.not_expressed


def _time_series(model: Model, options: CollectionOptions) -> dict[str, Any] | None:
    series = options.time_series
    if series is None:
        return None
    try:
        meta = {} if series.meta is None else {"metaField": stored_path(model, series.meta)}
        return {"timeField": stored_path(model, series.time), **meta, "granularity": series.granularity}
    except AttributeError as error:
        message = f"{model.__name__}: TimeSeries: {error}"
        raise TypeError(message) from None


def _indexes(collection: str, models: Sequence[Model], options: CollectionOptions) -> tuple[DeclaredIndex, ...]:
    found: dict[str, DeclaredIndex] = {}
    for model in models:
        for index in declared_indexes(model, options.collation):
            if found.setdefault(index.name, index) != index:
                message = (
                    f"{model.__name__}: collection {collection!r} has two indexes called {index.name!r}. "
                    "Give one of them a name: Index(..., name='...')."
                )
                raise TypeError(message)
    return tuple(found.values())
