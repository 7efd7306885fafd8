"""A collection with members of two schema versions, for the tests about upcasts."""

from typing import Any

from pydantic import ConfigDict, Field

from boundwork import Document, Embedded, Upcast


def _slug(member: dict[str, Any]) -> dict[str, Any]:
    return {"slug": member["name"].lower()}


TO_2 = (
    Upcast(2)
    .rename_field("first_name", "name")
    .set_field("level", 1)
    .convert("age", "text to int")
    .rename_field("visits.shop", "visits.place")
)
TO_3 = Upcast(3).unset_field("legacy").convert("state", {"A": "active", "G": "gone"}).compute(_slug, fields=["slug"])


class OldVisit(Embedded):
    shop: str


class OldMember(Document[int], collection="club_members"):
    first_name: str
    age: str | None = None
    state: str = "A"
    legacy: str = "x"
    visits: list[OldVisit] = []
    points: int = 0


class Visit(Embedded):
    place: str


class Member(Document[int], collection="club_members", schema_version=3, upcasts=[TO_2, TO_3]):
    name: str
    level: int = 0
    age: int | None = None
    state: str = "active"
    visits: list[Visit] = []
    slug: str = ""
    points: int = 0


class AsStored(Document[int], collection="club_members"):
    model_config = ConfigDict(extra="allow")
    version: int | None = Field(None, alias="_sv")


async def ids_of(query: Any) -> list[int]:
    """Return the ids of the members that a query finds, in order."""
    return sorted(member.id for member in await query.to_list())
