"""Whether a new validator refuses documents that the old one took: a pure function on the words of `$jsonSchema`.

It never takes a tightening for something else: what it cannot compare counts as tightening. A change that loosens here
and tightens there tightens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bson import Decimal128

from boundwork.models.difference import same
from boundwork.models.kinds import is_array, is_mapping

Tendency = Literal["same", "loosens", "tightens"]
LEVELS = ("off", "moderate", "strict")
ACTIONS = ("warn", "error")
LOWEST = ("minimum", "minLength", "minItems", "minProperties")
HIGHEST = ("maximum", "maxLength", "maxItems", "maxProperties")
WORDLESS = frozenset({"title", "description"})
NUMBERS = frozenset({"int", "long", "double", "decimal"})


@dataclass(frozen=True, slots=True)
class Strictness:
    """What decides how strict a validation is; an empty validator takes everything."""

    validator: Mapping[str, Any]
    level: str
    action: str


def tendency(old: Strictness, new: Strictness) -> Tendency:
    """Tell whether documents that were taken before are refused from now on."""
    ranks = [(LEVELS.index(old.level), LEVELS.index(new.level)), (ACTIONS.index(old.action), ACTIONS.index(new.action))]
    weaker_or_equal = all(after <= before for before, after in ranks)
    takes_as_much = _wider(old.validator, new.validator)
    if _refuses_nothing(new):
        return "same" if _refuses_nothing(old) else "loosens"
    if not weaker_or_equal or not takes_as_much:
        return "tightens"
    equal = old.level == new.level and old.action == new.action and _wider(new.validator, old.validator)
    return "same" if equal else "loosens"


def _refuses_nothing(one: Strictness) -> bool:
    return not one.validator or one.level == "off" or one.action == "warn"


def _wider(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether a validator takes at least what another one takes; False where that is not clear."""
    if not new or same(_plain(old), _plain(new)):
        return True
    if set(old) == set(new) == {"$jsonSchema"}:
        return _wider_schema(old["$jsonSchema"], new["$jsonSchema"])
    return False


def _wider_schema(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return all(_wider_word(word, old, new) for word in new if word not in WORDLESS) and _closed_no_more(old, new)


def _wider_word(word: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    if word == "properties":
        return _wider_properties(old, new)
    after = new[word]
    if word not in old:
        return after is _TAKES_ALL.get(word, _NEVER) or after == []
    before = old[word]
    if same(_plain(before), _plain(after)):
        return True
    if word in {"items", "additionalProperties"}:
        return after is True or (is_mapping(before) and is_mapping(after) and _wider_schema(before, after))
    wider = _WIDER.get(word)
    return wider is not None and wider(before, after)


def _wider_properties(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Compare field by field; a rule for a field that had none tightens, unless such fields were not allowed at all."""
    before: Mapping[str, Any] = old.get("properties", {})
    closed = old.get("additionalProperties") is False and not old.get("patternProperties")
    for name, schema in new["properties"].items():
        if name not in before:
            if not closed and schema.keys() - WORDLESS:
                return False
        elif not _wider_schema(before[name], schema):
            return False
    return True


def _closed_no_more(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether no field is forbidden now that was not; a closed schema must still speak of each old field."""
    if new.get("additionalProperties", True) is True:
        return True
    gone = old.get("properties", {}).keys() - new.get("properties", {}).keys()
    return not gone and not old.get("patternProperties")


def _covers(new: list[Any], old: list[Any]) -> bool:
    return all(any(same(_plain(one), _plain(other)) or _number(one, other) for other in new) for one in old)


def _number(old: Any, new: Any) -> bool:
    return new == "number" and isinstance(old, str) and old in NUMBERS


def _items(value: Any) -> list[Any]:
    return list(value) if is_array(value) else [value]


def _plain(value: Any) -> Any:
    if is_mapping(value):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(item) for item in value] if is_array(value) else value


def _at_least(before: Any, after: Any) -> bool:
    return bool(_number_of(before) >= _number_of(after))


def _at_most(before: Any, after: Any) -> bool:
    return bool(_number_of(before) <= _number_of(after))


def _number_of(value: Any) -> Any:
    return value.to_decimal() if isinstance(value, Decimal128) else value


_NEVER = object()
_TAKES_ALL: Mapping[str, Any] = {"additionalProperties": True, "uniqueItems": False}
_WIDER: Mapping[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(LOWEST, _at_least),
    **dict.fromkeys(HIGHEST, _at_most),
    "bsonType": lambda before, after: _covers(_items(after), _items(before)),
    "enum": lambda before, after: _covers(after, before),
    "required": lambda before, after: set(after) <= set(before),
    "uniqueItems": lambda _, after: not after,
}
