"""What each change does to stored documents, and which are refused before a server is asked."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from bson import ObjectId
from pydantic import Field

from boundwork import (
    Document,
    Embedded,
    TransactionFailed,
    add_to_set,
    any_of,
    current_date,
    each,
    inc,
    max_,
    min_,
    mul,
    pop,
    pull,
    push,
    set_,
    some,
    unset,
)
from boundwork.models.expressions import Change
from tests.contract.colours import define
from tests.contract.shop import Card, Payment


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Line(Embedded):
    sku: str
    quantity: int = Field(default=1, alias="q")
    parts: list[int] = []


class Address(Embedded):
    city: str = Field(alias="town")


class Item(Document[int], collection="items"):
    number: str = "n"
    colour: Colour = Colour.RED
    price: Annotated[Decimal, Field(ge=0)] = Decimal(2)
    count: int = 3
    weight: float = 1.5
    key: UUID = UUID(int=0)
    day: date = date(2024, 1, 1)
    waits: timedelta = timedelta(0)
    seen: datetime | None = None
    owner: ObjectId | None = None
    address: Address | None = None
    lines: list[Line] = []
    tags: list[str] = Field(default=["a", "b", "a"], alias="labels")
    marks: set[str] = {"x"}
    pair: tuple[int, int] = (1, 2)
    views: dict[str, int] = {"home": 1}
    extra: Any = None
    sealed: int = Field(default=0, frozen=True)
    code: str = Field()


OWNER = ObjectId("0123456789abcdef01234567")
MOMENT = datetime(2024, 2, 29, 12, tzinfo=UTC)
LINES = [Line(sku="x", q=1, parts=[1, 2]), Line(sku="y", q=5, parts=[2, 3]), Line(sku="x", q=9)]


def new_item(number: int) -> Item:
    return Item(id=number, lines=LINES, address=Address(town="Oslo"), code="c")


@pytest.fixture
async def items(database: Any, colour: str) -> Any:
    shop = define(colour, database, items=Item, payments=Payment)
    async with shop as uow:
        uow.items.add(new_item(1))
        uow.payments.add(Card(id=1, amount=1, holder="h"))
    return shop


async def changed(items: Any, *changes: Change) -> Item:
    """Return the document after the changes, as a later unit reads it."""
    async with items as uow:
        result = await uow.items.find(Item.id == 1).update(*changes)
    assert result.matched == 1
    async with items as uow:
        found: Item = await uow.items.get(1)
    return found


CASES: list[tuple[Change, str, object]] = [
    (set_(Item.number, "m"), "number", "m"),
    (set_(Item.colour, Colour.BLUE), "colour", Colour.BLUE),
    (set_(Item.price, Decimal("1.50")), "price", Decimal("1.50")),
    (set_(Item.key, UUID(int=9)), "key", UUID(int=9)),
    (set_(Item.day, date(2025, 5, 5)), "day", date(2025, 5, 5)),
    (set_(Item.waits, timedelta(hours=1)), "waits", timedelta(hours=1)),
    (set_(Item.seen, MOMENT), "seen", MOMENT),
    (set_(Item.owner, OWNER), "owner", OWNER),
    (set_(Item.address, None), "address", None),
    (set_(Item.address, Address(town="Bonn")), "address", Address(town="Bonn")),
    (set_(some(Item.address).city, "Bonn"), "address", Address(town="Bonn")),
    (set_(Item.tags, ["z"]), "tags", ["z"]),
    (set_(Item.marks, {"q", "p"}), "marks", {"p", "q"}),
    (set_(Item.views["shop"], 7), "views", {"home": 1, "shop": 7}),
    (set_(Item.lines[0].quantity, 4), "lines", [Line(sku="x", q=4, parts=[1, 2]), *LINES[1:]]),
    (unset(Item.number), "number", "n"),
    (unset(Item.views["home"]), "views", {}),
    (inc(Item.count, -5), "count", -2),
    (inc(Item.price, Decimal("0.25")), "price", Decimal("2.25")),
    (inc(Item.weight, 1), "weight", 2.5),
    (inc(Item.views["new"], 2), "views", {"home": 1, "new": 2}),
    (mul(Item.count, 4), "count", 12),
    (mul(Item.views["new"], 4), "views", {"home": 1, "new": 0}),
    (min_(Item.count, 2), "count", 2),
    (min_(Item.count, 9), "count", 3),
    (max_(Item.day, date(2025, 1, 1)), "day", date(2025, 1, 1)),
    (max_(Item.count, 1), "count", 3),
    (push(Item.tags, "c", "d"), "tags", ["a", "b", "a", "c", "d"]),
    (push(Item.tags, "c", at=0), "tags", ["c", "a", "b", "a"]),
    (push(Item.tags, "c", at=-1), "tags", ["a", "b", "c", "a"]),
    (push(Item.tags, "c", keep=-2), "tags", ["a", "c"]),
    (push(Item.tags, "c", at=0, keep=2), "tags", ["c", "a"]),
    (add_to_set(Item.marks, "x", "y"), "marks", {"x", "y"}),
    (add_to_set(Item.tags, "b", "c"), "tags", ["a", "b", "a", "c"]),
    (pull(Item.tags, "a", "c"), "tags", ["b"]),
    (pull(Item.tags, any_of(Item.tags) > "a"), "tags", ["a", "a"]),
    (pull(Item.lines, any_of(Item.lines).sku == "x", any_of(Item.lines).quantity > 5), "lines", LINES[:2]),
    (pull(Item.lines, LINES[1]), "lines", [LINES[0], LINES[2]]),
    (pop(Item.tags), "tags", ["a", "b"]),
    (pop(Item.tags, first=True), "tags", ["b", "a"]),
]


async def test_each_change_does_what_it_says(items: Any) -> None:
    async with items as uow:
        uow.items.add_all(new_item(1 + number) for number in range(1, len(CASES)))
        for number, (change, _, _) in enumerate(CASES):
            assert (await uow.items.find(Item.id == 1 + number).update(change)).matched == 1
    async with items as uow:
        found = await uow.items.get_many(range(1, len(CASES) + 1))
    wrong = [
        (change, getattr(item, name))
        for item, (change, name, value) in zip(found, CASES, strict=True)
        if getattr(item, name) != value
    ]
    assert wrong == []


async def test_each_means_all_elements_of_a_list_or_those_that_meet_conditions(items: Any) -> None:
    line = any_of(Item.lines)
    found = await changed(items, inc(each(Item.lines).quantity, 1))
    assert [part.quantity for part in found.lines] == [2, 6, 10]
    found = await changed(items, set_(each(Item.lines, line.sku == "x", line.quantity > 5).quantity, 0))
    assert [part.quantity for part in found.lines] == [2, 6, 0]
    found = await changed(items, set_(each(Item.lines, (line.sku == "y") | (line.quantity == 0)).sku, "z"))
    assert [part.sku for part in found.lines] == ["x", "z", "z"]
    found = await changed(items, set_(each(Item.tags, any_of(Item.tags) == "a"), "A"))
    assert found.tags == ["A", "b", "A"]


async def test_each_reaches_into_lists_in_lists(items: Any) -> None:
    line = any_of(Item.lines)
    chosen = each(Item.lines, line.sku == "x")
    found = await changed(items, inc(each(chosen.parts, any_of(line.parts) > 1), 10))
    assert [part.parts for part in found.lines] == [[1, 12], [2, 3], []]


async def test_several_changes_are_made_at_once(items: Any) -> None:
    x = each(Item.lines, any_of(Item.lines).sku == "x")
    found = await changed(items, inc(Item.count, 1), set_(Item.number, "m"), push(Item.tags, "c"), inc(x.quantity, 1))
    assert (found.count, found.number, found.tags[-1]) == (4, "m", "c")
    assert [part.quantity for part in found.lines] == [2, 5, 10]


async def test_the_time_of_the_server_can_be_stored(items: Any) -> None:
    found = await changed(items, current_date(Item.seen))
    assert found.seen is not None
    assert abs(datetime.now(UTC) - found.seen) < timedelta(minutes=5)


OPERATORS = [{"$ne": 1}, {"$each": [1]}, {"$inc": {"count": 1}}, {"$gt": ""}, {"$where": "1"}, {"a": {"$set": 1}}]


async def test_a_value_is_stored_as_it_is_and_never_an_operator(items: Any) -> None:
    async with items as uow:
        item, mine = await uow.items.get(1), Item.id == 1
        for value in OPERATORS:
            await uow.items.update_where(mine, set_(Item.extra, value))
            assert item.extra == value
            await uow.items.update_where(mine, set_(Item.extra, [0]))
            await uow.items.update_where(mine, push(Item.extra, value))
            assert item.extra == [0, value]
            await uow.items.update_where(mine, add_to_set(Item.extra, value))
            assert item.extra == [0, value]
            await uow.items.update_where(mine, pull(Item.extra, value))
            assert item.extra == [0]
            await uow.items.update_where(mine, set_(Item.extra, ""))
            await uow.items.update_where(mine, max_(Item.extra, value))
            assert item.extra == value
            assert item.count == 3


Untyped: Any = Item  # checkers see most of these mistakes
REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: set_(Untyped.colour, "r"), ValueError, r"set_\(Item.colour, ...\): the value of type str does not fit"),
    (lambda: set_(Untyped.price, Decimal(-1)), ValueError, "greater than or equal to 0"),
    (lambda: set_(Untyped.count, "5"), ValueError, "does not fit the field"),
    (lambda: set_(Untyped.count, True), ValueError, "does not fit the field"),
    (lambda: set_(Untyped.count, 2**70), ValueError, "does not fit 64 bits"),
    (lambda: set_(Untyped.number, None), ValueError, "takes no None"),
    (lambda: set_(Untyped.seen, datetime(2024, 1, 1)), ValueError, "no time zone"),  # noqa: DTZ001 - it is refused
    (lambda: set_(Untyped.number, Untyped.code), TypeError, "takes a value"),
    (lambda: set_(Untyped.address, LINES[0]), ValueError, "does not fit the field"),
    (lambda: set_(Untyped.views, {"a": "b"}), ValueError, r"fit the field at \[\.\.\.\]: "),  # a key is content
    (lambda: set_(Untyped.lines, [Line.model_construct(sku="", quantity="")]), ValueError, r"at 0\.quantity: "),
    (lambda: set_(Untyped.views["$inc"], 1), ValueError, "must not be empty, begin with"),
    (lambda: set_(Untyped.views["a.b"], 1), ValueError, "must not be empty, begin with"),
    (lambda: set_(any_of(Untyped.lines).sku, "x"), TypeError, r"does not say which elements.*each"),
    (lambda: set_("number", "m"), TypeError, "takes a field of the class"),
    (lambda: unset(Untyped.code), ValueError, "required"),
    (lambda: unset(Untyped.lines[0]), ValueError, "pull takes an element out"),
    (lambda: unset(each(Untyped.lines)), ValueError, "pull takes an element out"),
    (lambda: inc(Untyped.count, 1.5), TypeError, "takes int, not float"),
    (lambda: inc(Untyped.count, True), TypeError, "takes int, not bool"),
    (lambda: inc(Untyped.number, 1), TypeError, "holds a number"),
    (lambda: mul(Untyped.price, 1.5), TypeError, "takes int or Decimal, not float"),
    (lambda: push(Untyped.tags), ValueError, "no values"),
    (lambda: push(Untyped.tags, 5), ValueError, "does not fit the field"),
    (lambda: push(Untyped.marks, "y"), TypeError, "add_to_set"),
    (lambda: push(Untyped.pair, 5), TypeError, "says how many"),
    (lambda: push(Untyped.number, "y"), TypeError, "not a list"),
    (lambda: pop(Untyped.pair), TypeError, "says how many"),
    (lambda: pull(Untyped.lines, Untyped.number == "x"), ValueError, "no place in the elements"),
    (lambda: current_date(Untyped.day), TypeError, "holds a datetime"),
    (lambda: each(Untyped.lines).sku == "x", TypeError, r"each\(...\) is for changes"),
    (lambda: each(Untyped.lines, Untyped.number == "x"), ValueError, "no place in the elements"),
]


@pytest.mark.parametrize(("make", "kind", "text"), REFUSED)
def test_a_wrong_change_is_refused_where_it_is_written(
    make: Callable[[], Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        make()


def test_a_misspelt_field_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'count'"):
        inc(Untyped.cuont, 1)
    with pytest.raises(AttributeError, match="Did you mean 'quantity'"):
        unset(each(Untyped.lines).quantiy)


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ((), ValueError, "nothing to change"),
        ((set_(Item.id, 5),), ValueError, "the id of a document cannot change"),
        ((inc(Item.sealed, 5),), ValueError, "frozen"),
        ((set_(Payment.amount, 5),), TypeError, "not a field of Item"),
        ((inc(Item.count, 1), set_(Item.count, 5)), ValueError, "changed at once"),
        ((set_(Item.lines, []), inc(Item.lines[0].quantity, 5)), ValueError, "changed at once"),
        ((Item.count > 5,), TypeError, "A change is made by set_"),
        (({"$set": {"count": 5}},), TypeError, "A change is made by set_"),
    ],
)
async def test_changes_that_cannot_be_made_are_refused_before_the_server_is_asked(
    items: Any, changes: Any, kind: type[Exception], text: str
) -> None:
    async with items as uow:
        with pytest.raises(kind, match=text):
            await uow.items.find(Item.id == 1).update(*changes)
        assert (await uow.items.get(1)).count == 3
        with pytest.raises(ValueError, match="of which class"):
            await uow.payments.find().update(set_(Card.kind, "card"))


async def test_what_the_server_refuses_fails_the_unit_and_names_no_value(items: Any) -> None:
    with pytest.raises(TransactionFailed) as refused:
        async with items as uow:
            await uow.items.find(Item.id == 1).update(set_(Item.extra, "a secret"))
            await uow.items.find(Item.id == 1).update(push(Item.extra, "b"))
    assert "secret" not in str(refused.value)
    async with items as uow:
        assert (await uow.items.get(1)).extra is None


async def test_a_literal_keeps_its_values(database: Any, colour: str) -> None:
    class Job(Document[int], collection="items"):
        state: Literal["new", "done"] = "new"

    with pytest.raises(ValueError, match="does not fit"):
        set_(Job.state, "lost")
    shop = define(colour, database, jobs=Job)
    async with shop as uow:
        uow.jobs.add(Job(id=1))
        await uow.jobs.find().update(set_(Job.state, "done"))
        assert (await uow.jobs.get(1)).state == "done"
