"""What the server is told about models, and what it cannot be told."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, Flag
from typing import Annotated, Any, Literal, NotRequired
from uuid import UUID

import pytest
from bson import Decimal128
from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    HttpUrl,
    PastDate,
    PlainValidator,
    RootModel,
    SecretStr,
    create_model,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from boundwork import Document, Embedded, stored_schema
from boundwork.models import StorePlain


def of(annotation: Any, **config: Any) -> tuple[Any, list[str]]:
    """Return the schema of one field, and the reasons for what is missing in it."""
    fields: dict[str, Any] = {"field": (annotation, ...)}
    made = stored_schema(create_model("Made", __base__=Embedded, __cls_kwargs__=config, **fields))
    assert {note.path.partition("[")[0].partition("{")[0] for note in made.not_expressed} <= {"Made.field"}
    return made.schema.get("properties", {}).get("field", {}), [note.reason for note in made.not_expressed]


class Tree(Embedded):
    leaf: int
    below: "list[Tree]" = []


class Twigs(RootModel[list["Twigs"]]):
    pass


class Sizes(Enum):
    ONE = 1
    TWO = 2


class Access(Flag):
    READ = 1
    WRITE = 2


@dataclass
class Weight:
    grams: Decimal
    note: str = ""


class Extent(TypedDict):
    width: int
    depth: NotRequired[int]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Any, {}),
        (str | None, {"bsonType": ["null", "string"]}),
        (float, {"bsonType": ["double", "int", "long"]}),
        (Annotated[int, Field(gt=0, le=9)],
         {"bsonType": ["int", "long"], "minimum": 0, "exclusiveMinimum": True, "maximum": 9}),
        (Annotated[int, Field(le=2**70)], {"bsonType": ["int", "long"], "maximum": float("inf")}),
        (Annotated[Decimal, Field(ge=0.1, max_digits=4, decimal_places=2)],
         {"bsonType": "decimal", "minimum": Decimal128("0.1"), "multipleOf": Decimal128("0.01"),
          "maximum": Decimal128("1E+2"), "exclusiveMaximum": True}),
        (Annotated[str, Field(max_length=3), Field(max_length=5)], {"bsonType": "string", "maxLength": 5}),
        (Annotated[SecretStr, StorePlain(), Field(min_length=2)], {"bsonType": "string", "minLength": 2}),
        (Sizes, {"bsonType": ["int", "long"], "enum": [1, 2]}),
        (Literal[1, True, Sizes.ONE], {"bsonType": ["bool", "int", "long"], "enum": [1, True]}),
        (Literal["a"] | None, {"bsonType": ["null", "string"], "enum": ["a", None]}),
        (list[Any], {"bsonType": "array"}),
        (Annotated[dict[str, int], Field(min_length=1)],
         {"bsonType": "object", "additionalProperties": {"bsonType": ["int", "long"]}, "minProperties": 1}),
        (int | str, {"anyOf": [{"bsonType": ["int", "long"]}, {"bsonType": "string"}]}),
        (int | Any, {}),
    ],
)  # fmt: skip
def test_an_annotation_becomes_the_schema_of_its_stored_form(annotation: Any, expected: Any) -> None:
    assert of(annotation) == (expected, [])


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (UUID, "subtype"),
        (HttpUrl, "HttpUrl"),
        (PastDate, "past"),
        (Annotated[date, Field(ge=date(2024, 1, 1))], "ge does not apply"),
        (Annotated[bytes, Field(max_length=3)], "max_length does not apply"),
        (Annotated[float, Field(multiple_of=0.1)], "multiple_of"),
        (Annotated[str, AfterValidator(str.strip)], "validator in Python"),
        (Annotated[str, PlainValidator(str)], "decided in Python"),
        (Annotated[str, Field(pattern=re.compile("a"))], "one of Python's"),
        (Annotated[str, Field(pattern=r"\bx")], r"\b"),
        (Annotated[Decimal, Field(max_digits=3)], "max_digits in total"),
        (set[float], "twice"),
        (dict[int, int], "keys are those of int"),
        (Access, "flags"),
    ],
)  # fmt: skip
def test_what_the_server_cannot_check_is_listed(annotation: Any, words: str) -> None:
    _, reasons = of(annotation)
    assert len(reasons) == 1
    assert words in reasons[0]


def test_settings_of_the_model_are_rules_for_its_text() -> None:
    assert of(list[str], str_max_length=3)[0]["items"] == {"bsonType": "string", "maxLength": 3}
    assert of(Annotated[str, Field(max_length=9)], str_max_length=3)[0] == {"bsonType": "string", "maxLength": 9}


def test_a_field_is_demanded_under_its_stored_name_if_python_demands_it() -> None:
    class Named(Embedded):
        first: int = Field(alias="eins")
        second: int = 0

    assert stored_schema(Named).schema == {
        "bsonType": "object",
        "required": ["eins"],
        "properties": {"eins": {"bsonType": ["int", "long"]}, "second": {"bsonType": ["int", "long"]}},
    }


def test_unknown_fields_are_refused_only_where_the_model_forbids_them() -> None:
    class Closed(Document[int], collection="c", extra="forbid"):
        anything: Any = None

    assert stored_schema(Closed).schema == {
        "bsonType": "object",
        "required": ["_id"],
        "properties": {"_id": {"bsonType": ["int", "long"]}, "anything": {}, "_boundwork_lock": {}},
        "additionalProperties": False,
    }


def test_dataclasses_and_typed_dicts_demand_what_they_demand_in_python() -> None:
    assert of(Weight)[0]["required"] == ["grams"]
    assert of(Extent)[0]["required"] == ["width"]


def test_a_model_that_refers_to_itself_is_unfolded_to_a_depth_that_is_listed() -> None:
    made = stored_schema(Tree)
    depth, part = 0, made.schema
    while "properties" in part:
        depth, part = depth + 1, part["properties"]["below"]["items"]
    assert (depth, part) == (4, {"bsonType": "object"})
    assert [note.path for note in made.not_expressed] == ["Tree.below[].below[].below[].below[]"]
    assert stored_schema(Twigs).schema["bsonType"] == "array"


@pytest.mark.parametrize("keys", [Literal[""], Literal["a", "a.b"], Literal["$a"]])
def test_a_key_that_the_server_would_misread_stays_out_of_the_schema(keys: Any) -> None:
    assert of(dict[Literal["a", "b"], int])[0]["additionalProperties"] is False
    schema, reasons = of(dict[keys, int])
    assert "properties" not in schema
    assert "keys" in reasons[0]


def test_the_members_of_a_tagged_union_are_told_apart_by_the_tag() -> None:
    class Cat(Embedded):
        kind: Literal["cat"] = "cat"

    class Dog(Embedded):
        kind: Literal["dog"] = "dog"

    schema, reasons = of(Annotated[Cat | Dog | None, Discriminator("kind")])
    assert [part.get("required") for part in schema["anyOf"]] == [["kind"], ["kind"], None]
    assert reasons == []


def test_validators_of_fields_and_models_are_listed_and_those_around_a_field_hide_it() -> None:
    class Checked(BaseModel):
        after: int
        around: int

        @field_validator("after")
        @classmethod
        def _after(cls, value: int) -> int:
            return value

        @field_validator("around", mode="wrap")
        @classmethod
        def _around(cls, value: Any, handler: Any) -> int:
            return int(handler(value))

        @model_validator(mode="after")
        def _whole(self) -> "Checked":
            return self

    made = stored_schema(Checked)
    assert made.schema["properties"] == {"after": {"bsonType": ["int", "long"]}}
    assert made.schema["required"] == ["after", "around"]
    assert [note.path for note in made.not_expressed] == ["Checked", "Checked.after", "Checked.around"]


class Payment(Document[int], collection="structure_payments", discriminator="kind"):
    amount: int


class Card(Payment):
    kind: Literal["card"] = "card"


class Cash(Payment):
    kind: Literal["cash", "coins"] = "cash"


class Event(Document[int], collection="structure_events", discriminator="kind"):
    kind: Any


class Opened(Event):
    kind: Literal["opened"] = "opened"
    by: str


def test_a_family_is_told_apart_by_its_discriminator_whichever_model_was_asked_for() -> None:
    for model in (Payment, Card):
        parts = stored_schema(model).schema["anyOf"]
        assert [part["properties"]["kind"]["enum"] for part in parts] == [["card"], ["cash", "coins"]]
        assert all("kind" in part["required"] for part in parts)


def test_a_base_that_takes_any_kind_leaves_those_of_its_subclasses_to_them() -> None:
    base, opened = stored_schema(Event).schema["anyOf"]
    assert base["not"] == {"required": ["kind"], "properties": {"kind": {"enum": ["opened"]}}}
    assert "by" in opened["required"]


def test_models_that_nothing_tells_apart_are_listed() -> None:
    class One(Document, collection="shared"):
        a: int

    class Two(Document, collection="shared"):
        b: int

    made = stored_schema(One, Two)
    assert len(made.schema["anyOf"]) == 2
    assert {note.path for note in made.not_expressed} == {"One", "Two"}
