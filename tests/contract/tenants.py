"""The documents of the tests about tenants and soft removal."""

from datetime import datetime
from typing import Any, Literal

from bson import ObjectId
from pydantic import BaseModel, Field

from boundwork import Document


class Invoice(Document[int], collection="invoices", tenant_field="tenant"):
    tenant: str = Field(default="", alias="t")
    number: int = 0
    lines: list[str] = []


class Note(Document[int], collection="notes", tenant_field="owner", soft_delete="deleted_at"):
    owner: str = ""
    text: str = ""
    about: int | None = None
    deleted_at: datetime | None = Field(default=None, alias="gone")


class Town(Document[int], collection="towns"):
    name: str = ""


class Animal(Document[int], collection="animals", discriminator="kind", tenant_field="zoo", soft_delete="left"):
    zoo: str = Field(default="", frozen=True)
    left: datetime | None = None


class Cat(Animal):
    kind: Literal["cat"] = "cat"


class Dog(Animal):
    kind: Literal["dog"] = "dog"


class Task(Document[int], collection="tasks", soft_delete="done_at"):
    title: str = ""
    steps: list[str] = []
    done_at: datetime | None = None


class Numbered(Document, collection="numbered", tenant_field="owner"):
    owner: ObjectId | None = None


class Row(BaseModel, frozen=True):
    id: int


MODELS: dict[str, type[Document[Any]]] = {
    "invoices": Invoice,
    "notes": Note,
    "towns": Town,
    "animals": Animal,
    "cats": Cat,
    "dogs": Dog,
    "tasks": Task,
}
