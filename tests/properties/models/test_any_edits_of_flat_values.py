"""Whatever is edited in lists and models of plain values, flush by flush: what is sent makes the database what Python holds."""

import copy
import os
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from boundwork.models.difference import same
from boundwork.models.kinds import is_array
from boundwork.models.mapper import mapper_of
from tests.properties.models.test_any_edits import applied
from tests.unit.models.parcels import Shipment, Size, loaded, parcel, update

EXAMPLES = 20_000 if os.environ.get("BOUNDWORK_LONG") else 150
VALUES: list[Any] = [1, True, 1.0, None, "s", 0.0, -0.0, Decimal("1.0"), Decimal("1.00"), Size.SMALL, Size.LARGE]
NAMES = ["code", "grams", "fee", "weight", "size", "note"]
EDITS = st.lists(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=6
    ),
    min_size=1,
    max_size=4,
)


def edit(found: Shipment, kind: int, place: int, name: str, value: Any) -> None:
    parcels = found.parcels
    match kind:
        case 0 | 1 | 2 if place < len(parcels):
            setattr(parcels[place], name, value)
        case 3 if place < len(parcels) and name in parcels[place].__dict__:
            delattr(parcels[place], name)
        case 4 if place < len(parcels):
            setattr(parcels[place], name, [value])
        case 5 if parcels:
            parcels.insert(place, parcels[-1])
        case 6 if parcels:
            parcels.pop(place % len(parcels))
        case 7:
            parcels.append(parcel("new", note=value))
        case 8:
            found.parcels = parcels[place:] + parcels[:place]
        case _:
            for item in parcels:
                part: Any = item.__dict__.get(name)
                if is_array(part):
                    part.append(value)
            found.tags[place:] = [name]
            found.place.city = name


@given(EDITS)
@settings(max_examples=EXAMPLES, deadline=None, database=None)
def test_any_edits_of_flat_values_are_written_and_rewound_exactly(rounds: list[list[Any]]) -> None:
    mapper = mapper_of(Shipment)
    found, tracker = loaded()
    before, database = copy.deepcopy(found), mapper.encode(found)
    for edits in rounds:
        for each in edits:
            edit(found, *each)
        made = update(found, tracker)
        database = applied(database, made or {})
        assert same(database, mapper.encode(found))
        assert update(found, tracker) is None
    changes = tracker.changes_of(found)
    if changes is not None:
        changes.rewind()
    assert found == before
    assert same(mapper.encode(found), mapper.encode(before))
