"""Sort keys."""

import pytest

from boundwork.models.expressions import any_of, asc, compile_sort, desc
from tests.unit.expressions.shop import Customer, Order, field


def test_every_spelling_of_a_key_becomes_a_path_and_a_direction() -> None:
    keys = [desc(field("total")), asc(field("address").zip_code), field("number"), "path", "-billing.city"]
    assert compile_sort(Order, *keys) == (
        ("total", -1),
        ("address.zipCode", 1),
        ("number", 1),
        ("path", 1),
        ("billing.city", -1),
    )
    assert compile_sort(Order, desc("path"), any_of(field("lines")).sku) == (("path", -1), ("lines.sku", 1))
    assert compile_sort(Order) == ()


@pytest.mark.parametrize("name", ["", "-", "$natural", "-$natural", "a.$b", "a..b", "a\0"])
def test_a_name_that_is_no_field_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="stored name"):
        compile_sort(Order, name)


@pytest.mark.parametrize("key", [1, None, ("number", -1), field("number") == "A"])
def test_what_is_no_key_is_refused(key: object) -> None:
    with pytest.raises(TypeError, match="takes a field"):
        compile_sort(Order, key)
    with pytest.raises(TypeError, match="takes a field"):
        desc(key)


def test_a_field_of_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Customer\.name is not a field of Order"):
        compile_sort(Order, desc(field("name", Customer)))


def test_a_path_stands_once() -> None:
    with pytest.raises(ValueError, match="'number' twice"):
        compile_sort(Order, field("number"), "-number")


def test_a_key_shows_place_and_direction() -> None:
    assert repr(desc(field("total"))) == "desc(Order.total)"
    assert repr(asc("total")) == "asc(total)"
