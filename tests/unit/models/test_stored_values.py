"""How single values are stored, and which of them, and which annotations, are refused because they could not be read back."""

import enum
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import Base64Bytes, Base64Str, Json, SecretStr, create_model

from boundwork.errors import InvalidDocument
from boundwork.models import Document, Embedded
from boundwork.models.decimal128 import DecimalRange, from_decimal
from boundwork.models.mapper import mapper_of
from tests.unit.models.documents import come_back


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Mixed(enum.Enum):
    NUMBER = 1
    TEXT = "1"


class Corner(enum.Enum):
    LOW = (0, 0)


class Part(Embedded):
    price: Decimal


def model_of(annotation: Any) -> Any:
    return create_model(
        "Holder", __base__=Document[int], __cls_kwargs__={"collection": "holders"}, value=(annotation, ...)
    )


@pytest.mark.parametrize("text", ["1" * 35, "1E6145", "1E-6177", "1." + "1" * 34])
def test_a_decimal_that_does_not_fit_is_refused_and_not_rounded(text: str) -> None:
    with pytest.raises(DecimalRange):
        from_decimal(Decimal(text))


def test_a_time_is_stored_in_milliseconds_of_utc() -> None:
    value = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    assert come_back(model_of(datetime)(id=1, value=value)).value == value.replace(microsecond=123000)


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (int, 2**63, "64 bits"),
        (datetime, datetime(2024, 1, 1), "time zone"),  # noqa: DTZ001 - on purpose
        (Decimal, Decimal("1" * 35), "34 significant digits"),
        (Any, [{"a": object()}], "object"),
        (Any, SecretStr("pw"), "StorePlain"),
        (Any, {1: "pw", "1": "pw"}, "two keys are stored as the same text"),
        (object, [{1: "pw", "1": "pw"}], "two keys are stored as the same text"),
        (dict, {"a": {1: "pw", "1": "pw"}}, "two keys are stored as the same text"),
        (dict[str, Any], {"a": {1: "pw", "1": "pw"}}, "two keys are stored as the same text"),
        (list, [{1: "pw", "1": "pw"}], "two keys are stored as the same text"),
    ],
)
def test_a_value_that_cannot_be_stored_is_named_without_being_shown(annotation: Any, value: Any, words: str) -> None:
    model = model_of(annotation)
    with pytest.raises(InvalidDocument, match=words) as caught:
        mapper_of(model).encode(model(id=7, value=value))
    assert caught.value.fields[0].startswith("value")
    assert caught.value.id == 7
    assert "pw" not in str(caught.value)


def test_the_path_to_a_value_that_cannot_be_stored_goes_through_lists_and_models() -> None:
    model = model_of(dict[str, list[Part]])
    document = model(id=1, value={"a": [Part(price=Decimal(1)), Part(price=Decimal("1" * 40))]})
    with pytest.raises(InvalidDocument) as caught:
        mapper_of(model).encode(document)
    assert caught.value.fields == ("value.[...].1.price",)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (timedelta | int, "both are stored as int"),
        (date | datetime, "both are stored as datetime"),
        (Path | str, "both are stored as str"),
        (Color | str, "both are stored as str"),
        (list[int] | set[int], "both are stored as array"),
        (Part | dict[str, int], "both are stored as document"),
        (SecretStr, "StorePlain"),
        (list[SecretStr], "StorePlain"),
        (dict[int | str, int], "keys"),
        (dict[Mixed, int], "keys are stored as text, and NUMBER and TEXT of Mixed as the same"),
        (list[dict[Corner, int]], "Corner.LOW cannot be a key: a key of type tuple has no form in BSON"),
        (Json[list[int]], "store the parsed value"),
        (Base64Bytes, "store it as plain bytes or str"),
        (list[Base64Str | None], "store it as plain bytes or str"),
    ],
)
def test_an_annotation_that_cannot_be_read_back_is_refused_when_the_class_is_defined(
    annotation: Any, words: str
) -> None:
    with pytest.raises(TypeError, match=words) as caught:
        create_model("Unclear", __base__=Document, value=(annotation, ...))
    assert "Unclear.value" in str(caught.value)


def test_a_set_is_stored_in_order() -> None:
    model = model_of(set[int])
    assert mapper_of(model).encode(model(id=1, value={30, 2, 100}))["value"] == [2, 30, 100]
