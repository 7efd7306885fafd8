"""Whatever is edited: the update turns the old form into the new one, and rewinding gives the old one back."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.models.bson_types import MISSING
from boundwork.models.difference import Changed, Update, compare, same
from boundwork.models.kinds import is_array
from boundwork.models.mapper import mapper_of
from tests.unit.models.orders import Line, Order, loaded

STORED = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=True, width=16) | st.sampled_from(["", "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c.d", "$e", "", "0"]), inner, max_size=3)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b", "lines"]), STORED, max_size=3)


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Compare whole documents: the order counts inside of fields, not between them."""
    return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())


def applied(document: dict[str, Any], operators: dict[str, Any]) -> dict[str, Any]:
    """Apply update operators as MongoDB does; conflicting paths raise."""
    result = copy.deepcopy(document)
    paths = [path for change in operators.values() for path in change]
    for one in paths:
        assert not any(other != one and (other + ".").startswith(one + ".") for other in paths), "conflict"
    assert len(paths) == len(set(paths))
    for operator, change in operators.items():
        for path, value in sorted(change.items(), key=lambda pair: pair[0]):
            *parents, last = path.split(".")
            assert all(part and part[0] != "$" for part in (*parents, last))
            target: Any = result
            for part in parents:
                target = target[int(part) if is_array(target) else part]
            key: Any = int(last) if is_array(target) else last
            if operator == "$set":
                target[key] = value
            elif operator == "$unset":
                del target[key]
            else:
                target[key] = target[key] + value["$each"]
    return result


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=80, deadline=None, database=None)
def test_the_difference_turns_the_old_form_into_the_new_one(before: dict[str, Any], now: dict[str, Any]) -> None:
    changed = Changed()
    for name in {**before, **now}:
        compare(name, before.get(name, MISSING), now.get(name, MISSING), changed)
    operators = Update(changed.set, tuple(changed.unset), changed.push).operators()
    assert alike(applied(before, operators), now)
    assert bool(operators) is not alike(before, now)


EDITS = st.lists(
    st.tuples(st.sampled_from(["append", "pop", "qty", "reverse", "assign", "fact", "nest", "status", "delete", "tag"]),
              st.integers(0, 5)),
    max_size=8,
)  # fmt: skip


def edit(order: Order, kind: str, number: int) -> None:  # noqa: C901 - a list of edits
    match kind:
        case "append":
            order.lines.append(Line(sku=f"n{number}", qty=number))
        case "pop" if order.lines:
            order.lines.pop(number % len(order.lines))
        case "qty" if order.lines:
            order.lines[number % len(order.lines)].qty = number
        case "reverse":
            order.lines.reverse()
        case "assign":
            order.lines = [line.model_copy() for line in order.lines[:number]]
        case "fact":
            order.facts[f"k{number}"] = {"v": [number]}
        case "nest":
            order.facts.setdefault("deep", {"list": []})["list"].append({"n": number})
        case "status":
            order.status = f"s{number}"
        case "delete" if "price" in order.__dict__:
            del order.price
        case "tag" if order.lines:
            order.lines[0].notes.append(f"t{number}")
        case _:
            order.total += number


@given(EDITS, EDITS)
@settings(max_examples=25, deadline=None, database=None)
def test_any_edits_are_written_and_rewound_exactly(first: list[Any], second: list[Any]) -> None:
    mapper = mapper_of(Order)
    full = mapper.encode(Order(id=1, lines=[Line(sku="a", qty=1, notes=[]), Line(sku="b", qty=2, notes=["n"])]))
    order, tracker = loaded(**{name: value for name, value in full.items() if name != "_id"})
    before = copy.deepcopy(order)
    database = mapper.encode(before)
    for edits in (first, second):
        for kind, number in edits:
            edit(order, kind, number)
        changes = tracker.changes_of(order)
        if changes is not None:
            found = changes.update()
            if found is not None:
                mapper.verify(order, found.fields)
                database = applied(database, found.operators())
            changes.accept()
        assert same(database, mapper.encode(order))
    changes = tracker.changes_of(order)
    if changes is not None:
        changes.rewind()
    assert order == before
    assert order.model_fields_set == before.model_fields_set
    assert same(mapper.encode(order), full)
