"""The documents that the tests of models store and load, and how."""

import enum
from functools import cached_property
from typing import Any, TypeVar

import bson
from bson import ObjectId
from pydantic import (
    BaseModel,
    PrivateAttr,
    computed_field,
)

from boundwork.models import Document, Embedded
from boundwork.models.mapper import mapper_of

HEX = "64b5f0c2a1b2c3d4e5f60718"
T = TypeVar("T")


class Status(enum.StrEnum):
    OPEN = "open"
    SHIPPED = "shipped"


class Line(Embedded):
    sku: str
    qty: int = 1


class Plain(BaseModel):
    name: str
    lines: list[Line] = []


class Order(Document, collection="orders"):
    status: Status = Status.OPEN
    customer_id: ObjectId | None = None
    lines: list[Line] = []
    plain: Plain | None = None
    _seen: list[str] = PrivateAttr(default_factory=list)

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def count(self) -> int:
        return len(self.lines)

    @cached_property
    def first(self) -> str:
        return self.lines[0].sku


def stored(document: Document[Any]) -> dict[str, Any]:
    return mapper_of(type(document)).encode(document)


def load(model: type[Any], values: dict[str, Any]) -> Any:
    mapper = mapper_of(model)
    return mapper.load(mapper.decode(bson.encode(values))[0])


def come_back(document: Document[Any]) -> Any:
    return load(type(document), stored(document))
