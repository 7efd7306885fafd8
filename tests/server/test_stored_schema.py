"""The validator made of a model takes every document of the model, and refuses those with one thing wrong."""

import os
import re
import unicodedata
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError, create_model
from pymongo import MongoClient
from pymongo.errors import WriteError

from boundwork import Document
from boundwork.models.mapper import mapper_of
from boundwork.models.stored_schema import stored_schema
from boundwork.models.stored_schema.patterns import carried
from tests.properties.models.test_round_trips import CASES, MODELS
from tests.server.stored_models import SCALARS, Kind, documents, spoiled, values_of

EXAMPLES = 700 if os.environ.get("BOUNDWORK_LONG") else 50
INSTANCES = 3
INVALID = 121
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


def is_taken(collection: Any, document: dict[str, Any]) -> bool:
    """Say whether the server takes a document; any other refusal than that of the validator is raised."""
    try:
        collection.insert_one(dict(document))
    except WriteError as error:
        if error.code != INVALID:
            raise
        return False
    return True


@pytest.mark.parametrize("kind", SCALARS, ids=lambda kind: str(kind.annotation)[:60])
def test_the_server_refuses_each_wrong_value_and_takes_the_right_ones(
    kind: Kind, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    fields: dict[str, Any] = {"f": (kind.annotation, ...)}
    model: Any = create_model("Made", __base__=Document[int], __cls_kwargs__={"collection": "made"}, **fields)
    database: Any = mongod_client[database_name]
    made: Any = database.create_collection("made", validator={"$jsonSchema": stored_schema(model).schema})

    @settings(max_examples=8, deadline=None, database=None)
    @given(kind.values)
    def check(value: Any) -> None:
        made.delete_many({})
        assert is_taken(made, mapper_of(model).encode(model(id=1, f=value)))

    check()
    assert [wrong for wrong in kind.wrong if is_taken(made, {"_id": 2, "f": wrong})] == []


@pytest.mark.parametrize("name", CASES)
def test_the_server_takes_every_kind_of_value_that_can_be_stored(
    name: str, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    database: Any = mongod_client[database_name]
    made: Any = database.create_collection("made", validator={"$jsonSchema": stored_schema(MODELS[name]).schema})

    @settings(max_examples=8, deadline=None, database=None)
    @given(CASES[name][1])
    def check(value: Any) -> None:
        made.delete_many({})
        assert is_taken(made, mapper_of(MODELS[name]).encode(MODELS[name](id=1, value=value)))

    check()


def test_the_server_takes_every_document_of_a_model_and_none_with_one_thing_wrong(
    mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    database: Any = mongod_client[database_name]
    count = 0

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=SLOW)
    @given(documents(), st.data())
    def check(made: Any, data: st.DataObject) -> None:
        nonlocal count
        model, parts, forbids = made
        schema = stored_schema(model).schema
        database.drop_collection("made")
        made_with: Any = database.create_collection("made", validator={"$jsonSchema": schema})
        for number in range(INSTANCES):
            document = model(id=number, **data.draw(values_of(parts)))
            stored = mapper_of(model).encode(document)
            assert is_taken(made_with, stored), (schema, stored)
            wrong = {**spoiled(data.draw, parts, stored, forbids=forbids), "_id": number + INSTANCES}
            assert not is_taken(made_with, wrong), (schema, wrong)
            count += 1

    check()
    assert count >= EXAMPLES * INSTANCES


PATTERNS = [
    r"^[a-z]+$", r"^\w+$", r"\d\d", r"^\S+@\S+\.\w{2,3}$", r"^\s*$", r"^\W$", r"^\D$", r"^[^\w]$", r"^[^\s]$", r"^.$",
    r"^(?:ab|c)*?$", r"^[\w.-]+$", r"a|^b$", r"^\x41\u00e9$", r"^[^a]$",
    r"^[\d\s]{1,2}$", r"\A\+?[0-9]{1,3}\z", r"^#/~ =&%$",
]  # fmt: skip
WORDS = st.text("aAbc1é\u0661²½_-.@ \t\n\r\x0b\x1c\x85\u00a0\u200d\u2028\u3000\0\U0001f600ⓐⅣß\u0301", max_size=4)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_was_carried_over_takes_the_same_text_on_the_server(
    pattern: str, mongod_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    adapter: TypeAdapter[str] = TypeAdapter(Annotated[str, Field(pattern=pattern)])
    database: Any = mongod_client[database_name]
    condition = {"$jsonSchema": {"properties": {"text": {"pattern": carried(pattern)}}}}

    @settings(max_examples=5, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.lists(WORDS | st.from_regex(re.compile(pattern.replace(r"\z", r"\Z"))), min_size=20, max_size=60))
    def check(texts: list[str]) -> None:
        database.texts.delete_many({})
        database.texts.insert_many([{"_id": number, "text": text} for number, text in enumerate(texts)])
        taken = {document["_id"] for document in database.texts.find(condition)}
        for number, text in enumerate(texts):
            try:
                adapter.validate_python(text)
            except ValidationError:
                assert number not in taken or _is_new(text), text
            else:
                assert number in taken, text

    check()


def _is_new(text: str) -> bool:
    """Say whether a text has a character that the older tables of the server may not know."""
    return any(unicodedata.category(char) in {"Cn", "Co"} or ord(char) > 0xFFFF for char in text)
