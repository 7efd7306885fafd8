"""Indexes name fields as they stand in the class; what is stored is found by them, or the class is refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from pydantic import Field, create_model

from boundwork import (
    Collation,
    CollectionOptions,
    Document,
    Embedded,
    Index,
    TimeSeries,
    UnitOfWork,
    Validation,
    desc,
)
from boundwork.models.structure.declared import DeclaredIndex
from boundwork.models.structure.gathering import declared_structure
from boundwork.models.structure.indexes import declared_index
from boundwork.models.structure.options import Capped


class Part(Embedded):
    code: int = Field(alias="c")


@dataclass
class Size:
    width: int


class Order(Document):
    customer_id: ObjectId
    number: str = Field(default="", serialization_alias="no")
    placed: datetime | None = None
    parts: list[Part] = []
    spare: Part | None = None
    sizes: list[Size] = []
    labels: dict[str, Part] = {}
    anything: Any = None
    paid: bool = False


class Loose(Document, extra="allow"):
    known: int = 0


def declared(*keys: Any, **options: Any) -> DeclaredIndex:
    return declared_index(Order, Index(*keys, **options))


@pytest.mark.parametrize(
    ("keys", "stored", "name"),
    [
        (["customer_id"], [("customer_id", 1)], "customer_id_1"),
        (["customer_id", desc("placed")], [("customer_id", 1), ("placed", -1)], "customer_id_1_placed_-1"),
        (["id"], [("_id", 1)], "_id_1"),
        (["number"], [("no", 1)], "no_1"),
        (["parts.code"], [("parts.c", 1)], "parts.c_1"),
        (["parts.0.code"], [("parts.0.c", 1)], "parts.0.c_1"),
        ([desc("spare.code")], [("spare.c", -1)], "spare.c_-1"),
        (["sizes.width"], [("sizes.width", 1)], "sizes.width_1"),
        (["labels.red.code"], [("labels.red.c", 1)], "labels.red.c_1"),
        (["anything.at.all"], [("anything.at.all", 1)], "anything.at.all_1"),
        ([("anything", "2dsphere")], [("anything", "2dsphere")], "anything_2dsphere"),
        ([("customer_id", "hashed"), "number"], [("customer_id", "hashed"), ("no", 1)], "customer_id_hashed_no_1"),
        (["$**"], [("$**", 1)], "$**_1"),
        (["labels.$**"], [("labels.$**", 1)], "labels.$**_1"),
    ],
)
def test_an_index_has_the_stored_paths_and_the_name_that_mongodb_derives(
    keys: list[Any], stored: list[tuple[str, Any]], name: str
) -> None:
    index = declared(*keys)
    assert index.keys == tuple(stored)
    assert index.name == name
    assert index.specification() == {"key": dict(stored), "name": name}


def test_a_text_index_says_what_the_server_would_fill_in() -> None:
    index = declared("paid", ("number", "text"), ("anything", "text"), weights={"number": 5}, language="german")
    assert index.name == "paid_1_no_text_anything_text"
    assert index.keys == (("paid", 1), ("_fts", "text"))
    assert index.specification() == {
        "key": {"paid": 1, "no": "text", "anything": "text"},
        "name": "paid_1_no_text_anything_text",
        "weights": {"no": 5, "anything": 1},
        "default_language": "german",
        "language_override": "language",
    }


def test_options_of_an_index_are_said_as_the_server_takes_them() -> None:
    index = declared("placed", name="gone", hidden=True, expire_after=timedelta(minutes=2), unique=True)
    assert index.specification() == {
        "key": {"placed": 1},
        "name": "gone",
        "unique": True,
        "hidden": True,
        "expireAfterSeconds": 120,
    }
    assert declared("$**", project={"number": False}).specification()["wildcardProjection"] == {"no": 0}
    assert declared("number", sparse=True, collation=Collation(locale="de", numeric_ordering=True)).collation == {
        "locale": "de",
        "numericOrdering": True,
    }


def unpaid(order: Any) -> Any:
    return order.paid == False  # noqa: E712 - an expression


def of_part(order: Any) -> Any:
    return (order.number > "A") & (order.spare.code == 1)


@pytest.mark.parametrize(
    ("where", "stored"),
    [
        ({"number": {"$gt": "A"}, "paid": True}, {"no": {"$gt": "A"}, "paid": True}),
        ({"$or": [{"paid": True}, {"spare.code": {"$exists": True}}]},
         {"$or": [{"paid": True}, {"spare.c": {"$exists": True}}]}),
        ({"anything": {"$in": [Decimal(1)]}}, {"anything": {"$in": [Decimal128("1")]}}),
        (unpaid, {"paid": {"$eq": False}}),
        (of_part,
         {"no": {"$gt": "A"}, "spare.c": {"$eq": 1}}),
    ],
)  # fmt: skip
def test_the_condition_of_a_partial_index_is_stored_under_the_stored_names(where: Any, stored: dict[str, Any]) -> None:
    assert declared("customer_id", where=where).where == stored


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (Index("custmer_id"), "Did you mean 'customer_id'"),
        (Index("no"), "no field 'no'"),
        (Index("parts.cod"), "Did you mean 'code'"),
        (Index("number.x"), "there is no field 'x' in it"),
        (Index(desc("plced")), "Did you mean 'placed'"),
        (Index(("number", "text"), weights={"paid": 2}), "no text field"),
        (Index("number", where={"numbr": 1}), "Did you mean 'number'"),
        (Index("number", where=lambda order: order.numbr == 1), "Did you mean 'number'"),
        (Index("number", where={"number": {"$ne": 1}}), r"\$ne cannot stand"),
        (Index("number", where={"number": {"$exists": False}}), r"\$exists: False"),
        (Index("number", where={"$nor": [{"number": 1}]}), r"\$nor"),
        (Index("placed", expire_after=timedelta(milliseconds=1)), "whole seconds"),
    ],
)
def test_a_wrong_index_names_the_model_and_the_way_out(index: Index, words: str) -> None:
    with pytest.raises(TypeError, match=words) as caught:
        declared_index(Order, index)
    assert str(caught.value).startswith("Order: Index(")


@pytest.mark.parametrize(
    ("keys", "options", "words"),
    [
        ([], {}, "at least one field"),
        (["a"], {"where": {"a": 1}, "sparse": True}, "partial"),
        (["a", "b"], {"expire_after": 5}, "one field"),
        ([("a", "hashed")], {"unique": True}, "cannot be unique"),
        (["a"], {"weights": {"a": 1}}, "text indexes"),
        ([("a", "fulltext")], {}, "'fulltext' is no kind of index"),
        (["a", "b", desc("a")], {}, "names each field once"),
        ([("a",)], {}, "a plain one as Index"),
        ([("a", 1, 2)], {}, "a plain one as Index"),
    ],
)
def test_wishes_that_exclude_each_other_are_refused_at_once(
    keys: list[Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(TypeError, match=words):
        Index(*keys, **options)


def test_a_model_that_takes_any_field_may_index_any() -> None:
    assert declared_index(Loose, Index("unknown.deep")).keys == (("unknown.deep", 1),)
    with pytest.raises(TypeError, match="cannot be the path"):
        declared_index(Loose, Index("unknown..deep"))


def test_a_class_with_a_wrong_index_is_not_made() -> None:
    with pytest.raises(TypeError, match="Did you mean 'name'"):
        create_model(
            "Wrong",
            __base__=Document,
            __cls_kwargs__={"collection": "wrong", "indexes": [Index("nam")]},
            name=(str, ""),
        )


@pytest.mark.parametrize("keywords", [{"indexes": ["name"]}, {"index": [Index("name")]}])
def test_a_keyword_that_is_wrong_does_not_get_lost(keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"indexes=\[Index|does not take 'index'. Did you mean 'indexes'"):
        create_model("Wrong", __base__=Document, __cls_kwargs__=keywords, name=(str, ""))


def test_a_class_with_forward_references_is_checked_when_it_is_used() -> None:
    class Early(Document, collection="early", indexes=[Index("later.nam")]):
        later: "Later"

    class Later(Embedded):
        name: str

    Early.model_rebuild(_types_namespace={"Later": Later})
    with pytest.raises(TypeError, match="Did you mean 'name'"):
        declared_structure([Early])


class Stamped(Document, indexes=[Index("made")]):
    made: datetime | None = None


class Animal(
    Stamped,
    collection="structure_animals",
    discriminator="kind",
    indexes=[Index("name", unique=True)],
    options=CollectionOptions(collation=Collation(locale="de")),
):
    name: str = ""


class Dog(Animal, indexes=[Index("breed"), Index(("breed", "text"), name="words")]):
    breed: str = ""


class Moved(Animal, collection="structure_moved"):
    pass


def test_a_collection_has_the_indexes_of_all_its_models_and_their_bases() -> None:
    for named in (Animal, Dog):
        (animals,) = declared_structure([named])
        assert [index.name for index in animals.indexes] == ["made_1", "name_1", "breed_1", "words"]
    assert [(one.name, len(one.indexes)) for one in declared_structure([Moved, Dog])] == [
        ("structure_animals", 4),
        ("structure_moved", 2),
    ]


def test_indexes_have_the_collation_of_the_collection_and_text_indexes_none() -> None:
    (animals,) = declared_structure([Animal])
    assert [index.collation for index in animals.indexes] == [{"locale": "de"}] * 3 + [{"locale": "simple"}]


def test_what_declares_no_structure_is_refused() -> None:
    models: list[tuple[Any, str]] = [
        (Order, r"as a list, such as \[Order\]"),
        ([UnitOfWork], "UnitOfWork is none"),
        (["orders"], "str is none"),
        ([None], "NoneType is none"),
    ]
    for given, words in models:
        with pytest.raises(TypeError, match=words):
            declared_structure(given)


def test_declarations_that_contradict_each_other_are_refused() -> None:
    class One(Document, collection="quarrel", indexes=[Index("a")], options=CollectionOptions(change_images=True)):
        a: int

    class Two(Document, collection="quarrel", indexes=[Index("a", unique=True)]):
        a: int

    class Three(Document, collection="quarrel", options=CollectionOptions(validation=Validation())):
        a: int

    with pytest.raises(TypeError, match="two indexes called 'a_1'"):
        declared_structure([One, Two])
    with pytest.raises(TypeError, match="One and Three declare different options"):
        declared_structure([One, Three])
    with pytest.raises(TypeError, match="Order has no collection"):
        declared_structure([Order])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time_series": TimeSeries(time="at"), "validation": Validation()}, "time_series cannot have validation"),
        ({"time_series": TimeSeries(time="at"), "capped": Capped(size=1)}, "time_series cannot have capped"),
        ({"clustered": True, "capped": Capped(size=1)}, "clustered cannot have capped"),
        ({"expire_after": 5}, "Index"),
    ],
)
def test_options_that_the_server_would_refuse_are_refused_in_the_class(options: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        CollectionOptions(**options)


def test_options_become_those_of_the_server() -> None:
    class Reading(
        Document,
        collection="structure_readings",
        options=CollectionOptions(
            time_series=TimeSeries(time="at", meta="sensor", granularity="hours"), expire_after=timedelta(days=1)
        ),
    ):
        at: datetime = Field(serialization_alias="t")
        sensor: str

    class Log(Document, collection="structure_log", options=CollectionOptions(capped=Capped(size=1000, documents=5))):
        pass

    log, readings = declared_structure([Reading, Log])
    assert log.options.arguments() == {"capped": True, "size": 1024, "max": 5}
    assert readings.options.arguments() == {
        "timeseries": {"timeField": "t", "metaField": "sensor", "granularity": "hours"},
        "expireAfterSeconds": 86400,
    }

    class Misspelt(
        Document, collection="structure_misspelt", options=CollectionOptions(time_series=TimeSeries(time="att"))
    ):
        at: datetime

    with pytest.raises(TypeError, match=r"Misspelt: TimeSeries: .* Did you mean 'at'"):
        declared_structure([Misspelt])
