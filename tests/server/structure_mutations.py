"""A structure of every kind, and all single mutations of it, made by code: what `check` must find, each by its path."""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from boundwork.models.kinds import is_mapping

Options = dict[str, Any]


@dataclass(slots=True)
class Made:
    """What a collection or a view is made of: options of `create`, and indexes."""

    options: Options
    indexes: list[Options] = field(default_factory=list[Options])


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of one thing; `path` is how the difference that it makes must begin."""

    title: str
    collection: str
    path: str
    made: Made | None


SCHEMA: Options = {
    "bsonType": "object",
    "required": ["number", "state"],
    "properties": {
        "number": {"bsonType": ["int", "long"], "minimum": 1},
        "state": {"enum": ["new", "paid"]},
        "title": {"bsonType": "string", "minLength": 1, "maxLength": 80, "pattern": "^[a-z]"},
        "lines": {"bsonType": "array", "items": {"bsonType": "object", "required": ["count"]}, "maxItems": 9},
    },
}
FRENCH = {"locale": "fr", "strength": 2}
BASE: dict[str, Made] = {
    "orders": Made(
        {"validator": {"$jsonSchema": SCHEMA}, "validationLevel": "moderate", "validationAction": "warn"},
        [
            {"key": {"number": 1}, "name": "number_1", "unique": True},
            {"key": {"customer": 1, "placed": -1}, "name": "customer_1_placed_-1"},
            {"key": {"mail": 1}, "name": "mail", "sparse": True},
            {"key": {"seen": 1}, "name": "seen_1", "expireAfterSeconds": 60},
            {"key": {"state": 1}, "name": "open", "partialFilterExpression": {"state": "new"}},
            {"key": {"title": "text"}, "name": "words", "weights": {"title": 4}, "default_language": "german"},
            {"key": {"place": "2dsphere"}, "name": "place_2dsphere"},
            {"key": {"attributes.$**": 1}, "name": "attributes"},
            {"key": {"shard": "hashed"}, "name": "shard_hashed", "hidden": True},
            {"key": {"city": 1}, "name": "city_1", "collation": FRENCH},
            {"key": {"$**": 1}, "name": "all", "wildcardProjection": {"a": 1}},
        ],
    ),
    "logs": Made({"capped": True, "size": 4096, "max": 50}),
    "images": Made({"changeStreamPreAndPostImages": {"enabled": True}, "collation": FRENCH}, []),
    "points": Made(
        {"timeseries": {"timeField": "at", "metaField": "of", "granularity": "seconds"}, "expireAfterSeconds": 90}
    ),
    "tree": Made({"clusteredIndex": {"key": {"_id": 1}, "unique": True}}),
    "open_orders": Made({"viewOn": "orders", "pipeline": [{"$match": {"state": "new"}}, {"$project": {"title": 1}}]}),
}
OF_INDEXES: dict[str, list[Callable[[Options], object]]] = {
    "number_1": [
        lambda index: index.pop("unique"),
        lambda index: index.update(sparse=True),
        lambda index: index.update(hidden=True),
        lambda index: index.update(key={"number": -1}),
        lambda index: index.update(partialFilterExpression={"number": {"$gt": 0}}),
    ],
    "customer_1_placed_-1": [
        lambda index: index.update(key={"placed": -1, "customer": 1}),
        lambda index: index.update(key={"customer": 1, "placed": 1}),
        lambda index: index.update(key={"customer": 1}),
        lambda index: index.update(unique=True),
        lambda index: index.update(collation={"locale": "de"}),
    ],
    "mail": [lambda index: index.pop("sparse"), lambda index: index.update(unique=True)],
    "seen_1": [lambda index: index.update(expireAfterSeconds=61), lambda index: index.pop("expireAfterSeconds")],
    "open": [
        lambda index: index.update(partialFilterExpression={"state": "paid"}),
        lambda index: index.pop("partialFilterExpression"),
    ],
    "words": [
        lambda index: index.update(weights={"title": 5}),
        lambda index: index.update(default_language="english"),
        lambda index: index.update(language_override="tongue"),
        lambda index: index.update(key={"title": "text", "notes": "text"}),
    ],
    "place_2dsphere": [lambda index: index.update(key={"place": "2d"}), lambda index: index.update(sparse=True)],
    "attributes": [lambda index: index.update(hidden=True), lambda index: index.update(key={"attributes": 1})],
    "shard_hashed": [lambda index: index.pop("hidden"), lambda index: index.update(key={"shard": 1})],
    "city_1": [
        lambda index: index.pop("collation"),
        lambda index: index.update(collation={"locale": "fr", "strength": 1}),
        lambda index: index.update(collation={"locale": "de", "strength": 2}),
    ],
    "all": [
        lambda index: index.update(wildcardProjection={"a": 1, "b": 1}),
        lambda index: index.pop("wildcardProjection"),
    ],
}
OF_OPTIONS: dict[str, list[tuple[str, Callable[[Options], object]]]] = {
    "logs": [
        ("options.size", lambda options: options.update(size=8192)),
        ("options.max", lambda options: options.update(max=51)),
        ("options.max", lambda options: options.pop("max")),
        ("options", lambda options: options.clear()),
    ],
    "images": [
        ("options.changeStream", lambda options: options.pop("changeStreamPreAndPostImages")),
        ("options.collation", lambda options: options.pop("collation")),
        ("options.collation", lambda options: options.update(collation={"locale": "fr", "strength": 3})),
    ],
    "points": [
        ("options.expireAfterSeconds", lambda options: options.update(expireAfterSeconds=91)),
        ("options.expireAfterSeconds", lambda options: options.pop("expireAfterSeconds")),
        ("options.timeseries", lambda options: options["timeseries"].update(granularity="hours")),
        ("options.timeseries", lambda options: options["timeseries"].update(metaField="who")),
        ("options.timeseries", lambda options: options["timeseries"].pop("metaField")),
        ("type", lambda options: options.clear()),
    ],
    "tree": [
        ("options.clusteredIndex", lambda options: options.clear()),
        ("options.expireAfterSeconds", lambda options: options.update(expireAfterSeconds=70)),
    ],
    "open_orders": [
        ("viewOn", lambda options: options.update(viewOn="logs")),
        ("pipeline", lambda options: options["pipeline"].pop()),
        ("pipeline", lambda options: options["pipeline"].reverse()),
        ("pipeline", lambda options: options["pipeline"][0]["$match"].update(state="paid")),
        ("collation", lambda options: options.update(collation={"locale": "fr"})),
    ],
    "orders": [
        ("options.validationLevel", lambda options: options.update(validationLevel="strict")),
        ("options.validationAction", lambda options: options.update(validationAction="error")),
        ("options.validator", lambda options: [options.pop(word) for word in list(options)]),
        ("options.changeStream", lambda options: options.update(changeStreamPreAndPostImages={"enabled": True})),
    ],
}


def mutations() -> Iterator[Mutation]:
    """Yield every mutation of the base, each on its own."""
    yield from _of_collections()
    for index in BASE["orders"].indexes:
        name = index["name"]
        yield _without(name)
        yield _changed_index(name, lambda one: one.update(name=f"{one['name']}_b"), "renamed")
        for number, mutate in enumerate(OF_INDEXES[name]):
            yield _changed_index(name, mutate, f"changed {number}")
    yield _added("orders", {"key": {"extra": 1}, "name": "extra_1"})
    yield _added("images", {"key": {"extra": 1}, "name": "extra_1"})
    for collection, changes in OF_OPTIONS.items():
        for number, (path, mutate) in enumerate(changes):
            made = copy.deepcopy(BASE[collection])
            mutate(made.options)
            yield Mutation(f"{collection} {path} {number}", collection, f"{collection}.{path}", made)
    yield from _of_validator()


def _of_collections() -> Iterator[Mutation]:
    for name in BASE:
        yield Mutation(f"without {name}", name, name, None)
    yield Mutation("with a collection", "more", "more", Made({}))
    yield Mutation("with a view", "seen", "seen", Made({"viewOn": "orders", "pipeline": []}))


def _without(name: str) -> Mutation:
    made = copy.deepcopy(BASE["orders"])
    made.indexes = [index for index in made.indexes if index["name"] != name]
    return Mutation(f"index {name} dropped", "orders", f"orders.indexes.{name}", made)


def _changed_index(name: str, mutate: Callable[[Options], object], title: str) -> Mutation:
    made = copy.deepcopy(BASE["orders"])
    (index,) = (index for index in made.indexes if index["name"] == name)
    mutate(index)
    return Mutation(f"index {name} {title}", "orders", f"orders.indexes.{name}", made)


def _added(collection: str, index: Options) -> Mutation:
    made = copy.deepcopy(BASE[collection])
    made.indexes.append(index)
    return Mutation(f"index of {collection} added", collection, f"{collection}.indexes.{index['name']}", made)


def _of_validator() -> Iterator[Mutation]:
    """Yield mutations of each word of the schema, at every depth: taken away, and replaced by another value."""
    for path in list(_paths(SCHEMA)):
        for kind in ("without", "with another"):
            made = copy.deepcopy(BASE["orders"])
            place: Any = made.options["validator"]["$jsonSchema"]
            for word in path[:-1]:
                place = place[word]
            if kind == "without":
                del place[path[-1]]
            elif (other := _other(place[path[-1]])) is not None:
                place[path[-1]] = other
            else:
                continue
            shown = ".".join(path)
            yield Mutation(f"schema {kind} {shown}", "orders", f"orders.options.validator.$jsonSchema.{shown}", made)


def _paths(schema: Mapping[str, Any], before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for word, value in schema.items():
        yield (*before, word)
        if is_mapping(value):
            yield from _paths(value, (*before, word))


def _other(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return ["int"] if "int" in value else [*value, "other"]
    return (
        {"object": "double", "array": "object", "string": "int", "^[a-z]": "^[A-Z]"}.get(value)
        if isinstance(value, str)
        else None
    )
