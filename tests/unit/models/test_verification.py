"""What is verified of a document whose embedded models were changed: what is written, and no less."""

from collections.abc import Callable
from dataclasses import dataclass as stdlib_dataclass
from typing import Annotated, Any, Self

import pytest
from annotated_types import Ge, MaxLen
from pydantic import AfterValidator, RootModel, field_validator, model_validator

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded
from boundwork.models.bson_types import CannotStore
from boundwork.models.mapper import mapper_of
from boundwork.models.tracking import Tracker


class Span(Embedded):
    low: int = 0
    high: int = 0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Line(Embedded):
    sku: str
    quantity: Annotated[int, Ge(0)] = 0
    span: Span = Span()
    notes: dict[str, Any] = {}


def _short(lines: list[Line]) -> list[Line]:
    if sum(line.quantity for line in lines) > 10:
        raise ValueError("too many in all")
    return lines


class Basket(Document, collection="baskets"):
    main: Line
    lines: list[Line] = []
    few: Annotated[list[Line], MaxLen(3)] = []
    summed: Annotated[list[Line], AfterValidator(_short)] = []
    checked: list[Line] = []

    @field_validator("checked")
    @classmethod
    def _no_empty(cls, lines: list[Line]) -> list[Line]:
        if any(not line.quantity for line in lines):
            raise ValueError("an empty line")
        return lines


def basket() -> Basket:
    def lines() -> list[dict[str, Any]]:
        return [{"sku": name, "quantity": 5, "span": {"low": 1, "high": 2}, "notes": {}} for name in "ab"]

    mapper = mapper_of(Basket)
    stored: dict[str, Any] = {"_id": mapper.encode_id(Basket(main=Line(sku="x")).id), "main": lines()[0]}
    loaded = mapper.load(stored | {name: lines() for name in ("lines", "few", "summed", "checked")})
    Tracker().attach(loaded)
    return loaded


def refused(changed: Basket) -> list[str]:
    tracker = Tracker.owner_of(changed)
    changes = None if tracker is None else tracker.changes_of(changed)
    assert changes is not None
    update = changes.update()
    assert update is not None
    try:
        mapper_of(Basket).verify(changed, update.fields, changes.sent, (*update.set, *update.unset, *update.push))
    except InvalidDocument as error:
        return list(error.fields)
    return []


def test_a_valid_change_inside_an_embedded_model_is_taken() -> None:
    changed = basket()
    changed.main.quantity = 6
    changed.lines[1].span.high = 9
    changed.lines[0].notes["seen"] = [1, {"deep": None}]
    assert refused(changed) == []


@pytest.mark.parametrize("name", ["main", "lines", "few", "summed", "checked"])
def test_a_constraint_of_a_changed_inner_field_is_checked(name: str) -> None:
    changed = basket()
    line = changed.main if name == "main" else getattr(changed, name)[1]
    line.quantity = -1
    path = f"{name}.quantity" if name == "main" else f"{name}.1.quantity"
    assert refused(changed) == [path]


def test_a_value_of_the_wrong_type_inside_a_list_is_refused_under_its_path() -> None:
    changed = basket()
    setattr(changed.lines[1], "sku", 7)  # noqa: B010 - past the checkers
    assert refused(changed) == ["lines.1.sku"]


def test_a_value_that_bson_refuses_is_refused_under_its_path() -> None:
    changed = basket()
    changed.lines[1].sku = "\ud800"
    assert refused(changed) == ["lines.1.sku"]


def test_a_validator_of_the_inner_model_sees_its_other_fields() -> None:
    changed = basket()
    changed.lines[0].span.low = 3
    assert refused(changed) == ["lines.0.span.(document)"]


@pytest.mark.parametrize("name", ["summed", "checked"])
def test_validators_of_the_outer_field_see_the_whole_list(name: str) -> None:
    changed = basket()
    getattr(changed, name)[0].quantity = 6 if name == "summed" else 0
    assert refused(changed) == [name]


def test_an_element_of_another_class_is_refused() -> None:
    class Other(Line):
        extra_sku: str = ""

    changed = basket()
    changed.lines[0] = Other(sku="a", quantity=1, span=Span(low=1, high=2))
    with pytest.raises(InvalidDocument, match=r"lines\.0: an instance of Other stands where the field says Line"):
        refused(changed)


def test_a_list_that_grew_is_verified_with_its_constraints() -> None:
    changed = basket()
    changed.few += [Line(sku="c"), Line(sku="d")]
    assert refused(changed) == ["few"]


class Counted(dict[str, Any]):
    """A dict that nobody can store, and that counts how often it was tried."""

    tried = 0

    def items(self) -> Any:
        self.tried += 1
        raise CannotStore("never")


class Rooted(RootModel[list[Any]]):
    pass


@stdlib_dataclass
class Kept:
    value: Any


class Nest(Embedded):
    value: Any = None
    nests: list["Nest"] = []
    named: dict[str, "Nest"] = {}


class Tree(Document[int], collection="trees"):
    top: Nest = Nest()


WRAPS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda value: [value], ".0"),
    (lambda value: {"k": value}, ".[...]"),
    (lambda value: Rooted([value]), ".0"),
    (Kept, ".value"),
    (lambda value: Nest(value=value), ".value"),
]


@pytest.mark.parametrize(("wrap", "path"), WRAPS)
def test_a_value_deep_inside_is_tried_only_a_few_times_and_named(wrap: Callable[[Any], Any], path: str) -> None:
    deep = counted = Counted(a=1)
    for _ in range(12):
        deep = wrap(deep)
    with pytest.raises(InvalidDocument) as caught:
        mapper_of(Tree).encode(Tree(id=1, top=Nest(nests=[Nest(), Nest(named={"n": Nest(value=deep)})])))
    assert caught.value.fields == ("top.nests.1.named.[...].value" + path * 12,)
    assert counted.tried <= 3
