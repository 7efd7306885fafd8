"""What a dotted path selects in a document, for filters and for index keys.

The two differ, as on the server. A filter looks at every value a path can reach (`candidates`). A sort or an
index gives a document a set of keys, in which several paths through one array go together (`index_keys`).
"""

from collections.abc import Iterator
from typing import Final

from boundwork.uow.sessions.memory.encoding import MISSING, Value, is_array, is_document
from boundwork.uow.sessions.memory.refusals import AMBIGUOUS_NAME, BAD_VALUE, server_refusal

Path = tuple[str, ...]
_Start = tuple[Value, Path]

_ABSENT: Final[Value] = object()


def split(path: str) -> Path:
    """Return the parts of a dotted path."""
    return tuple(path.split("."))


def as_document(array: list[Value]) -> dict[str, Value]:
    """Return an array as the document of its indexes, which is how the server walks into one by position."""
    return {str(index): item for index, item in enumerate(array)}


def _walk(value: Value, path: Path) -> tuple[Value, Path]:
    """Follow the path through embedded documents up to its end or the first array."""
    for depth, part in enumerate(path):
        if is_array(value):
            return value, path[depth:]
        if not is_document(value):
            return MISSING, ()
        value = value.get(part, MISSING)
    return value, ()


def candidates(value: Value, path: Path, *, expand: bool) -> Iterator[Value]:
    """Yield what the path selects, MISSING where an embedded document lacks it.

    An array at the end is yielded after its elements, or alone if `expand` is false.
    """
    found, rest = _walk(value, path)
    if not is_array(found):
        yield found
        return
    if not rest:
        if expand:
            yield from found
        yield found
        return
    for index, item in enumerate(found):
        if is_document(item):
            yield from candidates(item, rest, expand=expand)
        if rest[0] != str(index):
            continue
        if len(rest) == 1:
            yield item
        elif is_array(item) or is_document(item):
            yield from candidates(item, rest[1:], expand=expand)


def elements_along(value: Value, path: Path) -> Iterator[Value]:
    """Yield what `distinct` looks at: the values under a path, and the elements of an array at its end."""
    fields = as_document(value) if is_array(value) else value
    if not is_document(fields):
        return
    # A name with dots in it comes before the way that the path describes.
    whole = ".".join(path)
    first, rest = (whole, ()) if whole in fields else (path[0], path[1:])
    if first not in fields:
        return
    found = fields[first]
    if not rest:
        yield from found if is_array(found) else [found]
    elif is_array(found) and not rest[0].isdecimal():
        for item in found:
            yield from elements_along(item, rest)
    else:
        yield from elements_along(found, rest)


def index_keys(
    document: dict[str, Value], paths: tuple[Path, ...], *, sparse: bool = False, parallel: int = BAD_VALUE
) -> list[tuple[Value, ...]]:
    """Return the keys of a document under an index on the paths; MISSING stands for an empty array.

    What is absent is null; a sparse index leaves out the keys of which every part is. Raise SessionFailure, with the
    code `parallel`, if two paths lead through different arrays.
    """
    rows = _expanded([(document, path) for path in paths], (_ABSENT,) * len(paths), parallel)
    if sparse:
        rows = [row for row in rows if any(value is not _ABSENT for value in row)]
    return [tuple(None if value is _ABSENT else value for value in row) for row in rows]


def _expanded(starts: list[_Start | None], fixed: tuple[Value, ...], parallel: int) -> list[tuple[Value, ...]]:
    """Follow each path from its start, and once for each element of the array they meet; None is finished."""
    keys = list(fixed)
    rests: list[Path | None] = [None] * len(starts)
    array: list[Value] | None = None
    for column, start in enumerate(starts):
        if start is None:
            continue
        found, rest = _walk(*start)
        if not is_array(found):
            keys[column] = _ABSENT if found is MISSING else found
            continue
        if array is not None and found is not array:
            raise server_refusal(parallel, "a document has no keys under paths that lead through different arrays")
        array = found
        if start[1]:
            rests[column] = rest
        else:
            # An array that a path names by its position in another one is a value, and is not expanded.
            keys[column] = found or MISSING
    if array is None or all(rest is None for rest in rests):
        return [tuple(keys)]
    result: list[tuple[Value, ...]] = []
    for item in array or (MISSING,):
        row = tuple(item if rest == () else key for rest, key in zip(rests, keys, strict=True))
        result += _expanded([_start(array, item, rest) for rest in rests], row, parallel)
    return result


def _start(array: list[Value], item: Value, rest: Path | None) -> _Start | None:
    """Return where a path goes on below an array: at the position it names, or at the element in turn."""
    if not rest:
        return None
    position = _position(array, rest[0])
    if position is not None:
        return array[position], rest[1:]
    return (item if is_document(item) else {}), rest


def _position(array: list[Value], part: str) -> int | None:
    """Return the index that a path part names in an array, None if it names none."""
    if not part.isdecimal() or (part[0] == "0" and part != "0") or int(part) >= len(array):
        return None
    if any(is_document(item) and part in item for item in array):
        raise server_refusal(AMBIGUOUS_NAME, f"field {part} of an array is both a position and a name")
    return int(part)
