"""From the name of a field, as it is written in the class, to the path under which it is stored.

Indexes are declared inside the class statement, where the class is no expression yet. So they name fields as text,
and a name that is wrong is refused with the nearest right one.
"""

import dataclasses
from dataclasses import replace
from typing import Any, get_origin

from pydantic import BaseModel
from typing_extensions import get_type_hints, is_typeddict

from boundwork.models.expressions.targets import Target, target_of
from boundwork.models.kinds import is_class

WILDCARD = "$**"


def stored_path(model: type[BaseModel], name: str) -> str:
    """Return the stored path of a dotted name; AttributeError names the nearest field."""
    first, *rest = name.split(".")
    if first == WILDCARD and not rest:
        return WILDCARD
    if model.model_config.get("extra") == "allow" and first not in model.model_fields:
        return _plain(name)
    target = target_of(model, first)
    while rest:
        part = rest.pop(0)
        if part == WILDCARD and not rest:
            return f"{target.path}.{WILDCARD}"
        target = _step(target, part)
    return target.path


def _plain(name: str) -> str:
    parts = name.split(".")
    if any(not part or "\0" in part or (part[0] == "$" and part != WILDCARD) for part in parts):
        message = f"{name!r} cannot be the path of a stored field."
        raise AttributeError(message)
    return name


def _step(target: Target, part: str) -> Target:
    """Go one part on; lists are stepped into, because an index reaches their elements by the same path."""
    if part.isdecimal():
        return target.item(int(part))
    while True:
        if any(is_class(kind) and issubclass(kind, BaseModel) for kind in target.kinds):
            return target.attribute(part)
        for kind in target.kinds:
            hints = _record_hints(kind)
            if part in hints:
                *outer, last = target.segments
                return replace(
                    target, segments=(*outer, f"{last}.{part}" if last else part), annotations=(hints[part],)
                )
        try:
            return target.item(part)
        except (TypeError, ValueError):
            try:
                target = target.element()
            except TypeError:
                return target.attribute(part)


def _record_hints(kind: Any) -> dict[str, Any]:
    cls = get_origin(kind) or kind
    if is_class(cls) and (dataclasses.is_dataclass(cls) or is_typeddict(cls)):
        return get_type_hints(cls)
    return {}
