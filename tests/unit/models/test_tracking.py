"""What was touched is noted, compared and put back; what was not costs nothing."""

import copy
import gc
import math
import weakref
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import ObjectId
from pydantic import field_validator

from boundwork.errors import InvalidDocument
from boundwork.models import Document
from boundwork.models.bson_types import MISSING
from boundwork.models.difference import Update
from boundwork.models.mapper import mapper_of
from boundwork.models.touched import Changes
from boundwork.models.tracking import Tracker, is_modified
from tests.unit.models.orders import Order, lines, loaded, update


def test_reading_scalars_does_not_touch() -> None:
    order, tracker = loaded(status="open")
    assert (order.status, order.id, order.total) == ("open", 1, Decimal(0))
    assert not tracker.touched


def test_reading_a_list_touches_and_changes_nothing() -> None:
    order, tracker = loaded(tags=["a"])
    assert order.tags == ["a"]
    assert list(tracker.touched) == [id(order)]
    assert update(order, tracker) is None


def test_a_written_scalar_is_set() -> None:
    order, tracker = loaded(status="open")
    order.status = "shipped"
    assert update(order, tracker) == {"$set": {"status": "shipped"}}
    order.status = "open"
    assert update(order, tracker) is None


@pytest.mark.parametrize(("before", "now"), [(0.0, -0.0), (1.0, math.nan)])
def test_floats_are_compared_as_bson_sees_them(before: float, now: float) -> None:
    order, tracker = loaded(price=before)
    order.price = now
    assert update(order, tracker) is not None


def test_a_type_that_changed_is_a_change() -> None:
    order, tracker = loaded(facts={"a": 1, "b": math.nan})
    order.facts["a"] = True
    order.facts["b"] = float("nan")
    assert update(order, tracker) == {"$set": {"facts.a": True}}


def test_an_element_of_a_list_is_set_by_its_index() -> None:
    order, tracker = loaded(lines=lines(1, 2, 3))
    order.lines[1].qty = 7
    order.lines[2].notes.append("x")
    assert update(order, tracker) == {"$set": {"lines.1.qty": 7}, "$push": {"lines.2.notes": {"$each": ["x"]}}}


def test_a_list_that_only_grew_is_pushed_to() -> None:
    order, tracker = loaded(tags=["a"])
    order.tags += ["b", "c"]
    assert update(order, tracker) == {"$push": {"tags": {"$each": ["b", "c"]}}}


def test_a_list_that_was_not_stored_is_set_whole() -> None:
    order, tracker = loaded()
    order.tags.append("b")
    assert update(order, tracker) == {"$set": {"tags": ["b"]}}


def test_a_model_that_was_stored_in_part_is_set_whole() -> None:
    order, tracker = loaded(lines=[{"sku": "a", "qty": 1}])
    order.lines[0].notes.append("x")
    assert update(order, tracker) == {"$set": {"lines": [{"sku": "a", "qty": 1, "notes": ["x"]}]}}


def test_keys_that_would_be_paths_set_the_nearest_safe_parent() -> None:
    order, tracker = loaded(facts={"safe": {"a.b": 1}, "other": 1})
    order.facts["safe"]["a.b"] = 2
    assert update(order, tracker) == {"$set": {"facts.safe": {"a.b": 2}}}


def test_a_key_that_was_removed_is_unset_and_none_is_stored() -> None:
    order, tracker = loaded(facts={"a": 1, "b": 2}, status="open")
    del order.facts["a"]
    order.facts["b"] = None
    del order.status
    assert update(order, tracker) == {"$set": {"facts.b": None}, "$unset": {"facts.a": "", "status": ""}}


def test_unknown_fields_of_an_embedded_model_are_not_touched_by_an_update() -> None:
    order, tracker = loaded(lines=[{"sku": "a", "qty": 1, "notes": [], "hint": 5}])
    order.lines[0].qty = 2
    assert update(order, tracker) == {"$set": {"lines.0.qty": 2}}


def test_a_field_whose_stored_form_may_look_different_is_set_whole() -> None:
    class Loose(Document[int], collection="loose"):
        tags: list[str]

        @field_validator("tags", mode="before")
        @classmethod
        def from_text(cls, value: Any) -> Any:
            return value.split(",") if isinstance(value, str) else value

    document = mapper_of(Loose).load({"_id": 1, "tags": "a,b"})
    tracker = Tracker()
    tracker.attach(document)
    document.tags.append("c")
    changes = tracker.changes_of(document)
    assert changes is not None
    assert changes.update() == Update(set={"tags": ["a", "b", "c"]}, fields=("tags",))


def test_the_id_of_a_stored_document_cannot_change() -> None:
    order, tracker = loaded()
    order.id = 2
    with pytest.raises(InvalidDocument, match="cannot change"):
        update(order, tracker)


def test_extra_fields_are_tracked_one_by_one() -> None:
    class Open(Document[int], collection="open", extra="allow"):
        pass

    document: Any = mapper_of(Open).load({"_id": 1, "a": [1], "b": 2})
    tracker = Tracker()
    tracker.attach(document)
    document.a.append(5)
    document.c = 3
    del document.b
    changes = tracker.changes_of(document)
    assert changes is not None
    found = changes.update()
    assert found is not None
    assert found.operators() == {"$set": {"a": [1, 5], "c": 3}, "$unset": {"b": ""}}
    changes.rewind()
    assert document.model_extra == {"a": [1], "b": 2}


def test_after_acceptance_only_new_changes_count() -> None:
    order, tracker = loaded(status="open", tags=["a"])
    tags = order.tags
    order.status = "paid"
    tags.append("b")
    changes = tracker.touched[id(order)]
    changes.accept()
    assert update(order, tracker) is None
    tags.append("c")
    order.status = "open"
    assert update(order, tracker) == {"$set": {"status": "open"}, "$push": {"tags": {"$each": ["c"]}}}
    changes.rewind()
    assert (order.status, order.tags) == ("open", ["a"])


def test_the_baseline_can_be_asked_for_by_path() -> None:
    order, tracker = loaded(status="open", lines=lines(1, 2))
    order.status = "paid"
    order.lines[1].qty = 9
    changes = tracker.touched[id(order)]
    assert changes.before("status") == "open"
    assert changes.before("lines.1.qty") == 2
    assert changes.before("lines.7.qty") is MISSING
    assert changes.before("nothing") is MISSING


def test_rewinding_restores_the_same_containers_in_place() -> None:
    order, tracker = loaded(
        status="open", lines=lines(1, 2), tags=["a"], facts={"a": {"b": [1]}}, plain={"name": "p", "marks": [1]},
        weight={"grams": 5, "history": [1]}, queue=[1, 2],
    )  # fmt: skip
    before = copy.deepcopy(order)
    held = (order.lines, order.lines[0], order.facts["a"]["b"], order.plain, order.weight, order.queue)
    order.lines[0].qty = 50
    order.lines.reverse()
    order.lines = []
    order.facts["a"]["b"].append(2)
    order.facts.clear()
    assert order.plain is not None
    assert order.weight is not None
    order.plain.marks.add(9)
    order.plain = None
    order.weight.history.append(3)
    order.weight.grams = 6
    order.queue.clear()
    order._log.append("changed")
    order.status = "paid"
    del order.total
    tracker.touched[id(order)].rewind()
    assert order == before
    assert list(order.__dict__) == list(before.__dict__)
    assert order.model_fields_set == before.model_fields_set
    assert order._log == []
    assert held[0] is order.lines
    assert held[1] is order.lines[0]
    assert held[2] is order.facts["a"]["b"]
    assert held[3] is order.plain
    assert held[4] is order.weight
    assert held[5] is order.queue
    assert update(order, tracker) is None


def test_a_rewound_document_is_untouched_again_and_a_held_list_is_still_watched() -> None:
    order, tracker = loaded(status="open", tags=["a"])
    order.status = "paid"
    tracker.touched[id(order)].rewind()
    assert not tracker.touched
    tags = order.tags
    tracker.touched[id(order)].rewind()
    tags.append("late")
    assert update(order, tracker) == {"$push": {"tags": {"$each": ["late"]}}}


def test_a_mark_is_the_new_point_to_rewind_to() -> None:
    order, tracker = loaded(status="open", tags=["a"])
    order.status = "paid"
    order.tags.append("b")
    changes = tracker.touched[id(order)]
    changes.accept()
    changes.mark()
    order.status = "lost"
    order.tags.append("c")
    changes.rewind()
    assert (order.status, order.tags) == ("paid", ["a", "b"])
    assert update(order, tracker) is None


def test_a_tracker_keeps_nothing_alive_that_was_not_touched() -> None:
    order, tracker = loaded(tags=["a"])
    known = weakref.ref(order)
    del order
    gc.collect()
    assert known() is None
    assert not tracker.touched


def test_a_closed_tracker_leaves_its_documents_to_themselves() -> None:
    order, tracker = loaded(tags=["a"])
    other, second = loaded(tags=["b"])
    order.tags.append("b")
    tracker.close()
    second.close()
    assert not tracker.touched
    assert Tracker.owner_of(order) is None is Tracker.owner_of(other)
    assert is_modified(order)
    assert not is_modified(other)
    other.tags.append("c")
    assert is_modified(other)


def test_a_detached_document_is_forgotten() -> None:
    order, tracker = loaded(tags=["a"])
    assert Tracker.owner_of(order) is tracker
    order.status = "x"
    tracker.detach(order)
    assert not tracker.touched
    assert Tracker.owner_of(order) is None


def test_a_new_document_is_modified_only_when_it_was_touched() -> None:
    order = Order(id=1)
    assert not is_modified(order)
    order.status = "x"
    assert is_modified(order)
    assert is_modified(Order.model_construct(id=2))
    assert is_modified(Order(id=1).model_copy(update={"status": 5}))


def test_copies_are_detached_and_let_no_list_escape() -> None:
    order, tracker = loaded(tags=["a"])
    copied = order.model_copy()
    copied.tags.append("b")
    assert Tracker.owner_of(copied) is None
    assert update(order, tracker) == {"$push": {"tags": {"$each": ["b"]}}}


def test_iterating_lets_no_list_escape() -> None:
    order, tracker = loaded(tags=["a"])
    dict(order)["tags"].append("b")
    assert update(order, tracker) == {"$push": {"tags": {"$each": ["b"]}}}


def test_reloading_keeps_the_object_and_can_be_rewound() -> None:
    order, tracker = loaded(status="open", tags=["a"], old=1)
    mapper = mapper_of(Order)
    mapper.reload(order, {"_id": 1, "status": "paid", "tags": ["a", "b"], "new": 2})
    assert (order.status, order.tags) == ("paid", ["a", "b"])
    assert mapper.encode(order)["new"] == 2
    assert "old" not in mapper.encode(order)
    assert update(order, tracker) is None
    order.tags.append("c")
    assert update(order, tracker) == {"$push": {"tags": {"$each": ["c"]}}}
    tracker.touched[id(order)].rewind()
    assert (order.status, order.tags) == ("open", ["a"])


def test_time_is_compared_as_it_is_stored() -> None:
    class Event(Document[ObjectId], collection="events"):
        at: datetime

    event = Event(at=datetime(2024, 1, 1, tzinfo=UTC))
    tracker = Tracker()
    tracker.attach(event)
    event.at = datetime(2024, 1, 1, 0, 0, 0, 999, tzinfo=UTC)
    changes = tracker.changes_of(event)
    assert isinstance(changes, Changes)
    assert changes.update() is None


def test_a_write_of_another_thread_that_comes_with_a_flush_is_noticed_where_threads_share_a_unit() -> None:
    order, tracker = loaded(status="open")
    tracker.shared = True
    order.status = "paid"
    assert update(order, tracker) == {"$set": {"status": "paid"}}
    tracker.touched[id(order)].flushed()
    values: Any = order.__dict__
    values["status"] = "sent"  # it had looked whether the field is watched before the flush went on
    assert update(order, tracker) == {"$set": {"status": "sent"}}
