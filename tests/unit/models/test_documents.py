"""A document stays a pydantic model, and a class of documents says at once what cannot work."""

import copy
import gc
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from types import new_class
from typing import Annotated, Any, ClassVar, Generic
from uuid import UUID, uuid4

import bson
import pytest
from bson import ObjectId
from pydantic import (
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    PastDate,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded, hydration
from boundwork.models.hydration import hydration_pause
from boundwork.models.mapper import mapper_of
from boundwork.models.metaclass import expression
from boundwork.models.tracking import is_modified
from tests.unit.models.documents import HEX, Line, Order, Status, T, come_back, load, stored


def test_a_new_document_has_an_object_id() -> None:
    assert type(Order().id) is ObjectId


def test_the_stored_form_begins_with_the_id_and_leaves_out_what_is_not_a_field() -> None:
    order = Order(lines=[Line(sku="a")])
    assert list(stored(order).items()) == [
        ("_id", order.id), ("status", "open"), ("customer_id", None), ("lines", [{"sku": "a", "qty": 1}]),
        ("plain", None),
    ]  # fmt: skip


def test_an_object_id_works_as_text_and_in_json_and_in_the_schema() -> None:
    order = Order.model_validate({"id": HEX, "customer_id": HEX})
    assert order.id == ObjectId(HEX) == order.customer_id
    assert Order.model_validate_json(order.model_dump_json(exclude={"count"})) == order
    assert order.model_dump(mode="json")["customer_id"] == HEX
    for mode in ("validation", "serialization"):
        schema = Order.model_json_schema(mode=mode)
        assert schema["properties"]["id"]["type"] == "string"
        assert schema["properties"]["id"]["pattern"] == "^[0-9a-fA-F]{24}$"
    with pytest.raises(ValidationError):
        Order.model_validate({"id": "no"})


def test_an_object_id_works_in_embedded_models_and_containers() -> None:
    class Ref(Embedded):
        target: ObjectId
        others: dict[str, list[ObjectId]] = {}

    ref = Ref.model_validate({"target": HEX, "others": {"a": [HEX]}})
    assert Ref.model_validate_json(ref.model_dump_json()) == ref


def test_another_type_of_id_has_no_default() -> None:
    class Named(Document[str], collection="named"):
        pass

    with pytest.raises(ValidationError):
        Named()  # checkers cannot know that the default is gone
    assert stored(Named(id="a")) == {"_id": "a"}
    assert load(Named, {"_id": "a"}).id == "a"


def test_an_id_may_be_declared_anew() -> None:
    class Tagged(Document[UUID], collection="tagged"):
        id: UUID = Field(default_factory=uuid4)

    tagged = Tagged()
    assert load(Tagged, stored(tagged)) == tagged
    assert mapper_of(Tagged).encode_id(tagged.id) == stored(tagged)["_id"]


def test_an_id_may_be_an_embedded_model_or_a_decimal() -> None:
    class Key(Embedded):
        year: int
        number: Decimal

    class Bill(Document[Key], collection="bills"):
        pass

    bill = Bill(id=Key(year=2024, number=Decimal("7.0")))
    assert load(Bill, stored(bill)) == bill
    assert mapper_of(Bill).encode_id(bill.id) == stored(bill)["_id"]


class Year(TypedDict):
    year: int


@pytest.mark.parametrize(
    ("kind", "value", "wrong"),
    [
        (Year, {"year": 1}, 1),
        (AwareDatetime, datetime(2024, 1, 1, tzinfo=UTC), "a"),
        (PastDate, date(2024, 1, 1), 1),
    ],
)
def test_an_id_may_be_of_a_type_that_has_no_instances(kind: Any, value: Any, wrong: object) -> None:
    model: Any = create_model("Dated", __base__=Document, __cls_kwargs__={"collection": "dated"}, id=(kind, ...))
    document = model(id=value)
    assert load(model, stored(document)) == document
    assert mapper_of(model).encode_id(value) == stored(document)["_id"]
    with pytest.raises(TypeError, match=f"The id of Dated is of type {kind.__name__}, and was asked for as"):
        mapper_of(model).encode_id(wrong)


def test_a_copy_is_equal_and_shares_nothing_when_deep() -> None:
    order = load(Order, {"_id": ObjectId(), "status": "open", "lines": [{"sku": "a", "qty": 2}]})
    for copied in (order.model_copy(deep=True), copy.deepcopy(order), pickle.loads(pickle.dumps(order))):  # noqa: S301
        assert copied == order
        assert copied.lines is not order.lines
        assert copied.model_fields_set is not order.model_fields_set
    assert copy.copy(order).lines is order.lines
    assert order.model_copy(update={"status": Status.SHIPPED}).status is Status.SHIPPED


def test_the_set_of_field_names_belongs_to_each_instance() -> None:
    values = {"_id": 1, "sku": "a", "qty": 2}
    first, second = (load(Order, {"_id": ObjectId(), "lines": [dict(values)]}).lines[0] for _ in range(2))
    first.model_fields_set.discard("sku")
    assert second.model_fields_set == {"sku", "qty"}
    assert first.model_dump(exclude_unset=True) == {"qty": 2}


def test_what_was_not_stored_is_not_in_the_set_of_field_names() -> None:
    assert load(Order, {"_id": ObjectId(HEX), "status": "open"}).model_fields_set == {"id", "status"}


def test_private_attributes_work_on_loaded_documents() -> None:
    order = load(Order, {"_id": ObjectId()})
    order._seen.append("x")
    assert order._seen == ["x"]


def test_unknown_fields_survive_at_every_depth() -> None:
    values = {
        "_id": ObjectId(), "status": "open", "customer_id": None, "since": 3, "id": "clash",
        "lines": [{"sku": "a", "qty": 1, "hint": {"x": [1]}}, {"sku": "b", "qty": 2}], "plain": None,
    }  # fmt: skip
    order = load(Order, copy.deepcopy(values))
    assert stored(order) == values
    assert stored(order.model_copy(deep=True)) == values
    assert stored(pickle.loads(pickle.dumps(order))) == values  # noqa: S301
    assert "since" not in order.model_dump()
    order.lines[0] = order.lines[0].model_copy(update={"qty": 9})
    assert stored(order)["lines"][0] == {"sku": "a", "qty": 9, "hint": {"x": [1]}}


def test_unknown_fields_do_not_move_to_another_model_when_a_validator_sorts() -> None:
    class Sorted(Document[int], collection="s"):
        lines: list[Line]

        @field_validator("lines")
        @classmethod
        def by_sku(cls, lines: list[Line]) -> list[Line]:
            return sorted(lines, key=lambda line: line.sku)

    order = load(Sorted, {"_id": 1, "lines": [{"sku": "b", "qty": 1, "hint": "b"}, {"sku": "a", "qty": 1}]})
    assert "hint" not in stored(order)["lines"][0]
    kept = load(Sorted, {"_id": 1, "lines": [{"sku": "a", "qty": 1}, {"sku": "b", "qty": 1, "hint": "b"}]})
    assert stored(kept)["lines"][1]["hint"] == "b"


def test_aliases_are_the_stored_names() -> None:
    class Camel(Embedded):
        model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
        unit_price: Decimal

    class Bill(Document[int], collection="bills"):
        total_sum: Decimal = Field(alias="total")
        shown: int = Field(default=1, serialization_alias="s", validation_alias="v")
        either: int = Field(default=2, validation_alias=AliasChoices(AliasPath("deep", 0), "one", "two"))
        item: Camel

    bill = Bill.model_validate({"id": 1, "total": "1.5", "item": {"unitPrice": 2}})
    assert list(stored(bill)) == ["_id", "total", "s", "either", "item"]
    assert mapper_of(Bill).stored_name("total_sum") == "total"
    assert load(Bill, stored(bill)) == bill
    values = {**stored(bill), "total_sum": "unknown", "v": 5}
    assert stored(load(Bill, dict(values))) == values


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (Field(default=1, alias="a.b"), "cannot be the name"),
        (Field(default=1, alias="$a"), "cannot be the name"),
        (Field(default=1, alias="_id"), "belongs to the field id"),
        (Field(default=1, alias="other"), "is taken by other"),
        (Field(default=1, validation_alias=AliasPath("a", "b")), "only a path"),
    ],
)
def test_names_that_cannot_be_stored_are_refused_when_the_class_is_defined(field: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        create_model("Bad", __base__=Document, other=(int, 1), value=(int, field))


def test_the_configuration_of_the_user_is_respected() -> None:
    class Open(Document[int], collection="o", extra="allow"):
        pass

    class Closed(Document[int], collection="c", extra="forbid"):
        pass

    class Strict(Document[UUID], collection="d", strict=True, use_enum_values=True):
        status: Status
        amounts: tuple[Decimal, ...] = ()

    opened = Open.model_validate({"id": 1, "more": [Decimal(1)]})
    assert load(Open, stored(opened)).model_extra == {"more": [bson.Decimal128("1")]}
    with pytest.raises(InvalidDocument, match="more"):
        load(Closed, {"_id": 1, "more": 2})
    strict = Strict(id=uuid4(), status=Status.OPEN, amounts=(Decimal("1.5"),))
    assert load(Strict, stored(strict)).model_dump() == strict.model_dump()


def test_excluded_fields_are_stored() -> None:
    class Account(Document[int], collection="a"):
        digest: str = Field(exclude=True)

    assert stored(Account(id=1, digest="x")) == {"_id": 1, "digest": "x"}


def test_validators_run_when_a_document_is_loaded() -> None:
    class Checked(Document[int], collection="c"):
        low: Annotated[int, BeforeValidator(int)]
        high: int

        @model_validator(mode="after")
        def ordered(self) -> "Checked":
            if self.low > self.high:
                message = f"secret {self.low}"
                raise ValueError(message)
            return self

    assert load(Checked, {"_id": 1, "low": "3", "high": 4}).low == 3
    with pytest.raises(InvalidDocument) as caught:
        load(Checked, {"_id": 1, "low": 765, "high": 4})
    assert caught.value.problems == ("value_error",)
    assert "765" not in str(caught.value)


def test_a_stored_document_that_does_not_fit_is_named_without_its_contents() -> None:
    with pytest.raises(InvalidDocument) as caught:
        load(Order, {"_id": 5, "status": "hidden-value", "lines": [{"sku": 12345}]})
    assert caught.value.collection == "orders"
    assert caught.value.id == 5
    assert caught.value.fields == ("id", "status", "lines.0.sku")[1:] or "id" in caught.value.fields[0]
    assert "hidden-value" not in str(caught.value)
    assert "12345" not in str(caught.value)


def test_expressions_never_become_defaults_and_warn_about_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Base(Document, collection="b"):
            name: str
            tags: list[str]

        class Child(Base):
            name: str
            tags: list[str]
            more: int

        class Generated(Base, Generic[T]):
            value: T

        Generated[int].model_rebuild(force=True)
        Child.model_rebuild(force=True)
    for model in (Child, Generated[int]):
        assert {name for name, info in model.model_fields.items() if info.is_required()} >= {"name", "tags"}
        with pytest.raises(ValidationError):
            model.model_validate({})


def test_a_field_asked_for_on_the_class_is_an_expression_and_other_names_are_not() -> None:
    assert expression(Order, "status") is not None
    assert type(Order.lines) is type(expression(Order, "lines"))
    assert not hasattr(Order, "nothing")
    assert not hasattr(Document, "nothing")


def test_a_collection_name_that_the_server_refuses_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="cannot be the name of a collection"):
        create_model("Bad", __base__=Document, __cls_kwargs__={"collection": "a$b"})


def test_pauses_that_overlap_without_an_end_give_the_collector_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hydration, "LONGEST", -1.0)
    assert gc.isenabled()
    with ExitStack() as first:
        first.enter_context(hydration_pause())
        with hydration_pause():
            assert not gc.isenabled()
            first.close()
            assert gc.isenabled()
            with hydration_pause():
                assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_is_on_again_after_nested_pauses() -> None:
    assert gc.isenabled()
    with hydration_pause(), hydration_pause():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_attributes_that_were_deleted_are_not_stored() -> None:
    order = Order()
    del order.status
    assert "status" not in stored(order)


def test_many_documents_load_as_one_does() -> None:
    values = [{"_id": ObjectId(), "status": "open"} for _ in range(3)]
    assert mapper_of(Order).load_all([dict(value) for value in values]) == [
        mapper_of(Order).load(dict(value)) for value in values
    ]


def test_a_document_looks_for_missing_attributes_without_being_touched() -> None:
    order = load(Order, {"_id": ObjectId()})
    assert not hasattr(order, "nothing")
    assert not is_modified(order)


def test_classes_are_compiled_once_for_many_threads() -> None:
    class Tree(Embedded):
        size: Decimal = Decimal(0)
        below: list["Tree"] = []

    class Wood(Document[int], collection="woods"):
        trees: list[Tree] = []

    wood = Wood(id=1, trees=[Tree(below=[Tree(size=Decimal(2))])])
    with ThreadPoolExecutor(8) as pool:
        assert [future.result() for future in [pool.submit(come_back, wood) for _ in range(16)]] == [wood] * 16


class Noted:
    note: ClassVar[str] = ""

    def __init_subclass__(cls, *, note: str = "", **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        cls.note = note


def test_a_keyword_that_the_class_statement_does_not_know_is_named_with_the_nearest() -> None:
    def error(base: type[Any], **keywords: Any) -> str:
        with pytest.raises(TypeError) as refused:
            new_class("Wrong", (base,), keywords)
        return str(refused.value)

    assert error(Document, colection="a") == (
        "Wrong: its class statement does not take 'colection'. Did you mean 'collection'?"
    )
    assert "takes collection, discriminator, indexes, options," in error(Document, collection="a", validation=True)
    assert error(Embedded, collection="a").endswith("'collection'. It takes what pydantic takes, as frozen.")


def test_mixins_may_take_keywords_of_their_own_on_either_side() -> None:
    for bases in ((Noted, Document), (Document, Noted)):
        made: Any = new_class("Made", bases, {"collection": "a", "note": "x", "frozen": True})
        assert (made.note, made.model_config.get("frozen")) == ("x", True)
        with pytest.raises(TypeError, match="'note'"):
            new_class("Wrong", (made,), {"not_": "x"})
