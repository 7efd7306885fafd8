"""From python field names to stored paths."""

import copy
import pickle

import pytest

from boundwork.models.expressions import FieldExpression, any_of, compile_filter, some
from tests.unit.expressions.shop import Order, Status, field


def path_of(expression: object) -> str:
    """Return the one stored path of a field."""
    assert isinstance(expression, FieldExpression)
    return next(iter(compile_filter(Order, expression == "x")))


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        (field("number"), "number"),
        (field("address").city, "address.city"),
        (field("address").zip_code, "address.zipCode"),
        (some(field("billing")).zip_code, "billing.zipCode"),
        (field("billing").city, "billing.city"),
        (any_of(field("lines")).sku, "lines.sku"),
        (any_of(field("lines")).price, "lines.p"),
        (any_of(any_of(field("lines")).parts).code, "lines.parts.code"),
        (any_of(field("tags")), "tags"),
        (field("payment").number, "payment.number"),
        (field("payment").bank, "payment.bankCode"),
        (field("labels")["colour"], "labels.colour"),
        (field("meta")["a"]["b"], "meta.a.b"),
        (field("extra")["a"][0], "extra.a.0"),
        (field("lines")[0].sku, "lines.0.sku"),
        (any_of(field("replies")).text, "replies.text"),
        (any_of(any_of(field("replies")).replies).text, "replies.replies.text"),
        (field("path"), "path"),
        (any_of(field("route").root).zip_code, "route.zipCode"),
        (field("parcel").content.code, "parcel.content.code"),
    ],
)
def test_a_field_is_found_under_its_stored_name(expression: object, path: str) -> None:
    assert path_of(expression) == path


def test_a_misspelt_field_names_the_nearest_one() -> None:
    with pytest.raises(AttributeError, match=r"Order has no field 'statsu'. Did you mean 'status'\?"):
        field("statsu")


def test_a_misspelt_field_of_an_embedded_model_names_the_nearest_one() -> None:
    with pytest.raises(AttributeError, match=r"Order.address has no field 'zipcode'. Did you mean 'zip_code'\?"):
        _ = field("address").zipcode


def test_a_name_like_no_other_lists_the_fields() -> None:
    with pytest.raises(AttributeError, match="Its fields are: city, zip_code"):
        _ = field("address").xyzzy


def test_a_list_is_entered_only_by_any_of() -> None:
    with pytest.raises(AttributeError, match=r"Write any_of\(Order.lines\).sku"):
        _ = field("lines").sku


def test_a_text_method_is_answered_with_the_functions_for_text() -> None:
    with pytest.raises(AttributeError, match="starts_with, contains and regex"):
        _ = field("number").startswith


def test_any_of_refuses_a_field_that_is_no_list() -> None:
    with pytest.raises(TypeError, match="not a list, set or tuple"):
        any_of(field("number"))


def test_a_field_stored_differently_by_the_members_of_a_union_is_refused() -> None:
    with pytest.raises(AttributeError, match="several names"):
        _ = field("refund").number


@pytest.mark.parametrize("key", ["", "$where", "a.b", "a\0"])
def test_a_dict_key_cannot_bend_the_path(key: str) -> None:
    with pytest.raises(ValueError, match="a key in a path"):
        _ = field("labels")[key]


@pytest.mark.parametrize("key", [-1, True, 1.5, None])
def test_a_position_is_a_whole_number_from_zero(key: object) -> None:
    with pytest.raises(TypeError, match="takes the str key"):
        _ = field("lines")[key]


def test_a_model_has_no_keys() -> None:
    with pytest.raises(TypeError, match="no str keys"):
        _ = field("address")["city"]


@pytest.mark.parametrize("word", [some, any_of])
def test_a_value_in_place_of_a_field_is_refused(word: object) -> None:
    assert callable(word)
    with pytest.raises(TypeError, match="takes a field of the class"):
        word("number")


def test_iterating_a_field_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Write any_of\(Order.tags\)"):
        list(field("tags"))


def test_in_is_refused() -> None:
    with pytest.raises(TypeError, match=r"any_of\(Order.tags\) == value"):
        _ = "x" in field("tags")
    with pytest.raises(TypeError, match=r"in_\(field, values\)"):
        _ = field("status") in [Status.OPEN, Status.SENT]


def test_fields_are_keys_of_a_dict_by_identity() -> None:
    one, other = field("number"), field("number")
    assert {one: 1, other: 2}[one] == 1


def test_a_field_can_be_copied_and_pickled() -> None:
    assert path_of(copy.deepcopy(field("address").city)) == "address.city"
    assert path_of(pickle.loads(pickle.dumps(field("address").city))) == "address.city"  # noqa: S301 - our own bytes


def test_the_repr_is_what_the_program_wrote() -> None:
    assert repr(any_of(field("lines")).price) == "<FieldExpression any_of(Order.lines).price>"
    assert "secret" not in repr(field("labels")["secret"])
