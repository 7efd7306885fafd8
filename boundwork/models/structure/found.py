"""What `listCollections` and `listIndexes` say, in the form of what is declared.

The server fills in what was left out: versions, a size that is a multiple of 256, the whole collation, `_fts` for the
fields of a text index. Here that goes back to what a program writes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from boundwork.models.structure.declared import TEXT_KEY, DeclaredIndex, FoundCollection, KeyKind, StoredOptions

Document = Mapping[str, Any]
_TEXT_MARK = "_ftsx"


def found_collection(listed: Document, indexes: Sequence[Document]) -> FoundCollection:
    """Return a collection from its entry in `listCollections` and its indexes, those of `_id` left out."""
    kind = str(listed.get("type", "collection"))
    own = [index for index in indexes if dict(index["key"]) != {"_id": 1}]
    return FoundCollection(
        name=listed["name"],
        kind=kind,
        options=_options(listed.get("options", {})),
        indexes=tuple(map(found_index, own)),
    )


def _options(options: Document) -> StoredOptions:
    return StoredOptions(
        capped_size=options.get("size") if options.get("capped") else None,
        capped_documents=options.get("max") if options.get("capped") else None,
        time_series=_time_series(options.get("timeseries")),
        clustered="clusteredIndex" in options,
        change_images=bool(options.get("changeStreamPreAndPostImages", {}).get("enabled")),
        expire_after_seconds=_number(options.get("expireAfterSeconds")),
        collation=options.get("collation"),
        validator=options.get("validator") or None,
        validation_level=options.get("validationLevel") or "strict",
        validation_action=options.get("validationAction") or "error",
    )


def _time_series(options: Document | None) -> dict[str, Any] | None:
    if options is None:
        return None
    return {name: options[name] for name in ("timeField", "metaField", "granularity") if name in options}


def found_index(listed: Document) -> DeclaredIndex:
    """Return an index from its entry in `listIndexes`."""
    weights = listed.get("weights")
    is_text = weights is not None
    return DeclaredIndex(
        name=listed["name"],
        keys=tuple(_keys(listed["key"])),
        unique=bool(listed.get("unique")),
        sparse=bool(listed.get("sparse")),
        hidden=bool(listed.get("hidden")),
        where=listed.get("partialFilterExpression"),
        expire_after_seconds=_number(listed.get("expireAfterSeconds")),
        weights={path: _number(weight) for path, weight in weights.items()} if weights is not None else None,
        default_language=listed.get("default_language") if is_text else None,
        language_override=listed.get("language_override") if is_text else None,
        projection=_numbers(listed.get("wildcardProjection")),
        collation=listed.get("collation"),
    )


def _keys(key: Document) -> list[tuple[str, KeyKind]]:
    pairs: list[tuple[str, KeyKind]] = []
    for path, kind in key.items():
        if (path, kind) == TEXT_KEY:
            pairs.append(TEXT_KEY)
        elif path != _TEXT_MARK:
            pairs.append((path, kind if isinstance(kind, str) else int(kind)))
    return pairs


def _number(value: Any) -> Any:
    """Return whole numbers as int: shells write them as doubles."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _numbers(options: Document | None) -> dict[str, Any] | None:
    return None if options is None else {name: _projected(value) for name, value in options.items()}


def _projected(value: Any) -> Any:
    return int(value) if isinstance(value, bool | float) else value
