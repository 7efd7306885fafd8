"""Orders whose parts hold nothing that could be changed in turn."""

from decimal import Decimal
from enum import Enum
from typing import Any

import bson
from pydantic import Field, field_validator

from boundwork.models import Document, Embedded
from boundwork.models.bson_types import decode_all
from boundwork.models.mapper import mapper_of
from boundwork.models.tracking import Tracker


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Parcel(Embedded):
    code: str
    grams: int
    fee: Decimal
    weight: float
    size: Size
    note: Any = Field(alias="n")


class Heavy(Parcel):
    crane: bool = True


class Place(Embedded):
    city: str
    postcode: str


class Crate(Embedded):
    parcel: Parcel


class Shipment(Document[int], collection="shipments"):
    parcels: list[Parcel]
    spare: list[Parcel] | None
    place: Place
    tags: list[str]
    sizes: list[Size]
    grid: list[list[int]]
    mixed: list[Any]
    either: list[Parcel | int]
    crate: Crate
    stops: list[Place]

    @field_validator("stops", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value or []


def parcel(code: str, grams: int = 1, note: Any = None) -> Parcel:
    return Parcel(code=code, grams=grams, fee=Decimal("1.0"), weight=0.0, size=Size.SMALL, n=note)


def shipment() -> Shipment:
    return Shipment(
        id=1,
        parcels=[parcel("a"), parcel("b"), parcel("c")],
        spare=[parcel("d")],
        place=Place(city="Bergen", postcode="5003"),
        tags=["x", "y"],
        sizes=[Size.SMALL, Size.LARGE],
        grid=[[1], [2]],
        mixed=[1, "two"],
        either=[parcel("e"), 5, parcel("f")],
        crate=Crate(parcel=parcel("g")),
        stops=[Place(city="Bergen", postcode="5003"), Place(city="Oslo", postcode="0150")],
    )


def loaded(stored: dict[str, Any] | None = None) -> tuple[Shipment, Tracker]:
    """Load a shipment that is attached to a tracker of its own."""
    mapper = mapper_of(Shipment)
    found = mapper.load(decode_all(bson.encode(stored or mapper.encode(shipment())))[0])
    tracker = Tracker()
    tracker.attach_all([found])
    return found, tracker


def update(found: Shipment, tracker: Tracker) -> dict[str, Any] | None:
    """Return the operators that would be sent, and take them as sent."""
    changes = tracker.changes_of(found)
    made = changes.update() if changes is not None else None
    if changes is not None:
        changes.flushed()
    return made.operators() if made is not None else None
