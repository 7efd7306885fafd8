"""How stored values and the words of `op` are written as Python: short things on a line, long ones one part a line.

What `repr` writes is read by Python again for every type of BSON; only the imports that it needs must be collected.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from boundwork.models.kinds import is_mapping, is_ordered

WIDTH = 110
_STEP = 4
_FROM: Mapping[type, str] = {
    dt.datetime: "import datetime",
    re.Pattern: "import re",
    Regex: "import re\nfrom bson import Regex",
    UUID: "from uuid import UUID",
    **{
        kind: f"from bson import {kind.__name__}"
        for kind in (Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp)
    },
}
_NAMELESS = frozenset({float("inf"), float("-inf")})


@dataclass(slots=True)
class Writer:
    """Writes values and notes what must be imported for them."""

    imports: set[str] = field(default_factory=set[str])

    def call(self, word: str, *positional: Any, indent: int = _STEP, **named: Any) -> str:
        """Return `op.word(...)`, indented in all lines but the first."""
        parts = [("", value) for value in positional] + [(f"{name}=", value) for name, value in named.items()]
        return self._wrapped(f"op.{word}(", ")", parts, indent)

    def value(self, value: Any, indent: int = 0, used: int = 0) -> str:
        """Return a value; `indent` is that of the line it stands on, `used` is how much of the line is taken."""
        if is_mapping(value):
            pairs = [(f"{self.value(name)}: ", part) for name, part in value.items()]
            return self._wrapped("{", "}", pairs, indent, used)
        if is_ordered(value):
            return self._wrapped("[", "]", [("", item) for item in value], indent, used)
        return self._scalar(value)

    def _scalar(self, value: Any) -> str:
        kind: Any = value.__class__
        line = _FROM.get(kind)
        if line is not None:
            self.imports.update(line.splitlines())
        if isinstance(value, str):
            return _quoted(value)
        if isinstance(value, float) and (value != value or value in _NAMELESS):  # noqa: PLR0124 - NaN
            return f'float("{value}")'
        if isinstance(value, dt.datetime) and value.tzinfo is not None:
            return repr(value.astimezone(dt.UTC))
        return repr(value)

    def _wrapped(self, begin: str, end: str, parts: list[tuple[str, Any]], indent: int, used: int = 0) -> str:
        short = f"{begin}{', '.join(f'{name}{self.value(part)}' for name, part in parts)}{end}"
        if "\n" not in short and indent + used + len(short) <= WIDTH:
            return short
        inner = indent + _STEP
        pad = " " * inner
        lines = [f"{pad}{name}{self.value(part, inner, len(name) + 1)}," for name, part in parts]
        return "\n".join([begin, *lines, f"{' ' * indent}{end}"])


def _quoted(text: str) -> str:
    """Write text in double quotes, as most formatters do, where that needs no more backslashes."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in text else shown
