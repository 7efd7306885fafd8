"""Whatever is put into whichever field of an embedded model: the insert refuses it, or it can be read back."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from bson import ObjectId

from boundwork.errors import InvalidDocument
from boundwork.models.mapper import mapper_of
from tests.unit.models.test_soundness import Colour, Leaf, Mail, Part, Plain, Web, write

JUNK: list[Any] = [
    None, True, 5, 1.5, -1, -1.5, [1.5], [-1.5], "too long", "x", "é", b"b", Decimal(2), Decimal("NaN"), ObjectId(), UUID(int=5), datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None), date(2026, 1, 1), time(2), timedelta(2), Colour.RED, Path("p"), IPv4Address("10.0.0.2"), [], [1], ["x"], (),
    (1,), (1, "x"), {1}, {"a": 1}, {1: "a"}, {"a": "b"}, Leaf(), Leaf.model_construct(n="x"), [Leaf()], [None], [[Leaf()]], {"a": Leaf()},
    {5: Leaf()}, {5: Leaf.model_construct(n="x")}, Web(), Web.model_construct(kind="mail"), Mail.model_construct(kind="mail", leaf=None),
    [Mail()], [Web.model_construct(kind=1)], Part.model_construct(), Part(), 1, "a", frozenset({1}), 2**70, object(), (Leaf(),),
]  # fmt: skip


@pytest.mark.parametrize("name", [*Part.model_fields])
def test_whatever_is_put_into_an_embedded_model_is_refused_or_can_be_read_back(name: str) -> None:
    mapper = mapper_of(Plain)
    for place, value in enumerate(JUNK):
        part = Part()
        document = Plain(id=1, part=part if place % 3 else Part(), parts=[Part(), part], by_name={"a": part})
        object.__setattr__(part, name, value)
        try:
            mapper.verify(document)
            mapper.encode(document)
        except InvalidDocument:
            with pytest.raises(InvalidDocument):
                write(document)
        else:
            write(document)
