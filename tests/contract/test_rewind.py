"""Objects are what they were after a rollback, however they were changed; each of these was wrong once."""

from typing import Any

import pytest
from pydantic import PrivateAttr

from boundwork import Document, Embedded, InvalidDocument, NotInUnit, StaleDocument
from tests.contract.colours import define
from tests.contract.rivals import elsewhere


class Part(Embedded):
    name: str = "part"
    marks: list[int] = []


class Note(Document[int], collection="notes"):
    text: str = ""
    tags: list[str] = []
    part: Part = Part()
    _log: list[str] = PrivateAttr(default_factory=list)


@pytest.fixture
async def notes(database: Any, colour: str) -> Any:
    """Return a definition with one note."""
    shop = define(colour, database, notes=Note)
    async with shop as uow:
        uow.notes.add(Note(id=1, text="first", tags=["a"]))
    return shop


async def _append_elsewhere(shop: Any, colour: str, tag: str) -> None:
    async def rival() -> None:
        async with shop as uow:
            (await uow.notes.get(1)).tags.append(tag)

    await elsewhere(colour, rival)


async def _stored(shop: Any, note_id: int = 1) -> Note | None:
    async with shop as uow:
        found: Note | None = await uow.notes.find_by_id(note_id)
        return found


async def _fail_inside(shop: Any, work: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with shop as inner:
            await work(inner)
            raise ZeroDivisionError


async def test_what_was_read_again_is_not_written_again(notes: Any, colour: str) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        assert note.tags == ["a"]
        await uow.commit()
        await _append_elsewhere(notes, colour, "rival")
        await uow.refresh(note)
        assert note.tags == ["a", "rival"]
    found = await _stored(notes)
    assert found is not None
    assert found.tags == ["a", "rival"]


async def test_a_document_that_was_added_and_removed_again_is_rewound_too(notes: Any) -> None:
    note = Note(id=2, text="new")
    with pytest.raises(ZeroDivisionError):
        async with notes as uow:
            uow.notes.add(note)
            note.text = "changed"
            uow.notes.remove(note)
            note.tags.append("later")
            raise ZeroDivisionError
    assert (note.text, note.tags) == ("new", [])
    async with notes as uow:
        uow.notes.add(note)
    assert await _stored(notes, 2) == note


async def test_a_document_that_a_nested_unit_withdraws_is_new_again_with_its_old_values(notes: Any) -> None:
    async with notes as uow:
        note = uow.notes.add(Note(id=2, text="new"))

        async def work(inner: Any) -> None:
            note.text = "changed"
            inner.notes.remove(note)
            assert await inner.notes.find_by_id(2) is None

        await _fail_inside(notes, work)
        assert note.text == "new"
        assert await uow.notes.get(2) is note
    assert await _stored(notes, 2) == note


async def test_a_withdrawn_document_is_not_written_and_may_be_added_again(notes: Any) -> None:
    async with notes as uow:
        note = uow.notes.add(Note(id=2))
        uow.notes.remove(note)
        note.text = "changed"
        await uow.flush()
        with pytest.raises(NotInUnit):
            uow.notes.remove(note)
        assert await uow.notes.count() == 1
        uow.notes.add(note)
    assert await _stored(notes, 2) == note


async def test_a_document_that_was_deleted_and_brought_back_is_rewound_to_its_entry(notes: Any) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        note.text = "changed"
        uow.notes.remove(note)
        await uow.flush()
        uow.notes.add(note)
        note.tags.append("b")
        await uow.flush()
        await uow.rollback()
        assert (note.text, note.tags) == ("first", ["a"])
        assert await uow.notes.get(1) is note


async def test_a_document_that_was_brought_back_stays_when_the_flush_of_that_is_undone(notes: Any) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        uow.notes.remove(note)
        await uow.flush()
        uow.notes.add(note)

        async def work(inner: Any) -> None:
            await inner.flush()

        await _fail_inside(notes, work)
        assert await uow.notes.get(1) is note
        assert await uow.notes.find().to_list() == [note]
    assert await _stored(notes) == note


async def test_a_private_list_that_is_held_is_rewound_each_time(notes: Any) -> None:
    async with notes as uow:
        log = (await uow.notes.get(1))._log
        for _ in range(2):
            log.append("held")
            await uow.rollback()
            assert log == []


async def test_private_values_go_back_to_the_last_commit_though_the_fields_were_read_again(
    notes: Any, colour: str
) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        note._log.append("committed")
        await uow.commit()
        await _append_elsewhere(notes, colour, "rival")
        note._log.append("lost")
        assert await uow.notes.get(1) is note
        await uow.rollback()
        assert (note._log, note.tags) == (["committed"], ["a", "rival"])


async def test_the_names_of_fields_that_were_set_are_rewound(notes: Any) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        note.model_fields_set.discard("text")
        note.part.model_fields_set.discard("name")
        await uow.rollback()
        assert note.model_fields_set == {"id", "text", "tags", "part"}
        assert note.part.model_fields_set == {"name", "marks"}


async def test_a_part_that_was_held_before_its_document_was_added_is_saved_and_rewound(notes: Any) -> None:
    note = Note(id=2)
    part = note.part
    async with notes as uow:
        uow.notes.add(note)
        await uow.flush()
        part.name = "held"
    found = await _stored(notes, 2)
    assert found is not None
    assert found.part.name == "held"
    other = Note(id=3)
    held = other.tags
    async with notes as uow:
        uow.notes.add(other)
        held.append("x")
        await uow.rollback()
        assert held == []


async def test_removing_a_document_whose_id_was_changed_removes_that_document(notes: Any) -> None:
    async with notes as uow:
        uow.notes.add(Note(id=2))
    async with notes as uow:
        note = await uow.notes.get(1)
        note.id = 2
        uow.notes.remove(note)
    assert await _stored(notes, 1) is None
    assert await _stored(notes, 2) is not None


async def test_the_id_of_a_document_that_was_added_cannot_change(notes: Any) -> None:
    async with notes as uow:
        note = uow.notes.add(Note(id=2))
        note.id = 3
        with pytest.raises(InvalidDocument, match="the id of a document in a unit cannot change"):
            await uow.flush()
        note.id = 2
    assert await _stored(notes, 2) == note


async def test_a_document_cannot_come_back_once_another_one_has_taken_its_id(notes: Any) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        uow.notes.remove(note)
        uow.notes.add(Note(id=1, text="second"))
        with pytest.raises(NotInUnit, match="another object with this id"):
            uow.notes.add(note)
    found = await _stored(notes)
    assert found is not None
    assert found.text == "second"


async def test_a_document_that_was_removed_stays_so_when_its_successor_is_withdrawn(notes: Any) -> None:
    async with notes as uow:
        uow.notes.remove(await uow.notes.get(1))
        second = uow.notes.add(Note(id=1, text="second"))
        uow.notes.remove(second)
        assert await uow.notes.find_by_id(1) is None
    assert await _stored(notes) is None


async def test_what_a_failed_nested_unit_read_again_stays_as_it_was_read(notes: Any, colour: str) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        note.tags.append("mine")
        await uow.commit()
        await _append_elsewhere(notes, colour, "rival")

        async def work(inner: Any) -> None:
            assert await inner.notes.get(1) is note
            note.text = "inner"

        await _fail_inside(notes, work)
        assert (note.text, note.tags) == ("first", ["a", "mine", "rival"])
        note.tags.append("after")
    found = await _stored(notes)
    assert found is not None
    assert (found.text, found.tags) == ("first", ["a", "mine", "rival", "after"])


async def test_a_removal_that_was_undone_leaves_a_document_guarded_that_was_not_read_again(
    notes: Any, colour: str
) -> None:
    with pytest.raises(StaleDocument):
        async with notes as uow:
            note = await uow.notes.get(1)
            await uow.commit()
            await _append_elsewhere(notes, colour, "rival")

            async def work(inner: Any) -> None:
                inner.notes.remove(note)

            await _fail_inside(notes, work)
            note.tags = ["mine"]
    found = await _stored(notes)
    assert found is not None
    assert found.tags == ["a", "rival"]


async def test_a_successor_stays_when_a_nested_unit_fails(notes: Any) -> None:
    async with notes as uow:
        uow.notes.remove(await uow.notes.get(1))
        second = uow.notes.add(Note(id=1, text="second"))
        await uow.flush()

        async def work(_: Any) -> None:
            second.text = "inner"

        await _fail_inside(notes, work)
        assert await uow.notes.get(1) is second
    found = await _stored(notes)
    assert found is not None
    assert found.text == "second"


async def test_a_document_does_not_come_back_under_another_id(notes: Any) -> None:
    async with notes as uow:
        note = await uow.notes.get(1)
        note.id = 2
        uow.notes.remove(note)
        await uow.flush()
        with pytest.raises(InvalidDocument):
            uow.notes.add(note)
            await uow.flush()
        await uow.rollback()
        assert note.id == 1
        assert await uow.notes.find_by_id(2) is None
    assert await _stored(notes) == note
