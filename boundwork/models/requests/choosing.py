"""What a client may sort by and ask for: names on the program's list, and nothing else.

A name stands for a field of the class, so what comes out are sort keys of the program's own fields, or names of them.
"""

from collections.abc import Iterable, Mapping
from typing import cast

from boundwork.errors import InvalidRequest
from boundwork.models.expressions.fields import FieldExpression
from boundwork.models.expressions.sort import SortKey, asc, desc
from boundwork.models.requests.allowed import shown

Allowed = Mapping[str, object] | Iterable[object]


def sort_from(text: str | None, *, allow: Allowed) -> tuple[SortKey, ...]:
    """Return the sort that a client asks for, for `sort(*...)`: `sort_from("-created,total", allow=(Order.created, Order.total))`.

    A name goes by the way to its field (`"address.city"`), "-" before it means downwards; a mapping gives names of its own:
    `allow={"date": Order.created}`. No text is no sort. Raises InvalidRequest for any other name, or one that stands twice.
    """
    fields = _fields("sort_from", allow)
    names = _names("sort", text, {*fields, *(f"-{name}" for name in fields)})
    return tuple(desc(fields[name[1:]]) if name.startswith("-") else asc(fields[name]) for name in names)


def fields_from(text: str | None, *, allow: Allowed) -> tuple[str, ...]:
    """Return the fields that a client asks to see, as python names in its order: `model_dump(include={*fields_from(...)})`.

    `allow` lists fields of the class or names of fields. No text means all that are allowed. Raises InvalidRequest for
    any other name, or one that stands twice.
    """
    names = _named("fields_from", allow)
    return _names("fields", text, set(names)) or tuple(names)


def _fields(word: str, allow: Allowed) -> dict[str, object]:
    """Return the fields that may be asked for by their names; TypeError for what is no field."""
    named = _named(word, allow)
    for field in named.values():
        if not isinstance(field, FieldExpression):
            raise TypeError(
                f"{word}: allow takes fields of the class, such as Order.created, not {type(field).__name__}."
            )
    return named


def _named(word: str, allow: Allowed) -> dict[str, object]:
    if isinstance(allow, Mapping):
        return dict(cast("Mapping[str, object]", allow))
    if isinstance(allow, str | bytes | FieldExpression):
        raise TypeError(f"{word}: allow takes a tuple of fields: allow=(Order.created, Order.total).")
    return {_name(word, entry): entry for entry in allow}


def _name(word: str, entry: object) -> str:
    """Return the name by which a client asks for a field: the way to it, without the model."""
    if isinstance(entry, str) and word == "fields_from":
        return entry
    if not isinstance(entry, FieldExpression):
        raise TypeError(f"{word}: allow takes fields of the class, such as Order.created, not {type(entry).__name__}.")
    root, _, way = entry.__target__.shown.partition(".")
    if root != entry.__target__.root.__name__ or not way.replace(".", "_").isidentifier():
        raise ValueError(f"{word}: {entry.__target__.shown} has no plain name. Give it one: allow={{'name': ...}}.")
    return way


def _names(word: str, text: object, allowed: set[str]) -> tuple[str, ...]:
    """Return the names in a text; each must be allowed, and stand once, upwards or downwards."""
    if text is None:
        return ()
    if type(text) is not str:
        raise InvalidRequest(word, [("(text)", f"is no text, but a {type(text).__name__}")])
    if not text:
        return ()
    names = [name.strip() for name in text.split(",", maxsplit=len(allowed))]
    for name in names:
        if name not in allowed:
            raise InvalidRequest(word, [(shown(name), "is not allowed")])
    if len({name.removeprefix("-") for name in names}) < len(names):
        raise InvalidRequest(word, [("(text)", "names a field twice")])
    return tuple(names)
