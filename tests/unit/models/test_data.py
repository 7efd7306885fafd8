"""What internal values keep of frozen dataclasses: equality, a hash, slots; that nobody assigns is for the type checkers."""

import copy
import pickle
from dataclasses import replace

import pytest

from boundwork.uow.commands import DeleteOne, UniqueKey

KEY = UniqueKey("number_1", ("number",))


def test_equal_values_are_one_key_of_a_dict() -> None:
    assert {KEY: "first", UniqueKey("number_1", ("number",)): "second"} == {KEY: "second"}


def test_a_value_with_a_dict_inside_is_compared_and_has_no_hash() -> None:
    assert DeleteOne({"_id": 1}) == DeleteOne({"_id": 1}) != DeleteOne({"_id": 2})
    with pytest.raises(TypeError, match="unhashable"):
        hash(DeleteOne({"_id": 1}))


def test_copies_are_equal_whatever_makes_them() -> None:
    assert copy.copy(KEY) == pickle.loads(pickle.dumps(KEY)) == replace(KEY) == KEY  # noqa: S301 - pickled just now


def test_there_is_no_room_for_another_attribute() -> None:
    assert not hasattr(KEY, "__dict__")
