"""One collection or view as the server describes it, as plain data that can be compared.

Both sides of a comparison come from a server, so what it fills in is filled in on both. Left out is only what says
nothing: versions of index formats, ids, flags that are off, and a validation without a validator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from boundwork.models.kinds import is_mapping, is_ordered

Kind = Literal["collection", "timeseries", "view"]
KINDS: Mapping[str, Kind] = {"collection": "collection", "timeseries": "timeseries", "view": "view"}
NOTHING: Mapping[str, Any] = {}
VALIDATION = {"validator": None, "validationLevel": "strict", "validationAction": "error"}
NO_MAXIMUM = 2**31 - 1
"""What the server stores where the limit of documents of a capped collection was taken away."""

_FLAGS = frozenset({"unique", "sparse", "hidden", "prepareUnique"})
_OF_THE_FORMAT = frozenset({"v", "ns", "background", "textIndexVersion", "2dsphereIndexVersion"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One collection or view; `indexes` are specifications by name, without the one of `_id`."""

    name: str
    kind: Kind = "collection"
    options: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    indexes: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: NOTHING)

    @property
    def plain(self) -> bool:
        """Tell whether it is a collection as a first insert would make it."""
        return self.kind == "collection" and not self.options and not self.indexes


Structure = Mapping[str, Form]
"""Collections and views by name."""


def form_of(listed: Mapping[str, Any], indexes: Sequence[Mapping[str, Any]]) -> Form:
    """Return a collection from its entry in `listCollections` and its indexes in `listIndexes`."""
    return Form(
        name=listed["name"],
        kind=KINDS[listed.get("type", "collection")],
        options=_options(plain(listed.get("options", {}))),
        indexes={index["name"]: _index(plain(index)) for index in indexes if not _of_id(index)},
    )


def _of_id(index: Mapping[str, Any]) -> bool:
    return dict(index["key"]) == {"_id": 1}


def _options(options: dict[str, Any]) -> dict[str, Any]:
    if not options.get("validator"):
        options = {name: value for name, value in options.items() if name not in VALIDATION}
    else:
        options = {**VALIDATION, **options}
    if not options.get("changeStreamPreAndPostImages", {}).get("enabled"):
        options.pop("changeStreamPreAndPostImages", None)
    if options.get("max") == NO_MAXIMUM:
        del options["max"]
    return {name: value for name, value in options.items() if value is not False}


def _index(index: dict[str, Any]) -> dict[str, Any]:
    return {
        word: value
        for word, value in index.items()
        if word not in _OF_THE_FORMAT and not (word in _FLAGS and not value)
    }


def plain(value: Any) -> Any:
    """Return a value with dicts, lists and whole numbers as int: shells write 1 as 1.0, servers keep it."""
    if is_mapping(value):
        return {name: plain(part) for name, part in value.items()}
    if is_ordered(value):
        return [plain(item) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, int) else value
