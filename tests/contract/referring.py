"""Documents that refer to each other, for the tests of references."""

from bson import ObjectId

from boundwork import Document, Embedded, Index, Ref


class Region(Document[str], collection="regions"):
    name: str = ""


class Buyer(Document[str], collection="buyers"):
    name: str = ""
    region: Ref[Region, str] | None = None


class Item(Document, collection="items"):
    name: str = ""
    parts: list[Ref["Item"]] = []


class Position(Embedded):
    item: Ref[Item, ObjectId]
    quantity: int = 1


class Sale(Document[int], collection="sales", indexes=[Index("buyer"), Index("positions.item")]):
    buyer: Ref[Buyer, str]
    payer: Ref[Buyer] | None = None
    positions: list[Position] = []
    before: Ref["Sale", int] | None = None
    by_kind: dict[str, Ref[Item]] = {}
