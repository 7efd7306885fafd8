"""Old documents meet what else a unit of work does: savepoints, locks, merges, tenants, soft removal, references, versions."""

from datetime import datetime
from typing import Any, Literal

import pytest
from pydantic import ConfigDict, Field, create_model

from boundwork import (
    CollectionOptions,
    Document,
    Index,
    Ref,
    StaleDocument,
    TenantMissing,
    Upcast,
    Validation,
    set_,
    stored_schema,
)
from tests.contract.colours import define
from tests.contract.rivals import elsewhere

TO_2 = Upcast(2).rename_field("called", "name").set_field("level", 1)
WITH_N = Upcast(2).set_field("n", 3)
LATE: Any = Literal["late"]
WITHOUT_TYPE = Upcast(2).unset_field("type")


class Shelf(Document[str], collection="lazy_shelves"):
    place: str


class OldBook(Document[int], collection="lazy_books", tenant_field="library", soft_delete="gone", versioned=True):
    library: str
    called: str
    shelf: Ref[Shelf, str] | None = None
    gone: datetime | None = None


class Book(
    Document[int],
    collection="lazy_books",
    tenant_field="library",
    soft_delete="gone",
    versioned=True,
    schema_version=2,
    upcasts=[TO_2],
):
    library: str
    name: str
    level: int = 0
    shelf: Ref[Shelf, str] | None = None
    gone: datetime | None = None


class AsStored(Document[int], collection="lazy_books"):
    model_config = ConfigDict(extra="allow")


@pytest.fixture
async def library(database: Any, colour: str) -> Any:
    """Return a definition of one library, in which two books are of the first version, and another one has a third."""
    old = define(colour, database, books=OldBook, shelves=Shelf)
    for number, name in ((1, "north"), (2, "north"), (3, "south")):
        async with old.for_tenant(name) as uow:
            if number == 1:
                uow.shelves.add(Shelf(id="s", place="door"))
            uow.books.add(OldBook(id=number, called=f"b{number}", library=name, shelf=Ref(Shelf, "s")))
    return define(colour, database, books=Book, shelves=Shelf).for_tenant("north")


@pytest.fixture
def stored(database: Any, colour: str) -> Any:
    async def look(key: int) -> dict[str, Any]:
        async with define(colour, database, books=AsStored) as uow:
            return dict((await uow.books.get(key)).model_extra or {})

    return look


async def test_a_unit_of_one_tenant_finds_and_changes_old_documents_of_that_one(library: Any, stored: Any) -> None:
    async with library as uow:
        books = await uow.books.find(Book.level == 1).sort(Book.name).to_list()
        assert [book.name for book in books] == ["b1", "b2"]
        assert await uow.books.count(Book.name == "b3") == 0
        assert (await uow.books.update_where(Book.level == 1, set_(Book.level, 5))).modified == 2
        assert books[0].level == 5
    assert (await stored(3))["called"] == "b3"
    assert (await stored(1))["_sv"] == 2


async def test_an_old_document_is_softly_removed_and_comes_back(library: Any, stored: Any) -> None:
    async with library as uow:
        uow.books.remove(await uow.books.get(1))
    assert (await stored(1))["_sv"] == 2
    async with library as uow:
        assert [book.id for book in await uow.books.find(Book.name == "b1").to_list()] == []
        [book] = await uow.books.find(Book.name == "b1").including_removed().to_list()
        uow.books.restore(book)
    async with library as uow:
        assert (await uow.books.get(1)).name == "b1"


async def test_a_savepoint_that_fails_leaves_an_old_document_as_it_was(library: Any, stored: Any) -> None:
    async with library as uow:
        book = await uow.books.get(1)
        with pytest.raises(ZeroDivisionError):
            async with uow:
                book.name = "inner"
                await uow.flush()
                raise ZeroDivisionError
        assert book.name == "b1"
        book.level = 7
    assert {**(await stored(1)), "gone": None} == {
        "_sv": 2, "name": "b1", "level": 7, "library": "north", "shelf": "s", "version": 1, "gone": None,
    }  # fmt: skip


async def test_an_old_document_is_locked_loaded_with_references_and_merged(library: Any, stored: Any) -> None:
    async with library as uow:
        book = await uow.books.get(1, for_update=True)
        book.level = 3
        [found] = await uow.books.find(Book.name == "b2").include(Book.shelf).to_list()
        assert uow.loaded(found.shelf).place == "door"
        copy = Book.model_validate({"id": 2, "name": "changed", "library": "north", "version": 0})
        merged = await uow.books.merge(copy)
        assert (merged.name, merged.level) == ("changed", 1)
    assert ((await stored(1))["level"], (await stored(2))["name"]) == (3, "changed")


async def test_a_rival_that_changed_an_old_document_is_noticed(library: Any, colour: str) -> None:
    with pytest.raises(StaleDocument):
        async with library as uow:
            book = await uow.books.get(1)

            async def rival() -> None:
                async with library as other:
                    (await other.books.get(1)).level = 9

            await elsewhere(colour, rival)
            book.level = 2


async def test_a_unit_that_was_told_no_tenant_still_meets_none(database: Any, colour: str, library: Any) -> None:
    with pytest.raises(TenantMissing):
        async with define(colour, database, books=Book) as uow:
            await uow.books.get(1)


def test_what_names_or_finds_a_document_cannot_be_upcast() -> None:
    def declared(upcast: Upcast, **keywords: Any) -> None:
        body = {"__module__": __name__, "__annotations__": {"owner": str, "kind": str, "n": int}, "n": 0}
        metaclass: Any = type(Document)
        metaclass("Wrong", (Document,), body, collection="wrong", schema_version=2, upcasts=[upcast], **keywords)

    declared(Upcast(2).set_field("n", 1))
    with pytest.raises(TypeError, match="is for the unit of work"):
        declared(Upcast(2).rename_field("o", "owner"), tenant_field="owner")
    with pytest.raises(TypeError, match="is part of every write"):
        declared(Upcast(2).unset_field("n.x"), shard_key=("n",))

    with pytest.raises(TypeError, match="unique index"):
        declared(Upcast(2).convert("n", "text to int"), indexes=[Index("n", unique=True)])


async def test_a_family_whose_base_lacks_the_discriminator_is_upcast(database: Any, colour: str) -> None:
    class OldFee(Document[int], collection="fees"):
        kind: str = Field(alias="type")

    class Fee(Document[int], collection="fees", discriminator="kind", schema_version=2, upcasts=[WITH_N]):
        n: int

    class Late(Fee):
        kind: Literal["late"] = Field(default="late", alias="type")

    async with define(colour, database, fees=OldFee) as uow:
        uow.fees.add(OldFee(id=1, type="late"))
    async with define(colour, database, fees=Fee) as uow:
        fee = await uow.fees.get(1)
        assert (type(fee), fee.n) == (Late, 3)


def test_an_upcast_of_what_tells_a_family_apart_is_refused_with_the_class_that_stores_it() -> None:
    class Fee(Document[int], collection="fees", discriminator="kind", schema_version=2, upcasts=[WITHOUT_TYPE]):
        pass

    with pytest.raises(TypeError, match=r"Late: the upcast to 2 changes 'type', but 'type' is for the unit of work"):
        create_model("Late", __base__=Fee, kind=(LATE, Field(default="late", alias="type")))


def test_a_validator_that_forbids_unknown_fields_allows_the_version() -> None:
    class Strict(
        Document[int], collection="lazy_strict", schema_version=2, options=CollectionOptions(validation=Validation())
    ):
        model_config = ConfigDict(extra="forbid")
        name: str

    assert "_sv" in stored_schema(Strict).schema["properties"]
