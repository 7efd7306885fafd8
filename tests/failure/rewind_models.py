"""The documents of the rewind tests, and every way in which a program changes one."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr

from boundwork import Document, Embedded, Repository, UnitOfWork


class Plain(BaseModel):
    word: str = "w"
    numbers: list[int] = []


class Part(Embedded):
    name: str = "p"
    marks: list[int] = []
    labels: set[str] = set()
    _memo: list[str] = PrivateAttr(default_factory=list)


class Thing(Document[int], collection="things"):
    model_config = ConfigDict(extra="allow")

    title: str = "t"
    count: int = 0
    tags: list[str] = []
    facts: dict[str, Any] = {}
    marks: set[int] = set()
    part: Part | None = None
    parts: list[Part] = []
    plain: Plain | None = None
    _log: list[str] = PrivateAttr(default_factory=list)
    _note: str = "n"


class Bare(Document[int], collection="things"):
    """A thing of which only one field is stored."""

    title: str = "bare"


class WidePart(Part):
    weight: int = 1
    sizes: list[int] = [1]


class Wide(Document[int], collection="things"):
    """A thing whose parts have stored fields that a `Part` does not know."""

    part: WidePart = WidePart()
    parts: list[WidePart] = [WidePart(), WidePart(name="two")]


class Shop(UnitOfWork):
    things = Repository(Thing)


def new_thing(thing_id: int, number: int) -> Thing:
    """Return a thing with more or less in it."""
    if number == 0:
        return Thing(id=thing_id)
    return Thing(
        id=thing_id,
        title=f"new {number}",
        tags=["a"] * number,
        facts={"inner": [1], "deep": {"x": [number]}},
        marks={number},
        part=Part(name="one", marks=[1], labels={"l"}),
        parts=[Part(), Part(name="two", labels={"a", "b"})],
        plain=Plain(numbers=[number]),
    )


def _part(thing: Thing) -> Part:
    if thing.part is None:
        thing.part = Part()
    return thing.part


def _parts(thing: Thing) -> list[Part]:
    return [part for part in (thing.part, *thing.parts) if part is not None]


def _remember(parts: list[Part], number: int) -> None:
    for part in parts:
        part._memo.append(f"memo {number}")


def _unset_name(parts: list[Part]) -> None:
    for part in parts:
        part.model_fields_set.discard("name")


def _plain(thing: Thing) -> Plain:
    if thing.plain is None:
        thing.plain = Plain()
    return thing.plain


def _extra(thing: Thing) -> dict[str, Any]:
    extra = thing.model_extra
    assert extra is not None
    return extra


def _first_part(thing: Thing, number: int) -> None:
    if thing.parts:
        thing.parts[0].marks.append(number)


def _drop_note(thing: Thing) -> None:
    try:
        del thing._note
    except AttributeError:
        thing._note = "again"


Edit = Callable[[Thing, int], object]
UNSTORED: dict[str, Edit] = {
    "tags copied": lambda thing, _: setattr(thing, "tags", list(thing.tags)),
    "facts copied": lambda thing, _: setattr(thing, "facts", dict(thing.facts)),
    "part copied": lambda thing, _: setattr(thing, "part", None if thing.part is None else thing.part.model_copy()),
    "part memo": lambda thing, n: _remember(_parts(thing)[:1], n),
    "part fields set": lambda thing, _: _unset_name(_parts(thing)[:1]),
    "item memo": lambda thing, n: _remember(_parts(thing)[-1:], n),
    "item fields set": lambda thing, _: _unset_name(_parts(thing)[-1:]),
    "log append": lambda thing, n: thing._log.append(f"log {n}"),
    "log new": lambda thing, n: setattr(thing, "_log", [f"log {n}"]),
    "note": lambda thing, n: setattr(thing, "_note", f"note {n}"),
    "note dropped": lambda thing, _: _drop_note(thing),
    "fields set": lambda thing, _: thing.model_fields_set.discard("title"),
}
"""Edits of what no database sees: a document that has only these is as it is stored."""
EDITS: dict[str, Edit] = {
    **UNSTORED,
    "title": lambda thing, n: setattr(thing, "title", f"title {n}"),
    "count": lambda thing, n: setattr(thing, "count", n),
    "tags append": lambda thing, n: thing.tags.append(f"tag {n}"),
    "tags new": lambda thing, n: setattr(thing, "tags", ["x"] * n),
    "tags clear": lambda thing, _: thing.tags.clear(),
    "tags slice": lambda thing, n: thing.tags.__setitem__(slice(0, 1), ["s"] * n),
    "facts set": lambda thing, n: thing.facts.update({f"k{n}": [n], "deep": {"x": [n]}}),
    "facts nested": lambda thing, n: thing.facts.setdefault("inner", []).append(n),
    "facts pop": lambda thing, _: thing.facts.pop("inner", None),
    "facts new": lambda thing, n: setattr(thing, "facts", {"inner": [n]}),
    "marks add": lambda thing, n: thing.marks.add(n),
    "marks discard": lambda thing, n: thing.marks.discard(n),
    "marks new": lambda thing, n: setattr(thing, "marks", {n, n + 1}),
    "part none": lambda thing, _: setattr(thing, "part", None),
    "part new": lambda thing, n: setattr(thing, "part", Part(name=f"part {n}")),
    "part name": lambda thing, n: setattr(_part(thing), "name", f"name {n}"),
    "part marks": lambda thing, n: _part(thing).marks.append(n),
    "part labels": lambda thing, n: _part(thing).labels.add(f"label {n}"),
    "parts append": lambda thing, n: thing.parts.append(Part(marks=[n])),
    "parts pop": lambda thing, _: thing.parts and thing.parts.pop(),
    "parts reverse": lambda thing, _: thing.parts.reverse(),
    "parts item": _first_part,
    "plain word": lambda thing, n: setattr(_plain(thing), "word", f"word {n}"),
    "plain numbers": lambda thing, n: _plain(thing).numbers.append(n),
    "extra": lambda thing, n: setattr(thing, "colour", f"colour {n}"),
    "extra list": lambda thing, n: setattr(thing, "sizes", [n]),
    "extra nested": lambda thing, n: _extra(thing).setdefault("sizes", []).append(n),
    "extra dropped": lambda thing, _: _extra(thing).pop("colour", None),
}

HOLDS: dict[str, Callable[[Thing], Any]] = {
    "tags": lambda thing: thing.tags,
    "facts": lambda thing: thing.facts,
    "inner": lambda thing: thing.facts.setdefault("inner", []),
    "marks": lambda thing: thing.marks,
    "part": _part,
    "part marks": lambda thing: _part(thing).marks,
    "memo": lambda thing: _part(thing)._memo,
    "parts": lambda thing: thing.parts,
    "numbers": lambda thing: _plain(thing).numbers,
    "log": lambda thing: thing._log,
    "extra": _extra,
}
"""Parts that a program may keep hold of, and change later without going through the document."""


def change_in_place(kind: str, held: Any, n: int) -> None:
    """Change a part that `HOLDS` gave."""
    match kind:
        case "part":
            held.name = f"held {n}"
        case "facts" | "extra":
            held[f"h{n}"] = n
        case "marks":
            held.add(n + 10)
        case "parts":
            held.append(Part(name="held"))
        case "tags" | "memo" | "log":
            held.append(str(n))
        case _:
            held.append(n)
