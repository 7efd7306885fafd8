"""Which reads give the same answer when nothing has changed.

A replay compares answers. One that draws lots, looks at the clock or runs a program's JavaScript differs by itself, so a
unit with such a read is not repeated. That is looked at only when a replay is wanted.
"""

from collections.abc import Mapping
from typing import cast

from boundwork.uow.commands import Aggregate, Read

_OPERATORS = frozenset({"$sample", "$sampleRate", "$rand", "$where", "$function", "$accumulator"})
_VARIABLES = ("$$NOW", "$$CLUSTER_TIME")


def is_steady(command: Read) -> bool:
    """Tell whether a read depends on nothing but what is stored."""
    return _is_steady(command.pipeline if isinstance(command, Aggregate) else command.filter)


def _is_steady(part: object) -> bool:
    if isinstance(part, str):
        return not part.startswith(_VARIABLES)
    if isinstance(part, Mapping):
        fields = cast("Mapping[str, object]", part)
        return not _OPERATORS & fields.keys() and all(map(_is_steady, fields.values()))
    if isinstance(part, list | tuple):
        return all(map(_is_steady, cast("list[object]", part)))
    return True
