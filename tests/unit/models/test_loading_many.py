"""A large result is loaded without a call for each part of a document, and gives what loading one by one gives."""

import enum
from typing import Any

import pytest
from pydantic import ModelWrapValidatorHandler, model_validator

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded
from boundwork.models.mapper import mapper_of
from boundwork.models.slots import SharedNames
from tests.unit.models.documents import load, stored


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Item(Embedded):
    kind: str
    sizes: list[Size] = []

    @model_validator(mode="wrap")
    @classmethod
    def chosen(cls, values: dict[str, Any], handler: ModelWrapValidatorHandler["Item"]) -> "Item":
        return Special.model_validate(values) if cls is Item and "weight" in values else handler(values)


class Special(Item):
    weight: int


class Box(Document[int], collection="boxes", strict=True):
    size: Size
    first: Item
    others: list[Item]
    nested: list[list[Item]] = []


def plain(**more: Any) -> dict[str, Any]:
    return {"kind": "plain", "sizes": ["s", "l"], **more}


def box(number: int, **more: Any) -> dict[str, Any]:
    return {
        "_id": number,
        "size": "s",
        "first": plain(),
        "others": [plain(), plain()],
        "nested": [[plain()], []],
        **more,
    }


def load_all(*values: dict[str, Any]) -> list[Box]:
    return mapper_of(Box).load_all([dict(one) for one in values])


@pytest.mark.parametrize(
    "values",
    [
        box(1),
        box(1, hint="unknown"),
        box(1, first=plain(hint=[1])),
        box(1, others=[plain(), plain(hint="second"), plain(hint="third")]),
        box(1, nested=[[plain(hint="deep")], [plain(), plain(hint="deeper")]]),
    ],
)
def test_many_documents_are_loaded_as_one_is(values: dict[str, Any]) -> None:
    found = load_all(box(0), values, box(2))
    alone = load(Box, values)
    assert found[1] == alone
    assert found[1].model_fields_set == alone.model_fields_set
    assert stored(found[1]) == stored(alone) == values


def test_complete_ones_share_the_names_of_their_fields() -> None:
    [found, other] = load_all(box(1), box(2, others=[plain(hint=1), {"kind": "without sizes"}]))
    whole = [found, found.first, *found.others, found.nested[0][0], other.others[0]]
    assert {type(one.__pydantic_fields_set__) for one in whole} == {SharedNames}
    assert other.others[1].__pydantic_fields_set__ == {"kind"}


def test_unknown_fields_stay_with_a_subclass_that_a_validator_made_of_an_item() -> None:
    special: dict[str, Any] = {"kind": "special", "sizes": [], "weight": 3, "hint": "kept"}
    [found] = load_all(box(1, others=[plain(), special]))
    assert type(found.others[1]) is Special
    assert stored(found)["others"][1]["hint"] == "kept"


def test_the_one_that_does_not_fit_is_named() -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_all(*(box(number, others="none" if number == 7 else []) for number in range(10)))
    assert (caught.value.id, caught.value.fields) == (7, ("others",))
