"""Fields asked for on the class of a Document."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Decimal128, ObjectId
from pydantic import Field

from boundwork.models import Document, Embedded
from boundwork.models.expressions import FieldExpression, any_of, compile_filter, compile_sort, desc, in_, some


class Tag(Embedded):
    id: int
    label: str = Field(default="", alias="l")


class Post(Document, collection="posts"):
    title: str
    price: Decimal = Decimal(0)
    published: datetime | None = None
    tags: list[Tag] = []
    first: Tag | None = None
    meta: dict[str, Any] = {}
    path: str = ""


class Note(Post):
    text: str = "plain"


class Author(Document[UUID], collection="authors"):
    name: str = Field(default="", serialization_alias="n")


def test_the_id_of_a_document_is_stored_as_underscore_id() -> None:
    key = ObjectId()
    assert compile_filter(Post, Post.id == key) == {"_id": {"$eq": key}}
    assert compile_filter(Author, in_(Author.id, [UUID(int=1)])) == {"_id": {"$in": [Binary.from_uuid(UUID(int=1))]}}
    assert compile_sort(Post, desc(Post.id)) == (("_id", -1),)


def test_the_id_of_an_embedded_model_keeps_its_name() -> None:
    assert compile_filter(Post, any_of(Post.tags).id == 1, some(Post.first).id == 1) == {
        "tags.id": {"$eq": 1},
        "first.id": {"$eq": 1},
    }


def test_values_are_stored_as_documents_store_them() -> None:
    moment = datetime(2024, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert compile_filter(
        Post, Post.price > Decimal("1.5"), Post.published == moment, Post.first == Tag(id=1, l="x")
    ) == {
        "price": {"$gt": Decimal128("1.5")},
        "published": {"$eq": moment.replace(microsecond=123000)},
        "first": {"$eq": {"id": 1, "l": "x"}},
    }


def test_fields_that_can_be_changed_in_place_are_expressions_on_the_class_too() -> None:
    for field in (Post.title, Post.tags, Post.meta, Post.first, Author.name):
        assert isinstance(field, FieldExpression)


def test_a_subclass_asks_for_the_fields_of_its_parent_and_keeps_its_defaults() -> None:
    assert compile_filter(Note, Note.title == "x", Note.text == "y", Post.path == "z") == {
        "title": {"$eq": "x"},
        "text": {"$eq": "y"},
        "path": {"$eq": "z"},
    }
    assert Note(title="x").model_dump(exclude={"id"}) == {
        "title": "x",
        "price": Decimal(0),
        "published": None,
        "tags": [],
        "first": None,
        "meta": {},
        "path": "",
        "text": "plain",
    }


def test_a_misspelt_field_of_a_document_is_an_attribute_error() -> None:
    misspelt = "titel"
    with pytest.raises(AttributeError, match=misspelt):
        getattr(Post, misspelt)


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        _ = some(Post.published) > datetime(2024, 1, 1)  # noqa: DTZ001 - the mistake itself


def test_the_repr_names_the_class_that_was_asked() -> None:
    assert repr(Note.title) == "<FieldExpression Note.title>"
