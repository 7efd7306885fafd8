"""Finds operators in a command that the library did not write: what the server reads, not what Python says.

Everything goes through BSON first. Below the operators that compare, everything is a value.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

import bson
from bson import Decimal128, Regex
from bson.codec_options import CodecOptions, DatetimeConversion

OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    uuid_representation=4, datetime_conversion=DatetimeConversion.DATETIME_AUTO, tz_aware=True
)
JUNCTIONS = {"$and", "$or", "$nor"}
COMPARING = {"$eq", "$ne", "$gt", "$gte", "$lt", "$lte"}
OF_LISTS = {"$in", "$nin", "$all"}
OWN_VALUES = {
    "$exists": (bool,),
    "$size": (int,),
    "$type": (list, str, int),
    "$regex": (str,),
    "$options": (str,),
    "$mod": (list,),
}
UPDATES = {"$set", "$unset", "$push"}
GEO = {"$near", "$geoWithin", "$geometry", "$maxDistance", "$centerSphere", "type", "coordinates"}
BARE = {"_id", "owner", "version", "removed_at"}
"""What the library compares with a bare value: ids, tenants, versions and times of removal."""
SERVER_CODE = {"$where", "$function", "$accumulator"}
WRITING = {"$out", "$merge"}


class Foreign(AssertionError):
    """A command has an operator of somebody else."""


def as_sent(value: Any) -> Any:
    """Return a value as the server receives it; references are what they are on the wire."""
    return _opened(bson.BSON.encode({"": value}, codec_options=OPTIONS).decode(OPTIONS)[""])


def check_filter(condition: Mapping[str, Any], paths: set[str]) -> None:
    """Raise Foreign unless a condition has only the library's operators, on these paths."""
    _condition(as_sent(dict(condition)), paths)


def check_update(update: Mapping[str, Any], paths: set[str]) -> None:
    """Raise Foreign unless an update has only the library's operators, on these paths."""
    for name, fields in as_sent(dict(update)).items():
        _expect(name in UPDATES, f"the update operator {name}")
        for path, value in fields.items():
            _expect(_known(path, paths), f"the path {path!r} in an update")
            _expect(name != "$push" or list(value) == ["$each"], "a modifier of $push")


def check_changes(
    update: Mapping[str, Any], array_filters: Iterable[Mapping[str, Any]], paths: set[str], expected: set[str]
) -> None:
    """Raise Foreign unless an update has no other operators than the expected ones, on these paths, with values in them."""
    operators = as_sent(dict(update))
    _expect(set(operators) <= expected, f"the update operators {sorted(set(operators) - expected)}")
    for name, fields in operators.items():
        for path, operand in fields.items():
            _expect(_changeable(path, paths), f"the path {path!r} in an update")
            _operand(name, operand, paths)
    names = [f"e{number}" for number in range(9)]
    for condition in array_filters:
        _condition(as_sent(dict(condition)), {*paths, *names})


def _operand(name: str, operand: Any, paths: set[str]) -> None:
    """Check what stands under one path: the server reads it in these operators; in the others it is a value."""
    if name in {"$push", "$addToSet"}:
        _expect(is_object(operand) and _is_list(operand.get("$each")), f"no list of values in {name}")
        _expect(set(operand) <= {"$each", "$position", "$slice"}, f"a modifier of {name}")
        _expect(all(type(operand.get(key, 1)) is int for key in ("$position", "$slice")), f"an object in {name}")
    elif name == "$pull":
        bare = all(key.startswith("$") for key in operand)
        _test(operand, paths) if bare and not JUNCTIONS & set(operand) else _condition(operand, paths)
    elif name == "$pullAll":
        _expect(_is_list(operand), "no list in $pullAll")
    elif name in {"$inc", "$mul", "$pop"}:
        _expect(isinstance(operand, int | float | Decimal128) and not isinstance(operand, bool), f"no number in {name}")
    elif name == "$currentDate":
        _expect(operand is True, "an object in $currentDate")


def check_document(document: Mapping[str, Any], names: set[str]) -> None:
    """Raise Foreign unless a new document has these names, and an id that is one."""
    stored = as_sent(dict(document))
    for name in stored:
        _expect(name in names, f"the field {name!r}")
    _id(stored.get("_id"))


def check_sort(sort: Any, paths: set[str]) -> None:
    """Raise Foreign unless a sort names these paths and directions only."""
    for path, direction in sort:
        _expect(type(path) is str and _known(path, paths), f"the sort {path!r}")
        _expect(direction in {1, -1}, "a direction")


def check_options(options: Any, *numbers: Any) -> None:
    """Raise Foreign unless the way in which a command is carried out is told by numbers and texts, and nothing more."""
    hint = options.hint
    _expect(hint is None or type(hint) is str or all(type(path) is str for path, _ in hint), "an object as a hint")
    collation = dict(options.collation or {})
    locale: object = collation.pop("locale", "")
    _expect(issubclass(type(locale), str), "an object as a locale")
    _expect(all(type(part) in {bool, int, str} for part in collation.values()), "an object in a collation")
    _expect(options.comment is None or type(options.comment) is str, "an object as a comment")
    _expect(all(type(number) is int for number in (*numbers, options.max_time_ms or 0)), "an object as a number")


def check_no_server_code(value: Any) -> None:
    """Raise Foreign if anything of a filter, or of a list of stages, runs code on the server, or writes."""
    refused = SERVER_CODE | WRITING if isinstance(value, list) else SERVER_CODE
    for name in _names(as_sent(value)):
        _expect(name not in refused and not name.startswith("$_internal"), f"the operator {name}")


def _names(value: Any) -> Iterator[str]:
    if is_object(value):
        for name, part in value.items():
            yield name
            if name != "$literal":
                yield from _names(part)
    elif _is_list(value):
        for part in value:
            yield from _names(part)


def _condition(condition: Any, paths: set[str]) -> None:
    _expect(is_object(condition), "a value where a condition belongs")
    for name, below in condition.items():
        if name in JUNCTIONS:
            for part in below:
                _condition(part, paths)
        elif name == "$text":
            _expect(all(type(part) in {str, bool} for part in below.values()), "an object in $text")
        elif name in BARE and not _is_test(below):
            _id(below)
        elif name.startswith("$"):
            _test({name: below}, paths)  # of an element itself
        else:
            _expect(_known(name, paths), f"the path {name!r}")
            _test(below, paths)


def _is_test(below: Any) -> bool:
    return is_object(below) and set(below) <= COMPARING | OF_LISTS | {"$type", "$regex"} and bool(below)


def _test(test: Any, paths: set[str]) -> None:
    _expect(is_object(test) and bool(test), "a bare value that the server could read as operators")
    for name, value in test.items():
        if name in OF_LISTS:
            _expect(_is_list(value), f"no list under {name}")
            for item in value:
                reads = isinstance(item, Regex) or (is_object(item) and next(iter(item), "").startswith("$"))
                _expect(not reads or _is_reference(item), f"an operator in the list of {name}")
        elif name == "$elemMatch":
            _condition(value, paths)
        elif name in {"$near", "$geoWithin"}:
            _expect(set(_names({name: value})) <= GEO, "an object in a place")
        elif name in OWN_VALUES:
            _expect(isinstance(value, OWN_VALUES[name]), f"an object under {name}")
        else:
            _expect(name in COMPARING, f"the operator {name}")
            _expect(not isinstance(value, Regex), f"a pattern under {name}")


def _id(value: Any) -> None:
    reads = isinstance(value, Regex | list) or (is_object(value) and any(name.startswith("$") for name in value))
    _expect(not reads or _is_reference(value), "an id that is a condition")


def _is_reference(value: Any) -> bool:
    return is_object(value) and list(value)[:2] == ["$ref", "$id"]


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is an object, whatever is in it."""
    return isinstance(value, dict)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _known(path: str, paths: set[str]) -> bool:
    return path.partition(".")[0] in paths and not any(part.startswith("$") for part in path.split("."))


def _changeable(path: str, paths: set[str]) -> bool:
    places = [part for part in path.split(".") if part.startswith("$")]
    return path.partition(".")[0] in paths and all(part == "$[]" or part.startswith("$[e") for part in places)


def _opened(value: Any) -> Any:
    if isinstance(value, bson.DBRef):
        return _opened(dict(value.as_doc()))
    if is_object(value):
        return {name: _opened(part) for name, part in value.items()}
    return [_opened(part) for part in value] if _is_list(value) else value


def _expect(right: bool, what: str) -> None:
    if not right:
        raise Foreign(what)
