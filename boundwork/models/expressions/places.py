"""Conditions on places of the earth, stored as GeoJSON points: `{"type": "Point", "coordinates": [longitude, latitude]}`.

All of them run inside a transaction (seen on mongod 6.0). A point is (longitude, latitude) in degrees, as GeoJSON has
it, and distances are metres. `near` orders by distance and needs a 2dsphere index; the others need none.
"""

from collections.abc import Sequence
from typing import Any

from boundwork.models.expressions.conditions import Comparison, Filter
from boundwork.models.expressions.fields import target_in

Point = tuple[float, float]
"""Longitude and latitude in degrees."""

EARTH_RADIUS_METRES = 6_378_100.0
_LONGITUDE, _LATITUDE = 180.0, 90.0
_LEAST_CORNERS = 3


def near(field: object, point: Point, *, metres: float | None = None, at_least: float | None = None) -> Filter:
    """Require that a place is near a point, the nearest first: at most `metres` away, and `at_least` so many.

    For `to_list`, `first` and the like; the server cannot count these: `count` takes `within_metres`.
    """
    test: dict[str, Any] = {"$geometry": {"type": "Point", "coordinates": _position("near", point)}}
    if metres is not None:
        test["$maxDistance"] = _distance("near", metres)
    if at_least is not None:
        test["$minDistance"] = _distance("near", at_least)
    return Comparison(target_in("near", field), {"$near": test})


def within_metres(field: object, centre: Point, metres: float) -> Filter:
    """Require that a place is at most so many metres away from a point; in no order."""
    circle = [_position("within_metres", centre), _distance("within_metres", metres) / EARTH_RADIUS_METRES]
    return Comparison(target_in("within_metres", field), {"$geoWithin": {"$centerSphere": circle}})


def within(field: object, corners: Sequence[Point]) -> Filter:
    """Require that a place is inside a polygon, given by its corners in turn; ValueError for less than three."""
    ring = [_position("within", corner) for corner in corners]
    if len(ring) < _LEAST_CORNERS:
        text = f"within takes a polygon of at least three corners, not of {len(ring)}."
        raise ValueError(text)
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    polygon = {"type": "Polygon", "coordinates": [ring]}
    return Comparison(target_in("within", field), {"$geoWithin": {"$geometry": polygon}})


def _position(word: str, point: Sequence[float]) -> list[float]:
    longitude, latitude = (_number(word, degrees) for degrees in point)
    if not -_LONGITUDE <= longitude <= _LONGITUDE or not -_LATITUDE <= latitude <= _LATITUDE:
        text = f"{word}: a point is (longitude, latitude), up to 180 and 90 degrees, in this order."
        raise ValueError(text)
    return [longitude, latitude]


def _distance(word: str, metres: float) -> float:
    number = _number(word, metres)
    if not number >= 0:
        text = f"{word}: a distance is a number of metres that is not negative."
        raise ValueError(text)
    return number


def _number(word: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = f"{word} takes degrees and metres as numbers, not {type(value).__name__}."
        raise TypeError(text)
    try:
        return float(value)
    except OverflowError:
        text = f"{word} takes degrees and metres, and was given a number that is too large for either."
        raise ValueError(text) from None
