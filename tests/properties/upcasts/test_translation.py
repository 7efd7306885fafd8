"""A translated filter or sort says of an old document what the given one says of its upcast, for any filter and document."""

import os
from collections.abc import Callable
from random import Random
from typing import Any, get_args

from bson import MinKey, Regex
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from boundwork import Upcast
from boundwork.models.bson_types import MISSING
from boundwork.models.upcasts.conversions import Named, conversion
from boundwork.models.upcasts.lineage import Lineage
from boundwork.models.upcasts.pieces import Unfit
from boundwork.uow.failures import SessionFailure
from boundwork.uow.sessions.memory.encoding import as_stored, decode
from boundwork.uow.sessions.memory.matching import compile_filter
from boundwork.uow.sessions.memory.ordering import order_key
from boundwork.uow.sessions.memory.paths import elements_along, split
from boundwork.uow.upcasting.documents import encoded
from boundwork.uow.upcasting.filters import translated
from boundwork.uow.upcasting.places import Untranslatable
from boundwork.uow.upcasting.portions import filtered, places, portions
from tests.unit.upcasts.test_conversions import SCALARS

EXAMPLES = 20_000 if os.environ.get("BOUNDWORK_LONG") else 800
Stored = dict[str, Any]
NAMES = ["a", "b", "c"]
PATHS = ["a", "b", "c", "a", "b", "c", "a.a", "a.b", "b.a", "b.b", "c.a", "c.b.a", "_id"]
PIECES: list[Callable[[Upcast], Upcast]] = [
    lambda upcast: upcast.rename_field("a", "b"),
    lambda upcast: upcast.rename_field("c", "a"),
    lambda upcast: upcast.rename_field("a.a", "a.b"),
    lambda upcast: upcast.rename_field("c.b.a", "c.b.b"),
    lambda upcast: upcast.unset_field("b"),
    lambda upcast: upcast.unset_field("c.a"),
    lambda upcast: upcast.set_field("b", 1),
    lambda upcast: upcast.set_field("c", None),
    lambda upcast: upcast.set_field("a", [{"a": 1}, {"b": "a"}]),
    lambda upcast: upcast.convert("a", "text to int"),
    lambda upcast: upcast.convert("b", "int to text"),
    lambda upcast: upcast.convert("a", "text to date"),
    lambda upcast: upcast.convert("a", "date to text"),
    lambda upcast: upcast.convert("b", "date to milliseconds"),
    lambda upcast: upcast.convert("b", "milliseconds to date"),
    lambda upcast: upcast.convert("c", "text to object id"),
    lambda upcast: upcast.convert("a", "object id to text"),
    lambda upcast: upcast.convert("a", {"a": "b", 1: "7"}),
]
lightly = settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate])


def become(value: Any) -> list[Any]:
    """Return what a value is converted to."""
    made = [conversion(how) for how in get_args(Named)]
    return [now for one in made if one.takes(value) and (now := one.up(value)) is not MISSING]


class Chance:
    """What a seed decides."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.choice: Callable[[Any], Any] = self.random.choice
        pool = self.random.sample(SCALARS, 2)  # few, so that a filter often seeks what a document has
        self.scalars = [*pool, *(now for value in pool for now in become(value))]

    def value(self, depth: int = 2) -> Any:
        kind = self.random.random()
        if depth and kind < 0.25:
            return self.document(depth - 1)
        if depth and kind < 0.4:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 2))]
        return self.choice(self.scalars)

    def document(self, depth: int = 2) -> Stored:
        return {name: self.value(depth) for name in NAMES if self.random.random() < 0.6}

    def lineage(self) -> Lineage:
        upcasts: list[Upcast] = []
        for to in range(2, 2 + self.random.randint(1, 2)):
            upcast = Upcast(to)
            for _ in range(self.random.randint(1, 2)):
                upcast = self.choice(PIECES)(upcast)
            upcasts.append(upcast)
        return Lineage(len(upcasts) + 1, tuple(upcasts))

    def filter(self, depth: int = 2) -> Stored:
        kind = self.random.random()
        if depth and kind < 0.3:
            return {self.choice(["$and", "$or", "$nor"]): [self.filter(depth - 1) for _ in range(2)]}
        return {path: self.test() for path in self.random.sample(PATHS, self.random.choice([1, 1, 2]))}

    def test(self, depth: int = 1) -> Any:
        value = self.choice(self.scalars)
        kind = self.random.randint(0, 13)
        if kind == 0:
            return self.choice([self.value(1), Regex("a|7")])
        if kind == 1 and depth:
            return {"$not": self.operators(depth - 1)}
        if kind == 2 and depth:
            return {"$elemMatch": self.choice([self.filter(0), self.operators(depth - 1)])}
        if kind == 3:
            return {"$gt": value, "$lte": self.choice(self.scalars)}
        return self.operators(depth)

    def operators(self, _: int = 0) -> Stored:
        value = self.choice([*self.scalars, *self.scalars, MinKey(), self.value(1)])
        name = self.choice(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$all", "$exists", "$type", "$size", "$regex", "$mod"])  # fmt: skip
        special = {
            "$exists": self.choice([True, False]),
            "$type": "string",
            "$size": 1,
            "$regex": "a|7",
            "$mod": [2, 1],
        }
        if name in special:
            return {name: special[name]}
        return {name: [value, self.choice(self.scalars)] if name in {"$in", "$nin", "$all"} else value}


def old_and_new(chance: Chance, lineage: Lineage) -> tuple[int, Stored, Stored] | None:
    """Return a version, a document of it and its upcast; None where the document cannot be upcast."""
    old = as_stored({"_id": 1, **chance.document()})
    version = chance.choice(lineage.old)
    try:
        return version, old, decode(encoded(lineage.brought(old, version)))
    except Unfit:
        return None


@lightly
@given(seed=st.integers(0, 2**40))
def test_an_old_document_meets_the_translated_filter_if_its_upcast_meets_the_filter(seed: int) -> None:
    chance = Chance(seed)
    lineage, condition = chance.lineage(), as_stored(chance.filter())
    pair = old_and_new(chance, lineage)
    try:
        wanted = pair is not None and compile_filter(condition)(pair[2])
        if pair is None:
            return
        found = compile_filter(translated(condition, lineage.since(pair[0])))(pair[1])
    except (Untranslatable, SessionFailure):
        return
    assert found == wanted, (lineage, condition, pair)


@lightly
@given(seed=st.integers(0, 2**40))
def test_one_filter_serves_documents_of_all_versions(seed: int) -> None:
    chance = Chance(seed)
    lineage, condition = chance.lineage(), as_stored(chance.filter())
    pair = old_and_new(chance, lineage)
    if pair is None:
        return
    version, old, new = pair
    try:
        whole = compile_filter(filtered(condition, lineage))
        wanted = compile_filter(condition)(new)
    except (Untranslatable, SessionFailure):
        return
    assert whole({**old, "_sv": version} if version > 1 else old) == wanted
    assert whole({**new, "_sv": lineage.version}) == wanted


@lightly
@given(seed=st.integers(0, 2**40))
def test_the_values_of_a_path_are_where_its_places_say(seed: int) -> None:
    chance = Chance(seed)
    lineage, path = chance.lineage(), chance.choice(PATHS)
    pair = old_and_new(chance, lineage)
    if pair is None:
        return
    version, old, new = pair
    try:
        found = [place for place in places(path, lineage.since(version)) if compile_filter(place.condition)(old)]
    except Untranslatable:
        return
    assert len(found) == 1
    values = list(elements_along(old, split(found[0].path))) if found[0].path else list(found[0].values)
    if isinstance(old.get(path), list) and found[0].conversions:
        return  # it was not converted, nor could it be
    for one in found[0].conversions:
        values = [one.up(value) if one.takes(value) else value for value in values]
    assert sorted(map(order_key, values)) == sorted(map(order_key, elements_along(new, split(path))))


@lightly
@given(seed=st.integers(0, 2**40))
def test_each_document_is_in_one_portion_of_a_sort(seed: int) -> None:
    chance = Chance(seed)
    lineage, path = chance.lineage(), chance.choice(PATHS)
    pair = old_and_new(chance, lineage)
    if pair is None:
        return
    version, old, new = pair
    try:
        parts = portions({}, ((path, 1), ("_id", 1)), lineage)
    except Untranslatable:
        return
    stored = {**old, "_sv": version} if version > 1 else old
    for document in (stored, {**new, "_sv": lineage.version}):
        assert sum(compile_filter(part.condition)(document) for part in parts) == 1
