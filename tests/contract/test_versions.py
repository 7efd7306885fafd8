"""What a versioned model counts, what its writes ask for, and what the error of a stale one says."""

from typing import Any

import pytest

from boundwork import Document, InvalidDocument, StaleDocument, inc, set_
from tests.contract.colours import define
from tests.contract.rivals import elsewhere
from tests.server.bank import raw, settled


class Draft(Document[str], collection="drafts", versioned=True):
    version: int = 0  # said, so that type checkers know it
    title: str
    words: int = 0
    code: str | None = None


class PlainDraft(Document[str], collection="drafts"):
    title: str


class Sheet(Document[str], collection="sheets", versioned="revision"):
    text: str = ""


@pytest.fixture
async def drafts(database: Any, colour: str) -> Any:
    shop = define(colour, database, drafts=Draft, plain=PlainDraft, sheets=Sheet)
    async with shop as uow:
        uow.drafts.add(Draft(id="A-17", title="first"))
    return shop


async def _rewrite(shop: Any, colour: str, times: int = 1) -> None:
    async def rival() -> None:
        for _ in range(times):
            async with shop as uow:
                (await uow.drafts.get("A-17")).words += 1

    await elsewhere(colour, rival)


async def test_each_update_counts_one_and_what_changes_nothing_counts_none(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        assert draft.version == 0
        draft.title = draft.title + ""
        await uow.flush()
        assert draft.version == 0
        draft.title = "second"
        await uow.flush()
        draft.words = 2
    assert draft.version == 2
    async with drafts as uow:
        assert (await uow.drafts.get("A-17")).version == 2
        assert await uow.drafts.count(Draft.version == 2) == 1


async def test_a_document_that_is_watched_as_a_whole_counts_as_well(drafts: Any, database: Any, colour: str) -> None:
    async with define(colour, database, {"concurrency": "serialize"}, drafts=Draft) as uow:
        draft = await uow.drafts.get("A-17")
        dict(draft)
        for words in (1, 2, 3):
            draft.words = words
            await uow.flush()
    assert draft.version == 3


async def test_a_document_that_changed_since_it_was_read_is_named_with_both_versions(drafts: Any, colour: str) -> None:
    draft: Any = None
    with pytest.raises(StaleDocument) as caught:
        async with drafts as uow:
            draft = await uow.drafts.get("A-17")
            await _rewrite(drafts, colour, times=2)
            draft.title = "mine"
    assert str(caught.value) == (
        "Draft 'A-17' changed since it was read (version 0, now 2). Nothing was written. "
        "Re-run the block (run or attempts), or read the draft again."
    )
    assert (caught.value.id, caught.value.expected_version, caught.value.found_version) == ("A-17", 0, 2)
    assert (draft.version, draft.title) == (0, "first")


async def test_the_same_is_said_of_a_document_that_a_query_had_found(drafts: Any, colour: str) -> None:
    with pytest.raises(StaleDocument, match=r"Draft 'A-17' changed since it was read \(version 0, now 1\)"):
        async with drafts as uow:
            [draft] = await uow.drafts.find(Draft.words == 0).to_list()
            async with drafts.independent() as other:
                (await other.drafts.get("A-17")).title = "other"
            draft.title = "mine"


async def test_a_document_that_was_deleted_meanwhile_is_said_to_be(drafts: Any, colour: str) -> None:
    async def rival() -> None:
        async with drafts as uow:
            uow.drafts.remove(await uow.drafts.get("A-17"))

    with pytest.raises(StaleDocument, match=r"\(version 0, now deleted\)") as caught:
        async with drafts as uow:
            draft = await uow.drafts.get("A-17")
            await elsewhere(colour, rival)
            draft.title = "mine"
    assert caught.value.found_version is None


async def test_after_a_commit_the_version_guards_what_was_not_read_again(drafts: Any, colour: str) -> None:
    draft: Any = None
    with pytest.raises(StaleDocument, match=r"\(version 1, now 2\)"):
        async with drafts as uow:
            draft = await uow.drafts.get("A-17")
            draft.title = "mine"
            await uow.commit()
            await _rewrite(drafts, colour)
            draft.title = "mine again"
    assert (draft.version, draft.title) == (1, "mine")


async def test_after_a_commit_the_unit_goes_on_from_the_version_that_it_wrote(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        draft.title = "one"
        await uow.commit()
        draft.title = "two"
        await uow.commit()
        assert (await uow.drafts.get("A-17")).version == 2
        uow.drafts.remove(draft)
    async with drafts as uow:
        assert await uow.drafts.find_by_id("A-17") is None


@pytest.mark.on_servers
async def test_a_call_of_the_driver_that_counts_on_is_met_by_an_update(drafts: Any) -> None:
    with pytest.raises(StaleDocument, match=r"\(version 0, now 5\)"):
        async with drafts as uow:
            draft = await uow.drafts.get("A-17")
            await settled(raw(uow).drafts.update_one({"_id": "A-17"}, {"$set": {"version": 5}}))
            draft.title = "mine"


@pytest.mark.on_servers
async def test_a_call_of_the_driver_that_counts_on_is_met_by_a_delete(drafts: Any) -> None:
    with pytest.raises(StaleDocument, match=r"\(version 0, now 5\)"):
        async with drafts as uow:
            draft = await uow.drafts.get("A-17")
            await settled(raw(uow).drafts.update_one({"_id": "A-17"}, {"$set": {"version": 5}}))
            uow.drafts.remove(draft)
    async with drafts as uow:
        assert await uow.drafts.find_by_id("A-17") is not None


@pytest.mark.on_servers
async def test_of_many_updates_the_one_that_met_nothing_is_named(drafts: Any) -> None:
    async with drafts as uow:
        uow.drafts.add_all([Draft(id=name, title="x") for name in "abc"])
    with pytest.raises(StaleDocument, match=r"Draft 'b' changed since it was read \(version 0, now 5\)"):
        async with drafts as uow:
            for draft in await uow.drafts.get_many("abc"):
                draft.words = 1
            await settled(raw(uow).drafts.update_one({"_id": "b"}, {"$set": {"version": 5}}))


async def test_a_rollback_restores_the_version(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        draft.title = "second"
        await uow.flush()
        assert draft.version == 1
        await uow.rollback()
        assert draft.version == 0
        draft.title = "third"
    async with drafts as uow:
        assert (await uow.drafts.get("A-17")).version == 1


async def test_a_nested_unit_that_fails_gives_its_version_back(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        draft.words = 1
        await uow.flush()
        with pytest.raises(ZeroDivisionError):
            async with drafts as inner:
                draft.words = 2
                await inner.flush()
                assert draft.version == 2
                raise ZeroDivisionError
        assert (draft.version, draft.words) == (1, 1)
        draft.words = 3
    async with drafts as uow:
        assert (await uow.drafts.get("A-17")).version == 2


async def test_a_refresh_reads_the_version_as_well(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        await uow.commit()
        async with drafts.independent() as other:
            (await other.drafts.get("A-17")).title = "other"
        await uow.refresh(draft)
        assert draft.version == 1
        draft.title = "mine"
    assert draft.version == 2


async def test_the_version_of_a_stored_document_is_for_reading_only(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        with pytest.raises(InvalidDocument, match="the version is counted by the unit"):
            draft.version = 7
        draft.version = 0  # the one that it has
        draft.title = "mine"
    assert draft.version == 1


async def test_a_version_written_past_the_attribute_is_refused_before_anything_is_sent(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17")
        del draft.version
        draft.title = "mine"
        sent = uow.core.session.commands
        with pytest.raises(InvalidDocument, match="version"):
            await uow.flush()
        assert uow.core.session.commands == sent
        await uow.rollback()


async def test_the_version_of_a_new_document_is_the_one_that_it_carries(drafts: Any) -> None:
    async with drafts as uow:
        new = Draft(id="new", title="x")
        uow.drafts.add(new)
        new.version = 4
        await uow.flush()
        with pytest.raises(InvalidDocument):
            new.version = 5
        new.title = "y"
    async with drafts as uow:
        assert (await uow.drafts.get("new")).version == 5


async def test_a_document_from_before_the_model_was_versioned_begins_with_none(drafts: Any, colour: str) -> None:
    async with drafts as uow:
        uow.plain.add(PlainDraft(id="old", title="x"))
        uow.plain.add(PlainDraft(id="older", title="x"))
    async with drafts as uow:
        old = await uow.drafts.get("old")
        assert old.version == 0
        old.title = "y"
        uow.drafts.remove(await uow.drafts.get("older"))
    assert old.version == 1
    async with drafts as uow:
        assert (await uow.drafts.get("old")).version == 1
        assert await uow.drafts.find_by_id("older") is None


async def test_a_version_may_have_another_name(drafts: Any) -> None:
    async with drafts as uow:
        uow.sheets.add(Sheet(id="a"))
    async with drafts as uow:
        sheet: Any = await uow.sheets.get("a")
        sheet.text = "x"
    assert sheet.revision == 1
    assert sheet.model_dump() == {"id": "a", "text": "x", "revision": 1}


async def test_documents_that_exchange_a_unique_value_count_once(drafts: Any, backend: Any, database_name: str) -> None:
    database = backend.sync_database(database_name)
    if backend.uri is None:
        database.create_unique_index("drafts", "code")
    else:
        database.drafts.create_index("code", unique=True)
    async with drafts as uow:
        uow.drafts.remove(await uow.drafts.get("A-17"))
        uow.drafts.add_all([Draft(id=name, title="x", code=name) for name in "ab"])
    async with drafts as uow:
        a, b = await uow.drafts.get_many("ab")
        a.code, b.code = b.code, a.code
    assert (a.version, b.version) == (1, 1)
    async with drafts as uow:
        assert [draft.version for draft in await uow.drafts.get_many("ab")] == [1, 1]


async def test_a_lock_is_no_update(drafts: Any) -> None:
    async with drafts as uow:
        draft = await uow.drafts.get("A-17", for_update=True)
    assert draft.version == 0
    async with drafts as uow:
        assert (await uow.drafts.get("A-17")).version == 0


async def test_run_repeats_a_body_that_met_a_newer_version(drafts: Any, colour: str) -> None:
    bodies: list[int] = []

    async def body(uow: Any) -> None:
        draft = await uow.drafts.get("A-17")
        bodies.append(draft.version)
        if len(bodies) == 1:
            await _rewrite(drafts, colour)
        draft.title = "mine"

    await drafts.run(body)
    assert bodies == [0, 1]


async def test_changes_of_many_documents_count_the_version_of_each(drafts: Any) -> None:
    async with drafts as uow:
        uow.drafts.add(Draft(id="B-1", title="other", version=0))
        draft = await uow.drafts.get("A-17")
        await uow.drafts.update_where(Draft.title != "", set_(Draft.words, 5))
        assert (draft.words, draft.version) == (5, 1)
        changed = await uow.drafts.find_and_update(Draft.title == "other", inc(Draft.words, 1))
        assert (changed.words, changed.version) == (6, 2)
        draft.words = 9
    assert draft.version == 2


async def test_no_change_of_many_documents_writes_the_version(drafts: Any) -> None:
    async with drafts as uow:
        with pytest.raises(ValueError, match="version is counted"):
            await uow.drafts.update_where(Draft.title != "", set_(Draft.version, 5))
