"""Differences, changes and their text, from literals alone; what a server makes of them is tested on one."""

import datetime as dt
import re
import time
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from boundwork.alembic_like_migrations.autogenerate.changes import changes
from boundwork.alembic_like_migrations.autogenerate.differences import differences
from boundwork.alembic_like_migrations.autogenerate.forms import Form, Structure, form_of
from boundwork.alembic_like_migrations.autogenerate.python_text import Writer
from boundwork.alembic_like_migrations.autogenerate.rendering import body
from boundwork.alembic_like_migrations.autogenerate.scratch import LONGEST_NAME, made_at, scratch_name

ORDERS: dict[str, Any] = {"name": "orders", "type": "collection", "options": {}}


def orders(options: dict[str, Any] | None = None, *indexes: dict[str, Any]) -> Structure:
    return {"orders": form_of({**ORDERS, "options": options or {}}, [{"key": {"_id": 1}, "name": "_id_"}, *indexes])}


def index(name: str, /, **options: Any) -> dict[str, Any]:
    return {"v": 2, "key": {name: 1}, "name": f"{name}_1", **options}


def lines(wanted: Structure, found: Structure, *, drop: bool = False) -> list[str]:
    return list(body(changes(wanted, found, drop=drop)).up)


def test_equal_structures_differ_in_nothing_and_make_an_empty_body() -> None:
    assert differences(orders(), orders()) == ()
    assert (body(()).up, body(()).down) == ((), ())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (orders({}, index("a", expireAfterSeconds=60.0)), orders({}, index("a", expireAfterSeconds=Int64(60)))),
        (orders({}, index("a", background=True)), orders({}, index("a", sparse=False, v=1))),
        (orders({"validator": {}, "validationLevel": "off"}), orders()),
        (orders({"changeStreamPreAndPostImages": {"enabled": False}}), orders()),
        (
            orders({"validator": {"$jsonSchema": {"required": ["a", "b"], "bsonType": "object"}}}),
            orders({"validator": {"$jsonSchema": {"bsonType": "object", "required": ["b", "a"]}}}),
        ),
    ],
    ids=["numbers", "flags that are off", "no validator", "no images", "order without a meaning"],
)
def test_what_says_the_same_is_no_difference(one: Structure, other: Structure) -> None:
    assert differences(one, other) == ()


def test_differences_say_what_is_missing_extra_and_changed() -> None:
    wanted = orders({"capped": True, "size": 512}, index("a", unique=True), index("b"))
    found = {**orders({"capped": True, "size": 256}, index("a"), index("c")), "old": Form(name="old")}
    assert [str(one) for one in differences(wanted, found)] == [
        "old: extra collection",
        "orders.options.size: changed option, wanted 512, found 256",
        "orders.indexes.a_1.unique: changed index, wanted True, found None",
        "orders.indexes.b_1: missing index",
        "orders.indexes.c_1: extra index",
    ]


def test_the_order_of_the_keys_of_an_index_is_part_of_it() -> None:
    one, other = ({"key": keys, "name": "n"} for keys in ({"a": 1, "b": 1}, {"b": 1, "a": 1}))
    assert [one.path for one in differences(orders({}, one), orders({}, other))] == ["orders.indexes.n.key"]


def test_an_index_with_another_name_is_changed_instead_of_built_beside_the_old_one() -> None:
    wanted = orders({}, {**index("a"), "name": "by_a"})
    assert lines(wanted, orders({}, index("a"))) == [
        'op.change_index("orders", "a_1", {"key": {"a": 1}, "name": "by_a"}, {"key": {"a": 1}})'
    ]


def test_what_nobody_declares_is_a_comment_unless_it_is_to_be_dropped() -> None:
    proposed = lines(orders(), orders({}, index("a")))
    assert proposed[-2:] == ['# op.drop_index("orders", "a_1", was={"key": {"a": 1}})', "pass"]
    assert body(changes(orders(), orders({}, index("a")))).down == ()
    asked = lines(orders(), orders({}, index("a")), drop=True)
    assert asked[-1] == 'op.drop_index("orders", "a_1", was={"key": {"a": 1}})'


def test_what_the_server_cannot_change_is_said_in_a_comment() -> None:
    (first, *_) = lines(orders({"collation": {"locale": "de"}}), orders())
    assert first.startswith("# orders.options.collation is None and should be {'locale': 'de'}. The server cannot")


def test_a_validator_that_is_loosened_has_no_warning() -> None:
    narrow, wide = (orders({"validator": {"$jsonSchema": {"maxProperties": number}}}) for number in (3, 4))
    assert lines(wide, narrow)[0].startswith("op.set_validator(")
    assert lines(narrow, wide)[0].startswith("# Tightens")


def test_a_validator_that_is_a_plain_filter_is_written_so_that_it_stays_a_filter() -> None:
    wanted = orders({"validator": {"number": {"$gt": 1}}})
    assert lines(wanted, orders())[-1] == 'op.set_validator("orders", {"$and": [{"number": {"$gt": 1}}]}, was={})'


VALUES: list[Any] = [
    None,
    True,
    -1,
    2**40,
    1.5,
    float("inf"),
    'it\'s "quoted"',
    "two\nlines",
    b"bytes",
    ObjectId(),
    Decimal128("1.50"),
    Int64(3),
    Regex("^a", "i"),
    re.compile("b$"),
    dt.datetime(2026, 1, 2, 3, 4, 5, 6000),  # noqa: DTZ001 - drivers give naive ones
    dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    UUID(int=5),
    Binary(b"x", 128),
    Timestamp(1, 2),
    MinKey(),
    MaxKey(),
    Code("return 1"),
    DBRef("c", 1),
    {"a": [1, {"b": {}}], "": []},
    {"long": ["x" * 60, {"y" * 50: "z" * 70}]},
]


def read(writer: Writer, text: str) -> Any:
    module: dict[str, Any] = {}
    exec("\n".join(sorted(writer.imports)), module)  # noqa: S102 - our own text
    return eval(text, module)  # noqa: S307 - our own text


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_stored_value_is_written_as_python_that_gives_it_back(value: Any) -> None:
    writer = Writer()
    assert read(writer, writer.value(value)) == value


def test_the_name_of_a_scratch_database_says_when_it_was_made_and_only_such_names_are_taken_for_one() -> None:
    now = int(time.time())
    for name in ("shop", "s" * 63, "ü" * 31):
        made = scratch_name(name, now)
        assert len(made.encode()) <= LONGEST_NAME
        assert made_at(name, made) == now
        assert made_at("another", made) is None
        assert made_at(name, f"{name}_boundwork_production") is None
