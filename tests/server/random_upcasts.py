"""Random histories of schema versions, documents of all of them, and questions about the present version.

A history begins with the fields of `FIRST`; each piece changes what fields there are. The model of the last version is
made of what is left, with every field optional, so that missing fields and nulls are met.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from boundwork import (
    Document,
    Embedded,
    Upcast,
    any_of,
    asc,
    desc,
    elem,
    exists,
    in_,
    is_none,
    not_,
    not_in,
    some,
    starts_with,
)
from boundwork.uow.sessions.memory.encoding import decode
from boundwork.uow.upcasting.documents import encoded

Stored = dict[str, Any]
TEXTS = ["", "a", "ab", "b"]
NUMBERS = [-1, 0, 1, 2]
DATES = [datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2)]
VALUES: dict[str, list[Any]] = {
    "text": TEXTS,
    "digits": ["0", "1", "2", "10"],
    "number": NUMBERS,
    "code": ["A", "G", "other"],
    "word": ["active", "gone", "other"],
    "ms": [0, 1_577_836_800_000, 1_577_923_200_000],
    "date": [datetime(1970, 1, 1, tzinfo=UTC), *DATES],
}
TYPES: dict[str, Any] = {"number": int, "ms": int, "date": datetime}
FIRST = {"a": "text", "b": "text", "n": "digits", "k": "code", "d": "number", "m": "ms"}
INSIDE = {"x": "number", "y": "text"}
CONVERSIONS: dict[str, tuple[Any, str]] = {
    "digits": ("text to int", "number"),
    "ms": ("milliseconds to date", "date"),
    "code": ({"A": "active", "G": "gone"}, "word"),
    "date": ("date to text", "iso"),
}
VALUES["iso"] = ["1970-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z", "x"]


@dataclass
class Schema:
    """The fields of a version: scalars, and those inside of the document `e` and of the documents in the list `l`."""

    scalars: dict[str, str] = field(default_factory=lambda: dict(FIRST))
    inside: dict[str, dict[str, str]] = field(default_factory=lambda: {"e": dict(INSIDE), "l": dict(INSIDE)})
    outer: dict[str, str] = field(default_factory=lambda: {"e": "e", "l": "l"})


class History:
    """Upcasts, and the model that they lead to."""

    def __init__(self, chance: Random, collection: str) -> None:
        self.chance = chance
        self.schema = Schema()
        self.fresh = 0
        upcasts: list[Upcast] = []
        for to in range(2, 2 + chance.randint(1, 3)):
            upcast = Upcast(to)
            for _ in range(chance.randint(1, 3)):
                upcast = self._with_piece(upcast)
            upcasts.append(upcast)
        self.upcasts = upcasts
        self.model = self._model(collection, upcasts)
        self.settled = self._model(collection, [])

    def _name(self) -> str:
        self.fresh += 1
        # An old name may come back for something else, as long as it is not taken.
        taken = {*self.schema.scalars, *self.schema.outer.values()}
        free = [name for name in FIRST if name not in taken]
        return self.chance.choice(free) if free and self.chance.random() < 0.3 else f"f{self.fresh}"

    def _with_piece(self, upcast: Upcast) -> Upcast:
        schema, chance = self.schema, self.chance
        kind = chance.choice(["rename", "rename", "set", "convert", "convert", "unset", "nested", "outer"])
        scalar = chance.choice(list(schema.scalars))
        if kind == "set" or len(schema.scalars) < 3:
            name, type_ = self._name(), chance.choice(["text", "number", "word"])
            schema.scalars[name] = type_
            return upcast.set_field(name, chance.choice([*VALUES[type_], None]))
        if kind == "rename":
            name = self._name()
            schema.scalars[name] = schema.scalars.pop(scalar)
            return upcast.rename_field(scalar, name)
        if kind == "unset":
            del schema.scalars[scalar]
            return upcast.unset_field(scalar)
        if kind == "convert":
            named = [name for name, type_ in schema.scalars.items() if type_ in CONVERSIONS]
            if named:
                name = chance.choice(named)
                how, schema.scalars[name] = CONVERSIONS[schema.scalars[name]]
                return upcast.convert(name, how)
        key = chance.choice(["e", "l"])
        if kind == "outer":
            name, was = self._name(), schema.outer[key]
            schema.outer[key] = name
            return upcast.rename_field(was, name)
        inner = schema.inside[key]
        old = chance.choice(list(inner))
        name = f"g{self.fresh}"
        self.fresh += 1
        inner[name] = inner.pop(old)
        return upcast.rename_field(f"{schema.outer[key]}.{old}", f"{schema.outer[key]}.{name}")

    def _model(self, collection: str, upcasts: list[Upcast]) -> Any:
        schema = self.schema
        inner = {key: _made("Inner", Embedded, _optional(fields)) for key, fields in schema.inside.items()}
        fields = _optional(schema.scalars)
        fields[schema.outer["e"]] = _or_none(inner["e"])
        items: Any = inner["l"]
        fields[schema.outer["l"]] = _or_none(list[items])
        made: Any = _made(
            "Thing", Document[int], fields, collection=collection, schema_version=len(self.upcasts) + 1, upcasts=upcasts
        )
        return made

    def documents(self, number: int) -> list[Stored]:
        """Return documents of random versions, as they are stored."""
        return [self._document(key) for key in range(number)]

    def _document(self, key: int) -> Stored:
        chance = self.chance
        document: Stored = {"_id": key, **self._some(FIRST)}
        if chance.random() < 0.8:
            document["e"] = chance.choice([self._some(INSIDE), self._some(INSIDE), None])
        if chance.random() < 0.8:
            document["l"] = [self._some(INSIDE) for _ in range(chance.randint(0, 2))]
        for upcast in self.upcasts[: chance.choice([0, 0, chance.randint(0, len(self.upcasts))])]:
            for piece in upcast.pieces:
                document = piece.up(document)
            document["_sv"] = upcast.to
        return decode(encoded(document))

    def _some(self, fields: dict[str, str]) -> Stored:
        chance = self.chance
        return {name: chance.choice([*VALUES[type_], None]) for name, type_ in fields.items() if chance.random() < 0.8}

    def questions(self, model: Any, chance: Random, number: int) -> list[Any]:
        """Return conditions, sort keys, a number to skip and a field for each question; the same for the same chance."""
        asking = Asking(self.schema, model, chance)
        names = list(self.schema.scalars)
        return [
            (asking.condition(), asking.order(), chance.randint(0, 2), getattr(model, chance.choice(names)))
            for _ in range(number)
        ]


@dataclass
class Asking:
    """Random questions about a model of a schema."""

    schema: Schema
    model: Any
    chance: Random

    def condition(self, depth: int = 2) -> Any:
        """Return a random typed condition on the present version."""
        chance = self.chance
        if depth and chance.random() < 0.5:
            one, other = self.condition(depth - 1), self.condition(depth - 1)
            return chance.choice([not_(one), one & other, one | other])
        kind = chance.choice(["scalar", "scalar", "scalar", "inside", "element", "elem"])
        if kind == "scalar":
            name = chance.choice(list(self.schema.scalars))
            return self._test(getattr(self.model, name), self.schema.scalars[name])
        key = "e" if kind == "inside" else "l"
        fields = self.schema.inside[key]
        name, outer = chance.choice(list(fields)), getattr(self.model, self.schema.outer[key])
        reach: Any = some(outer) if key == "e" else any_of(some(outer))
        test = self._test(getattr(reach, name), fields[name])
        return elem(some(outer), test) if kind == "elem" else test

    def _test(self, place: Any, type_: str) -> Any:
        chance = self.chance
        value, other = chance.choice(VALUES[type_]), chance.choice(VALUES[type_])
        tests: list[Callable[[], Any]] = [
            lambda: place == value,
            lambda: place != value,
            lambda: in_(place, [value, other]),
            lambda: not_in(place, [value, None]),
            lambda: is_none(place),
            lambda: exists(place, chance.random() < 0.5),
            lambda: some(place) > value,
            lambda: some(place) <= value,
        ]
        if type_ in {"text", "word", "digits"}:
            tests.append(lambda: starts_with(place, value))
        return chance.choice(tests)()

    def order(self) -> list[Any]:
        """Return random sort keys, the last of them the id."""
        names = self.chance.sample(list(self.schema.scalars), self.chance.randint(0, 2))
        return [*(self.chance.choice([asc, desc])(name) for name in names), "_id"]


def _optional(fields: dict[str, str]) -> dict[str, Any]:
    return {name: _or_none(TYPES.get(type_, str)) for name, type_ in fields.items()}


def _or_none(kind: Any) -> Any:
    return kind | None


def _made(name: str, base: Any, annotations: dict[str, Any], **keywords: Any) -> Any:
    body: dict[str, Any] = {"__annotations__": annotations, "__module__": __name__, **dict.fromkeys(annotations)}
    return type(base)(name, (base,), body, **keywords)
