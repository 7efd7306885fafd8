"""A union of models either comes back as the classes that were stored, or is refused when it is defined."""

from dataclasses import dataclass
from itertools import permutations
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, Field, RootModel, WrapValidator, create_model, model_validator

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded
from tests.unit.models.documents import come_back, stored


class Loose(Embedded):
    x: int = 0


class Looser(Embedded):
    x: int = 0
    y: int = 0


class Person(Embedded):
    name: str


class Company(Embedded):
    name: str
    number: str


class Other(Embedded):
    name: str | None


class Text(Embedded):
    text: str


class Image(Embedded):
    url: str


class Named(Embedded):
    kind: Literal["named"] = "named"
    text: str = ""


class Numbered(Embedded):
    kind: Literal["numbered"] = "numbered"
    text: str = ""


class Closed(Embedded, extra="forbid"):
    a: int = 0


class Shut(Embedded, extra="forbid"):
    b: int = 0


class Open(Embedded, extra="allow"):
    name: str


class Parsed(Embedded):
    other: str

    @model_validator(mode="before")
    @classmethod
    def parse(cls, value: Any) -> Any:
        return value


class Aliased(Embedded):
    url: str = Field(validation_alias=AliasChoices("url", "text"))


@dataclass
class Point:
    x: int = 0


@dataclass
class Place:
    town: str


@dataclass
class Spot:
    spot: str


class Shape(Embedded):
    name: str = ""


class Round(Shape):
    radius: int = 1


class Base(Document[int], collection="holders"):
    pass


def holder(annotation: Any) -> Any:
    return create_model("Holder", __base__=Base, value=(annotation, ...))


CLEAR = [
    (Text, Image),
    (Person, Company),
    (Named, Numbered),
    (Closed, Shut),
    (Place, Spot),
    (Text, Place),
]
EXAMPLES: dict[Any, Any] = {
    Text: Text(text="t"),
    Image: Image(url="u"),
    Person: Person(name="n"),
    Company: Company(name="n", number="1"),
    Named: Named(),
    Numbered: Numbered(),
    Closed: Closed(a=1),
    Shut: Shut(b=1),
    Place: Place("t"),
    Spot: Spot("s"),
}


@pytest.mark.parametrize("classes", CLEAR)
def test_what_is_told_apart_comes_back_in_any_order(classes: tuple[Any, Any]) -> None:
    for one, other in permutations(classes):
        model = holder(one | other | None)
        for cls in classes:
            found = come_back(model(id=1, value=EXAMPLES[cls])).value
            assert type(found) is cls
            assert found == EXAMPLES[cls]
        many = [EXAMPLES[one], EXAMPLES[other], EXAMPLES[one]]
        assert come_back(holder(list[one | other])(id=1, value=many)).value == many  # type: ignore[valid-type]  # made at run time


@pytest.mark.parametrize(
    "annotation",
    [
        Loose | Looser,
        Looser | Loose | None,
        list[Looser | Loose],
        dict[str, Loose | Looser],
        list[Loose] | list[Looser],
        dict[str, Loose] | dict[str, Looser],
        list[list[Loose]] | list[list[Looser]],
        list[Person] | list[Company],
        Annotated[Person | Company, Field(union_mode="left_to_right")],
        Company | Other,
        Text | Parsed,
        Open | Company,
        Text | Aliased,
        Point | Loose,
    ],
)
def test_what_may_be_taken_for_each_other_is_refused(annotation: Any) -> None:
    with pytest.raises(TypeError, match="cannot be told apart when it is read back; give both a common Literal field"):
        holder(annotation)


@pytest.mark.parametrize("annotation", [Any | Loose, list[Any] | list[Loose], list[Loose] | list[dict[str, int]]])
def test_a_model_beside_something_that_takes_its_stored_form_is_refused(annotation: Any) -> None:
    with pytest.raises(TypeError, match="both are stored as"):
        holder(annotation)


def test_a_discriminator_makes_a_union_clear() -> None:
    model = holder(list[Annotated[Named | Numbered, Field(discriminator="kind")]])
    values = [Numbered(), Named(text="x")]
    assert come_back(model(id=1, value=values)).value == values


@pytest.mark.parametrize("annotation", [BaseModel, BaseModel | Loose, list[BaseModel]])
def test_the_base_of_all_models_is_refused_by_name(annotation: Any) -> None:
    with pytest.raises(TypeError, match="BaseModel has no fields to be read back by"):
        holder(annotation)


@pytest.mark.parametrize(
    ("annotation", "value", "path"),
    [
        (Shape, Round(), "value"),
        (Embedded, Text(text=""), "value"),
        (Shape | None, Round(), "value"),
        (list[Shape], [Shape(), Round()], "value.1"),
        (dict[str, list[Shape]], {"k": [Round()]}, "value.[...].0"),
        (Shape | int, Round(), "value"),
        (list[Shape | int], [1, Round()], "value.1"),
        (Named | Numbered, create_model("Sub", __base__=Named)(), "value"),
    ],
)
def test_an_instance_of_another_class_than_can_come_back_is_refused(annotation: Any, value: Any, path: str) -> None:
    document = holder(annotation)(id=1, value=value)
    with pytest.raises(InvalidDocument, match="would not be read back as") as caught:
        stored(document)
    assert caught.value.fields == (path,)


def test_an_instance_of_a_derived_dataclass_is_refused() -> None:
    @dataclass
    class Far(Place):
        miles: int = 0

    with pytest.raises(InvalidDocument, match="an instance of Far stands where the field says Place"):
        stored(holder(Place)(id=1, value=Far("t")))


def test_a_subclass_that_a_validator_of_the_field_brings_back_is_stored() -> None:
    def pick(value: Any, handler: Any) -> Any:
        return Round.model_validate(value) if isinstance(value, dict) and "radius" in value else handler(value)

    model = holder(list[Annotated[Shape, WrapValidator(pick)]])
    values = [Shape(name="x"), Round(radius=5)]
    assert come_back(model(id=1, value=values)).value == values


def test_a_subclass_that_its_base_brings_back_is_stored() -> None:
    class Kind(Embedded):
        @model_validator(mode="wrap")
        @classmethod
        def pick(cls, value: Any, handler: Any) -> Any:
            chosen = Derived if cls is Kind and isinstance(value, dict) and "more" in value else None
            return chosen.model_validate(value) if chosen else handler(value)

    class Derived(Kind):
        more: int = 1

    document = holder(list[Kind])(id=1, value=[Derived(more=2), Kind()])
    assert come_back(document).value == document.value


def test_a_value_that_is_no_root_model_is_stored_by_what_it_is() -> None:
    document = holder(RootModel[list[int]])(id=1, value=RootModel[list[int]]([1]))
    document.value = [2]
    assert stored(document)["value"] == [2]
