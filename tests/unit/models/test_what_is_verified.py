"""What would be written is verified, and verifying changes nothing."""

import copy

import pytest
from pydantic import model_validator

from boundwork.errors import InvalidDocument
from boundwork.models import Document
from boundwork.models.mapper import mapper_of
from boundwork.models.tracking import Tracker
from tests.unit.models.orders import Order, lines, loaded, update


def test_what_could_not_be_read_back_is_refused_before_it_is_written() -> None:
    order, tracker = loaded(status="open", lines=lines(1))
    setattr(order, "status", 5)  # noqa: B010 - past the checkers
    setattr(order.lines[0], "qty", "secret")  # noqa: B010 - past the checkers
    changes = tracker.touched[id(order)].update()
    assert changes is not None
    with pytest.raises(InvalidDocument) as caught:
        mapper_of(Order).verify(order, changes.fields)
    assert caught.value.fields == ("status", "lines.0.qty")
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidDocument):
        mapper_of(Order).verify(order)
    order.status, order.lines[0].qty = "paid", 3
    mapper_of(Order).verify(order, changes.fields)


def test_verifying_changes_nothing() -> None:
    order, tracker = loaded(status="open", lines=lines(1))
    order.status = "paid"
    before = copy.deepcopy(order)
    mapper_of(Order).verify(order, ("status",))
    mapper_of(Order).verify(order)
    assert order == before
    assert order.model_fields_set == before.model_fields_set
    assert update(order, tracker) == {"$set": {"status": "paid"}}


def test_text_that_bson_refuses_is_refused_when_verified() -> None:
    order, _ = loaded(status="open")
    order.status = "\ud800"
    with pytest.raises(InvalidDocument, match="status"):
        mapper_of(Order).verify(order, ("status",))


def test_rules_over_several_fields_are_verified_on_the_whole() -> None:
    class Span(Document[int], collection="spans"):
        low: int
        high: int

        @model_validator(mode="after")
        def ordered(self) -> "Span":
            if self.low > self.high:
                raise ValueError("low above high")
            return self

    span = mapper_of(Span).load({"_id": 1, "low": 1, "high": 2})
    tracker = Tracker()
    tracker.attach(span)
    span.low = 9
    with pytest.raises(InvalidDocument):
        mapper_of(Span).verify(span, ("low",))
