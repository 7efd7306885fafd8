"""Which rows of a pipeline stand in an order that means something.

`$group` gives its groups, and `$addToSet` its values, in an order that differs from call to call on one and the same
server. So a replay compares them as what they are: sets. Where a `$sort` comes later and then stages that may take its
keys out of the rows, their order tells what the rows no longer do, and is compared as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import bson

from boundwork.models.bson_types import CODEC_OPTIONS, decode_all
from boundwork.uow.batches import cut
from boundwork.uow.commands import Aggregate

_GROUPING = ("$group", "$sortByCount")
_WHOLE = {"$match", "$limit", "$skip", "$sort"}
_ONE_BY_ONE = {
    "$match",
    "$limit",
    "$skip",
    "$project",
    "$addFields",
    "$set",
    "$unset",
    "$replaceRoot",
    "$replaceWith",
    "$redact",
    "$lookup",
    "$graphLookup",
    "$count",
}


def comparable(command: Aggregate, batches: Sequence[bytes]) -> Sequence[bytes]:
    """Return the rows of a pipeline as a replay compares them: equal where only an order without meaning differs."""
    names = [next(iter(stage), "") for stage in command.pipeline]
    last = max((number for number, name in enumerate(names) if name in _GROUPING), default=None)
    if last is None:
        return batches
    later = names[last + 1 :]
    while later and later[-1] in _WHOLE:
        later.pop()
    if later and (names[last] != "$group" or not _ONE_BY_ONE.issuperset(later)):
        return batches
    rows = cut(batches)
    if not later and (sets := _sets(command.pipeline[last])):
        rows = [_sorted_inside(row, sets) for row in rows]
    return sorted(rows)


def _sets(stage: Mapping[str, Any]) -> list[str]:
    """Return the fields of a `$group` that `$addToSet` makes."""
    fields = stage.get("$group")
    if not isinstance(fields, Mapping):
        return []
    made = cast("Mapping[str, object]", fields).items()
    return [name for name, how in made if isinstance(how, Mapping) and "$addToSet" in how]


def _sorted_inside(row: bytes, sets: list[str]) -> bytes:
    (fields,) = decode_all(row)
    for name in sets:
        fields[name] = sorted(fields[name], key=lambda value: bson.encode({"": value}, codec_options=CODEC_OPTIONS))
    return bson.encode(fields, codec_options=CODEC_OPTIONS)
