"""What models declare comes into being on every backend, as far as that backend keeps it, and the report says so."""

from decimal import Decimal
from typing import Any

import pytest

from boundwork import (
    CollectionOptions,
    Document,
    DuplicateKey,
    Index,
    InvalidDocument,
    SchemaNotEnsured,
    SchemaReport,
    Validation,
    desc,
    ensure_schema,
    ensure_schema_async,
)
from tests.contract.colours import define


class Member(Document[int], collection="members", indexes=[Index("email", unique=True), Index(desc("joined"))]):
    email: str
    joined: int = 0


class Price(Document[int], collection="prices", options=CollectionOptions(validation=Validation())):
    amount: Decimal


class Closed(Document[int], collection="closed", extra="forbid", options=CollectionOptions(validation=Validation())):
    value: int = 0


class HiddenMember(
    Document[int], collection="members", indexes=[Index("email", unique=True), Index(desc("joined"), hidden=True)]
):
    email: str
    joined: int = 0


@pytest.fixture
def ensure(database: Any, colour: str) -> Any:
    async def run(*models: type[Document[Any]], **keywords: Any) -> SchemaReport:
        if colour == "sync":
            return ensure_schema(database, models, **keywords)
        return await ensure_schema_async(database, models, **keywords)

    return run


async def test_unique_indexes_are_made_and_hold(ensure: Any, database: Any, colour: str) -> None:
    report = await ensure(Member)
    assert {"members", "members.indexes.email_1"} <= set(report.created)
    shop = define(colour, database, members=Member)
    async with shop as uow:
        uow.members.add(Member(id=1, email="a"))
    with pytest.raises(DuplicateKey) as caught:
        async with shop as uow:
            uow.members.add(Member(id=2, email="a"))
    assert caught.value.fields == ("email",)


async def test_a_second_time_there_is_nothing_to_do(ensure: Any) -> None:
    await ensure(Member)
    report = await ensure(Member)
    assert (report.created, report.updated, report.differing) == ((), (), ())
    assert report.matches


async def test_indexes_are_added_to_a_collection_that_is_in_use(ensure: Any, database: Any, colour: str) -> None:
    shop = define(colour, database, members=Member)
    async with shop as uow:
        uow.members.add(Member(id=1, email="a"))
    report = await ensure(Member)
    assert "members" not in report.created
    assert "members.indexes.email_1" in report.created


async def test_a_unique_index_over_equal_values_names_collection_and_index(
    ensure: Any, database: Any, colour: str, backend_name: str
) -> None:
    shop = define(colour, database, members=Member)
    async with shop as uow:
        uow.members.add_all([Member(id=1, email="secret"), Member(id=2, email="secret")])
    with pytest.raises(SchemaNotEnsured) as caught:
        await ensure(Member)
    assert (caught.value.collection, caught.value.code) == ("members", 11000)
    assert "email_1" in caught.value.indexes
    assert "secret" not in str(caught.value)


async def test_inside_a_unit_no_schema_is_ensured(ensure: Any, database: Any, colour: str) -> None:
    shop = define(colour, database, members=Member)
    async with shop as uow:
        uow.members.add(Member(id=1, email="a"))
        with pytest.raises(SchemaNotEnsured, match="before the unit"):
            await ensure(Member)
        async with uow.outside():
            with pytest.raises(SchemaNotEnsured, match="before the unit"):
                await ensure(Member)
    assert "members.indexes.email_1" in (await ensure(Member)).created


async def test_what_a_database_does_not_keep_is_named(ensure: Any, backend_name: str) -> None:
    report = await ensure(Member, Price)
    expected = ("members.indexes.joined_-1", "prices.options.validator") if backend_name == "memory" else ()
    assert report.not_kept == expected
    assert ("members.indexes.joined_-1" in report.created) is (backend_name != "memory")


async def test_a_validator_refuses_what_the_model_would_not_read(
    ensure: Any, database: Any, colour: str, backend_name: str
) -> None:
    class Loose(Document[int], collection="prices"):
        amount: Any

    await ensure(Price)
    shop = define(colour, database, prices=Price, loose=Loose)
    async with shop as uow:
        uow.prices.add(Price(id=1, amount=Decimal("1.5")))
    if backend_name == "memory":
        return  # it keeps no validators, and its report says so
    with pytest.raises(InvalidDocument, match="refused by the validator"):
        async with shop as uow:
            uow.loose.add(Loose(id=2, amount="much"))


async def test_what_was_assigned_as_another_type_is_refused_by_the_validator(
    ensure: Any, database: Any, colour: str, backend_name: str
) -> None:
    if backend_name == "memory":
        return  # it keeps no validators, and its report says so
    await ensure(Price)
    shop = define(colour, database, prices=Price)
    async with shop as uow:
        uow.prices.add(Price(id=1, amount=Decimal("1.5")))
    with pytest.raises(InvalidDocument, match="refused by the validator"):
        async with shop as uow:
            (await uow.prices.get(1)).amount = 5


async def test_differences_are_reported_and_mended_only_when_asked(ensure: Any, backend_name: str) -> None:
    if backend_name == "memory":
        return  # it has only what cannot be changed in place
    await ensure(Member)
    report = await ensure(HiddenMember)
    assert [one.path for one in report.differing] == ["members.indexes.joined_-1.hidden"]
    assert not report.matches
    updated = await ensure(HiddenMember, update=True)
    if backend_name == "embedded":  # it says yes to hiding an index and does not do it
        assert not updated.matches
        return
    assert [one.path for one in updated.updated] == ["members.indexes.joined_-1.hidden"]
    assert updated.matches
    assert (await ensure(HiddenMember)).differing == ()


async def test_a_document_whose_model_forbids_other_fields_can_be_locked(
    ensure: Any, database: Any, colour: str
) -> None:
    await ensure(Closed)
    shop = define(colour, database, closed=Closed)
    async with shop as uow:
        uow.closed.add(Closed(id=1))
    async with shop as uow:
        (await uow.closed.get(1, for_update=True)).value = 2
    async with shop as uow:
        assert (await uow.closed.get(1)).value == 2
