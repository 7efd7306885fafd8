"""Lists and models that hold nothing mutable in turn: they are not encoded when they are read, and no change is missed."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128

from boundwork.errors import InvalidDocument
from boundwork.models.as_noted import AsNoted
from boundwork.models.mapper import mapper_of
from boundwork.models.restore import ModelState
from boundwork.models.tracking import Tracker
from tests.unit.models.parcels import Heavy, Parcel, Place, Shipment, Size, loaded, parcel, shipment, update


def baseline(found: Shipment, tracker: Tracker, name: str) -> Any:
    changes = tracker.changes_of(found)
    assert changes is not None
    return changes.baseline[name]


@pytest.mark.parametrize("name", ["parcels", "spare", "place", "tags", "sizes"])
def test_what_is_only_read_is_neither_encoded_nor_written(name: str) -> None:
    found, tracker = loaded()
    getattr(found, name)
    assert type(baseline(found, tracker, name)) is AsNoted
    assert update(found, tracker) is None
    assert type(baseline(found, tracker, name)) is AsNoted


def test_lists_in_lists_are_compared_as_a_whole() -> None:
    found, tracker = loaded()
    found.grid[1].append(3)
    assert update(found, tracker) == {"$set": {"grid": [[1], [2, 3]]}}
    found.mixed[0] = [4]
    assert update(found, tracker) == {"$set": {"mixed": [[4], "two"]}}
    found.mixed[0].append(5)
    assert update(found, tracker) == {"$set": {"mixed": [[4, 5], "two"]}}


def test_what_was_read_can_be_asked_for_in_its_stored_form() -> None:
    found, tracker = loaded()
    stored = mapper_of(Shipment).encode(shipment())
    assert len(found.parcels) == 3
    found.parcels[1].grams = 8
    found.place.city = "Oslo"
    changes = tracker.changes_of(found)
    assert changes is not None
    assert [changes.before("parcels"), changes.before("place.city")] == [stored["parcels"], "Bergen"]
    assert changes.before("parcels.1.grams") == 1
    assert update(found, tracker) == {"$set": {"parcels.1.grams": 8, "place.city": "Oslo"}}


def test_attributes_are_set_by_their_stored_names() -> None:
    found, tracker = loaded()
    found.parcels[2].note, found.parcels[0].size, found.place.city = "fragile", Size.LARGE, "Oslo"
    assert update(found, tracker) == {
        "$set": {"parcels.0.size": "l", "parcels.2.n": "fragile", "place.city": "Oslo"},
    }
    found.parcels[2].note = "sturdy"
    assert update(found, tracker) == {"$set": {"parcels.2.n": "sturdy"}}
    assert update(found, tracker) is None


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("grams", True, True),
        ("grams", 1.0, 1.0),
        ("fee", Decimal("1.00"), Decimal128("1.00")),
        ("weight", -0.0, -0.0),
        ("weight", math.nan, math.nan),
    ],
)
def test_what_python_calls_equal_and_bson_does_not_is_written(name: str, value: Any, stored: Any) -> None:
    found, tracker = loaded()
    setattr(found.parcels[1], name, value)
    made = update(found, tracker)
    assert made is not None
    assert [repr(part) for part in made["$set"].values()] == [repr(stored)]


def test_an_equal_value_is_not_written() -> None:
    found, tracker = loaded()
    found.parcels[1].fee = Decimal("1.0")
    found.parcels[1].note = None
    assert update(found, tracker) is None


def swap(items: list[Parcel]) -> None:
    items[0], items[2] = items[2], items[0]


def repeat(items: list[Parcel]) -> None:
    items[0] = items[1]


def rotate(items: list[Parcel]) -> None:
    items.append(items.pop(0))


@pytest.mark.parametrize(
    ("move", "written"),
    [
        (swap, {"parcels.0.code": "c", "parcels.2.code": "a"}),
        (repeat, {"parcels.0.code": "b"}),
        (rotate, {"parcels.0.code": "b", "parcels.1.code": "c", "parcels.2.code": "a"}),
    ],
)
def test_items_that_were_moved_are_written(move: Callable[[list[Parcel]], None], written: dict[str, str]) -> None:
    found, tracker = loaded()
    move(found.parcels)
    assert update(found, tracker) == {"$set": written}
    assert update(found, tracker) is None


def test_a_list_that_lost_an_item_is_set() -> None:
    found, tracker = loaded()
    found.parcels.pop(0).grams = 5
    found.parcels[0].grams = 6
    assert update(found, tracker) == {"$set": {"parcels": mapper_of(Shipment).encode(found)["parcels"]}}


def test_one_object_in_two_places_is_written_in_both() -> None:
    found, tracker = loaded()
    found.parcels[0] = found.parcels[1]
    update(found, tracker)
    changes = tracker.changes_of(found)
    assert changes is not None
    changes.renew(ModelState(found))
    found.parcels[1].grams = 7
    assert update(found, tracker) == {"$set": {"parcels.0.grams": 7, "parcels.1.grams": 7}}


def test_a_list_that_grew_and_of_which_an_item_changed_is_set() -> None:
    found, tracker = loaded()
    found.parcels.append(parcel("e"))
    assert set(update(found, tracker) or {}) == {"$push"}
    found.parcels.append(parcel("f"))
    found.parcels[0].grams = 3
    assert update(found, tracker) == {"$set": {"parcels": mapper_of(Shipment).encode(found)["parcels"]}}


def test_an_item_that_became_one_of_a_subclass_is_left_to_the_encoder() -> None:
    found, tracker = loaded()
    found.parcels[0].grams = 2
    object.__setattr__(found.parcels[0], "__class__", Heavy)
    with pytest.raises(InvalidDocument, match="Heavy"):
        update(found, tracker)


def test_another_model_in_the_place_of_one_is_compared_with_it() -> None:
    found, tracker = loaded()
    found.place = Place(city="Oslo", postcode="5003")
    assert update(found, tracker) == {"$set": {"place.city": "Oslo"}}


def test_models_in_models_are_compared_as_deep_as_they_go() -> None:
    found, tracker = loaded()
    found.crate.parcel.grams = 2
    assert update(found, tracker) == {"$set": {"crate.parcel.grams": 2}}


def test_models_among_other_items_are_found_in_their_places() -> None:
    found, tracker = loaded()
    last = found.either[2]
    assert isinstance(last, Parcel)
    last.grams = 2
    assert update(found, tracker) == {"$set": {"either.2.grams": 2}}


def test_a_field_with_a_validator_of_its_own_is_set_whole() -> None:
    found, tracker = loaded()
    found.stops[1].city = "Voss"
    assert update(found, tracker) == {"$set": {"stops": mapper_of(Shipment).encode(found)["stops"]}}


def test_models_that_were_never_stored_are_watched_as_well() -> None:
    found = shipment()
    tracker = Tracker()
    tracker.attach(found)
    found.parcels[0].grams = 2
    assert tracker.changes_of(found) is not None
    found.parcels[1].grams = 3
    assert found.parcels[0].model_fields_set == set(Parcel.model_fields)
    assert (update(found, tracker) or {})["$set"].keys() <= {"parcels", "parcels.0.grams", "parcels.1.grams"}


@pytest.mark.parametrize(("grams", "refused"), [(7, False), ("heavy", True)])
def test_what_is_written_is_verified(grams: Any, refused: bool) -> None:
    found, tracker = loaded()
    assert found.spare
    found.spare[0].grams = grams
    changes = tracker.changes_of(found)
    assert changes is not None
    made = changes.update()
    assert made is not None
    assert made.set == {"spare.0.grams": grams}
    if not refused:
        mapper_of(Shipment).verify(found, made.fields, changes.sent, tuple(made.set))
        return
    with pytest.raises(InvalidDocument, match=r"spare"):
        mapper_of(Shipment).verify(found, made.fields, changes.sent, tuple(made.set))


def test_a_mutable_value_in_an_attribute_is_watched_after_a_flush() -> None:
    found, tracker = loaded()
    found.parcels[1].note = ["a"]
    assert update(found, tracker) == {"$set": {"parcels.1.n": ["a"]}}
    found.parcels[1].note.append("b")
    assert update(found, tracker) == {"$push": {"parcels.1.n": {"$each": ["b"]}}}


def test_an_attribute_that_was_deleted_is_unset() -> None:
    found, tracker = loaded()
    del found.parcels[1].note
    assert update(found, tracker) == {"$unset": {"parcels.1.n": ""}}
    found.parcels[1].note = 5
    assert update(found, tracker) == {"$set": {"parcels.1.n": 5}}


def test_unknown_fields_of_models_in_a_list_are_not_taken_for_a_change() -> None:
    stored = mapper_of(Shipment).encode(shipment())
    for part in (*stored["parcels"], stored["place"]):
        part["hint"] = 5
    found, tracker = loaded(stored)
    found.parcels.append(parcel("e"))
    made = update(found, tracker)
    assert made is not None
    assert list(made) == ["$push"]
    changes = tracker.changes_of(found)
    assert changes is not None
    assert changes.before("parcels.0.hint") == 5


def test_a_rollback_after_flushes_puts_the_first_contents_back() -> None:
    found, tracker = loaded()
    kept = found.parcels
    found.parcels[1].grams = 8
    update(found, tracker)
    found.parcels[1].grams = 9
    found.place.city = "Oslo"
    update(found, tracker)
    changes = tracker.changes_of(found)
    assert changes is not None
    changes.rewind()
    assert found == shipment()
    assert found.parcels is kept
    assert update(found, tracker) is None


def test_a_frame_brings_the_baseline_of_its_time_back() -> None:
    found, tracker = loaded()
    found.parcels[1].grams = 8
    update(found, tracker)
    changes = tracker.changes_of(found)
    assert changes is not None
    frame = changes.frame()
    found.parcels[1].grams = 9
    update(found, tracker)
    changes.restore(frame)
    assert found.parcels[1].grams == 8
    assert update(found, tracker) is None
    found.parcels[1].grams = 9
    assert update(found, tracker) == {"$set": {"parcels.1.grams": 9}}
