"""What the metadata of an annotation demands, read from the marks of pydantic and annotated-types.

Two marks for one rule leave the looser one, because which of them counts depends on how they came together. A mark
that may change the value, or that is not known, makes the annotation opaque: nothing is said about what is stored.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WrapValidator
from pydantic.fields import FieldInfo

from boundwork.models.stored_schema.place import Place

_LOOSEST = {"ge": min, "gt": min, "le": max, "lt": max, "min_length": min, "max_length": max}
_NAMES = (*_LOOSEST, "multiple_of", "pattern", "max_digits", "decimal_places", "allow_inf_nan", "ascii_only")
_OPAQUE = (PlainValidator, WrapValidator)
_SILENT = frozenset({
    "Strict", "Tag", "Discriminator", "StorePlain", "AllowInfNan", "FailFast", "WithJsonSchema", "Examples",
    "PlainSerializer", "WrapSerializer", "SerializeAsAny", "InstanceOf", "Unit", "DocInfo", "Doc", "FieldInfo",
    "BeforeValidator", "AfterValidator", "_PydanticGeneralMetadata", "StringConstraints", "Interval", "Len",
    "Ge", "Gt", "Le", "Lt", "MinLen", "MaxLen", "MultipleOf",
})  # fmt: skip
_NAMED = frozenset({"UuidVersion", "PathType", "UrlConstraints", "Predicate", "Timezone", "Not", "Unique"})


@dataclass(slots=True)
class Rules:
    """Rules that have not been expressed yet; `take` takes one out."""

    open: dict[str, Any] = field(default_factory=dict[str, Any])
    opaque: bool = False

    def take(self, name: str) -> Any:
        """Return the value of a rule, None where there is none, and take it out."""
        return self.open.pop(name, None)

    def copy(self) -> "Rules":
        """Return the same rules for one member of a union."""
        return Rules(dict(self.open), self.opaque)

    def leave(self, place: Place) -> None:
        """Note what is left as not expressed."""
        for name in self.open:
            if not (name == "allow_inf_nan" and self.open[name]):
                place.note(f"{name} does not apply to how the value is stored")


def read_rules(marks: Iterable[Any], place: Place, rules: Rules | None = None) -> Rules:
    """Read marks, on top of rules that came from outside; note the marks that only Python can check."""
    read = Rules() if rules is None else rules
    for mark in _flat(marks):
        if isinstance(mark, BeforeValidator | AfterValidator):
            place.note("a validator in Python")
        elif isinstance(mark, _OPAQUE) or _is_foreign(mark):
            read.opaque = True
        else:
            _read(mark, read, place)
    if read.opaque:
        place.note("what is stored is decided in Python")
    return read


def _flat(marks: Iterable[Any]) -> Iterable[Any]:
    for mark in marks:
        if isinstance(mark, FieldInfo):
            yield from _flat(mark.metadata)
        elif mark is not None:
            yield mark


def _is_foreign(mark: Any) -> bool:
    name = type(mark).__name__
    known = _is_of_pydantic(mark) and (name in _SILENT or name in _NAMED)
    return not known and name not in _SILENT and hasattr(mark, "__get_pydantic_core_schema__")


def _is_of_pydantic(mark: Any) -> bool:
    return type(mark).__module__.partition(".")[0] in {"pydantic", "annotated_types"}


def _read(mark: Any, rules: Rules, place: Place) -> None:
    if not _is_of_pydantic(mark):
        return
    name = type(mark).__name__
    if name not in _SILENT:
        place.note(f"{name} is checked in Python only")
        return
    for rule in _NAMES:
        value = getattr(mark, rule, None)
        if value is not None and not (rule == "min_length" and value == 0):
            _keep(rules.open, rule, value)


def _keep(kept: dict[str, Any], rule: str, value: Any) -> None:
    if rule in kept and kept[rule] != value:
        choose = _LOOSEST.get(rule)
        if choose is None:
            del kept[rule]
            return
        value = choose(kept[rule], value)
    kept[rule] = value


def tag_of(marks: Iterable[Any]) -> str | None:
    """Return the name of the field that tells the members of a union apart, where the marks name one."""
    for mark in marks:
        found = getattr(mark, "discriminator", None)
        while found is not None and not isinstance(found, str):
            found = None if callable(found) else getattr(found, "discriminator", None)
        if found is not None:
            return str(found)
    return None


def with_defaults(rules: Rules, config: Mapping[str, Any]) -> None:
    """Add the lengths of text that the settings of the model demand where the annotation says nothing."""
    for rule, setting in (("min_length", "str_min_length"), ("max_length", "str_max_length")):
        value = config.get(setting)
        if value and rule not in rules.open:
            rules.open[rule] = value


def pattern_text(pattern: Any) -> str | None:
    """Return the text of a pattern of Rust's engine; None for a compiled one, which is Python's."""
    return None if isinstance(pattern, re.Pattern) else str(pattern)
