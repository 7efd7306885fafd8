"""What a class statement may say of versions and shard keys, and what becomes of it."""

from typing import Any, Generic, TypeVar

import pytest
from bson import Regex
from pydantic import Field, create_model

from boundwork import Document, Embedded
from boundwork.models.fixed_fields import FixedFields, fixed_fields
from boundwork.models.mapper import mapper_of
from boundwork.models.tracking import Tracker

T = TypeVar("T")


class Spot(Embedded):
    country: str = Field(alias="c")


class Loaded(Document[str], collection="loads", versioned=True, shard_key=("owner_id", ("spot.country", "hashed"))):
    owner_id: str = Field(default="", alias="owner")
    spot: Spot | None = None
    lines: list[Spot] = []


class Heavy(Loaded):
    weight: int = 0


class Numbered(Document, collection="numbered", versioned="rev"):
    rev: int = Field(default=0, alias="_rev")


class Generally(Document, Generic[T], collection="generally", versioned=True):
    value: T


def _fixed(model: type[Document[Any]]) -> FixedFields:
    found = fixed_fields(model)
    assert found is not None
    return found


def test_a_version_is_a_field_that_pydantic_knows() -> None:
    load: Any = Loaded.model_validate_json('{"id": "a", "version": 3}')
    assert load.version == 3
    assert load.model_dump() == {"id": "a", "owner_id": "", "spot": None, "lines": [], "version": 3}
    assert Loaded.model_json_schema()["properties"]["version"] == {"default": 0, "title": "Version", "type": "integer"}
    assert Loaded(id="a").model_dump()["version"] == 0


def test_names_of_the_class_become_those_of_storage() -> None:
    fixed = _fixed(Loaded)
    assert (fixed.version, fixed.version_path) == ("version", "version")
    assert fixed.shard_key == {"owner": "owner_id", "spot.c": "spot.country"}
    assert _fixed(Numbered).version_path == "_rev"


def test_a_subclass_inherits_both() -> None:
    assert _fixed(Heavy) == _fixed(Loaded)
    assert Heavy(id="a", weight=1).model_dump()["version"] == 0
    assert Generally[int].model_fields["version"].default == 0


def test_a_model_without_either_has_nothing_fixed() -> None:
    class Plain(Document, collection="plain"):
        version: int = 3

    assert fixed_fields(Plain) is None
    assert "__setattr__" not in vars(Plain)
    assert mapper_of(Plain).fixed is None


def test_the_id_in_a_shard_key_is_in_every_filter_anyway() -> None:
    class ById(Document, collection="by_id", shard_key=(("id", "hashed"),)):
        pass

    assert _fixed(ById).shard_key == {}
    assert _fixed(ById).where(1, lambda path: path) == {"_id": 1}


def test_a_version_of_none_is_found_by_nought() -> None:
    stored: dict[str, Any] = {"owner": "o", "spot.c": None, "version": 0}
    assert _fixed(Loaded).where("a", stored.__getitem__) == {
        "_id": "a",
        "owner": "o",
        "spot.c": None,
        "version": {"$in": [0, None]},
    }
    assert _fixed(Loaded).where("a", (stored | {"version": 2}).__getitem__)["version"] == 2


@pytest.mark.parametrize("value", [{"$gt": ""}, Regex("^a")])
def test_a_value_of_the_key_never_becomes_an_operator(value: Any) -> None:
    assert _fixed(Loaded).key({"owner": value, "spot.c": None}.__getitem__)["owner"] == {"$eq": value}


def _declared(version: Any = (int, 0), **keywords: Any) -> None:
    fields: dict[str, Any] = {"owner": str, "spot": Spot | None, "lines": list[Spot], "version": version}
    create_model("Wrong", __base__=Document, __cls_kwargs__={"collection": "wrong", **keywords}, **fields)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("owner", r'shard_key=\("owner",\)'),
        (("ownr",), "Did you mean 'owner'"),
        (("spot.country", "spot.contry"), "Did you mean 'country'"),
        (("lines.country",), "lies in a list"),
        (("lines",), "lies in a list"),
        ((("owner", "hash"),), "hashed"),
        ((("owner", "hashed"), ("id", "hashed")), "one at most is hashed"),
        (("owner", "owner"), "each field once"),
    ],
)
def test_a_shard_key_that_cannot_be_is_refused_with_the_class(key: Any, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        _declared(shard_key=key)


@pytest.mark.parametrize("name", ["id", "two words", "_hidden"])
def test_a_version_that_cannot_be_is_refused_with_the_class(name: str) -> None:
    with pytest.raises(TypeError, match="cannot be the name of a version"):
        _declared(versioned=name)


@pytest.mark.parametrize("version", [(str, ""), (int, 1), int])
def test_a_version_of_ones_own_is_an_integer_from_nought(version: Any) -> None:
    with pytest.raises(TypeError, match="version: int = 0"):
        _declared(version, versioned=True)


def test_another_shard_key_of_the_same_collection_is_refused() -> None:
    with pytest.raises(TypeError, match="already, declared by a parent"):
        create_model("Other", __base__=Loaded, __cls_kwargs__={"shard_key": ("spot.country",)})


def test_another_name_for_the_version_of_a_parent_is_refused() -> None:
    with pytest.raises(TypeError, match="have the version 'rev' already"):
        create_model("Other", __base__=Numbered, __cls_kwargs__={"versioned": "version"})
    again = create_model("Again", __base__=Numbered, __cls_kwargs__={"versioned": True})
    assert "version" not in again.model_fields


def test_fixed_fields_are_free_outside_of_units_and_for_new_documents() -> None:
    tracker = Tracker()
    load: Any = Loaded(id="a", owner="o")
    load.version = load.owner_id = 5
    tracker.unsent = lambda document: document is load
    tracker.attach(load)
    load.version = load.owner_id = 6
    tracker.unsent = lambda _: False
    with pytest.raises(Exception, match="version"):
        load.version = 7
    with pytest.raises(Exception, match="owner_id"):
        load.owner_id = 7
    tracker.close()
    load.version = 7


def test_a_class_with_its_own_way_to_set_attributes_keeps_it() -> None:
    class Loud(Document[str], collection="loud", versioned=True):
        heard: list[str] = []

        def __setattr__(self, name: str, value: Any) -> None:
            self.heard.append(name)
            super().__setattr__(name, value)

    tracker = Tracker()
    loud: Any = Loud(id="a")
    tracker.attach(loud)
    loud.id = "a"
    with pytest.raises(Exception, match="version"):
        loud.version = 1
    assert loud.heard == ["id"]
