"""A softly removed document stays stored: no read finds it unless asked to, and it can come back."""

from datetime import UTC, datetime, timedelta
from types import new_class
from typing import Any

import pytest

from boundwork import Document, DocumentNotFound, DuplicateKey, NotInUnit, StaleDocument, UnitDoomed, UpdateResult, set_
from tests.backends import Backend
from tests.contract.colours import define
from tests.contract.tenants import MODELS, Dog, Row, Task, Town


@pytest.fixture
async def desk(database: Any, colour: str) -> Any:
    shop = define(colour, database, tasks=Task, towns=Town)
    async with shop as uow:
        uow.tasks.add_all([Task(id=number, title=f"task {number}") for number in (1, 2, 3)])
    return shop


async def present(desk: Any) -> list[int]:
    async with desk as uow:
        return sorted([task.id for task in await uow.tasks.find().to_list()])


async def test_no_read_finds_what_was_removed_before_or_after_the_commit(desk: Any) -> None:
    async with desk as uow:
        task = await uow.tasks.get(1)
        before = datetime.now(UTC) - timedelta(seconds=1)
        uow.tasks.remove(task)
        assert task.done_at is not None
        assert before < task.done_at < before + timedelta(minutes=1)
        for _ in ("pending", "sent"):
            assert await uow.tasks.find_by_id(1) is None
            with pytest.raises(DocumentNotFound):
                await uow.tasks.get(1)
            with pytest.raises(DocumentNotFound):
                await uow.tasks.get_many([2, 1])
            await uow.flush()
    async with desk as uow:
        assert await uow.tasks.find_by_id(1) is None
        with pytest.raises(DocumentNotFound) as missing:
            await uow.tasks.get_many([2, 1, 3], for_update=True)
        assert missing.value.ids == (1,)
        assert sorted([task.id for task in await uow.tasks.find().to_list()]) == [2, 3]
        assert await uow.tasks.find(Task.id == 1).first() is None
        assert (await uow.tasks.count(), await uow.tasks.exists(Task.id == 1)) == (2, False)
        assert sorted(await uow.tasks.find().distinct(Task.id)) == [2, 3]
        assert [task.id async for task in uow.tasks.find().sort(Task.id).stream(1)] == [2, 3]
        assert [task.id for task in (await uow.tasks.find().page(9)).items] == [2, 3]
        stored = await uow.tasks.find(Task.id == 1).including_removed().one()
        assert stored.done_at == task.done_at
        assert await uow.tasks.find_by_id(1) is None


@pytest.mark.on_servers
async def test_an_aggregation_leaves_out_what_was_removed_there_and_in_what_it_joins(
    desk: Any, backend: Backend
) -> None:
    ids: list[dict[str, Any]] = [{"$project": {"_id": 1}}]
    joined: list[dict[str, Any]] = [
        {"$lookup": {"from": "tasks", "localField": "_id", "foreignField": "_id", "as": "x"}},
        {"$unwind": "$x"},
        {"$replaceRoot": {"newRoot": "$x"}},
    ]
    async with desk as uow:
        uow.tasks.remove(await uow.tasks.get(1))
        uow.towns.add_all([Town(id=number) for number in (1, 2)])
        assert sorted([row.id for row in await uow.tasks.aggregate(ids, into=Row)]) == [2, 3]
        assert sorted([row.id for row in await uow.tasks.aggregate(ids, into=Row, including_removed=True)]) == [1, 2, 3]
        assert [row.id for row in await uow.towns.aggregate(joined, into=Row)] == [2]
        lifted = await uow.towns.aggregate(joined, into=Row, including_removed=True)
        assert sorted([row.id for row in lifted]) == [1, 2]


async def test_a_removed_document_can_be_restored_in_the_same_unit_and_in_a_later_one(desk: Any) -> None:
    async with desk as uow:
        task = await uow.tasks.get(1)
        uow.tasks.remove(task)
        uow.restore(task)
        assert await uow.tasks.get(1) is task
        uow.remove(task)
        uow.add(task)
        assert await uow.tasks.get(1) is task
        uow.tasks.remove(task)
        await uow.flush()
        uow.tasks.restore(task)
        assert await uow.tasks.get(1) is task
        uow.tasks.remove(task)
    assert await present(desk) == [2, 3]
    async with desk as uow:
        task = await uow.tasks.find(Task.id == 1).including_removed().one()
        uow.tasks.restore(task)
        assert await uow.tasks.get(1) is task
    assert await present(desk) == [1, 2, 3]


async def test_what_was_changed_before_the_removal_is_kept_and_the_time_is_that_of_the_first(desk: Any) -> None:
    async with desk as uow:
        task = await uow.tasks.get(1)
        task.title = "changed"
        uow.tasks.remove(task)
        first = task.done_at
        uow.tasks.remove(task)
        task.steps.append("one")
        assert task.done_at == first
    assert uow.receipt.updated == 1
    assert uow.receipt.removed == 0
    async with desk as uow:
        stored = await uow.tasks.find(Task.id == 1).including_removed().one()
        assert (stored.title, stored.steps, stored.done_at) == ("changed", ["one"], first)


async def test_a_rollback_and_a_failed_savepoint_undo_a_removal_and_a_restoration(desk: Any) -> None:
    async with desk as uow:
        task = await uow.tasks.get(1)
        with pytest.raises(KeyError):
            async with uow:
                uow.tasks.remove(task)
                await uow.flush()
                raise KeyError
        assert task.done_at is None
        assert await uow.tasks.get(1) is task
        uow.tasks.remove(task)
        await uow.flush()
        await uow.rollback()
        assert task.done_at is None
        assert await uow.tasks.get(1) is task
        uow.tasks.remove(task)
        await uow.commit()
        with pytest.raises(KeyError):
            async with uow:
                uow.tasks.restore(task)
                await uow.flush()
                raise KeyError
        assert (bool(task.done_at), await uow.tasks.find_by_id(1)) == (True, None)
    assert await present(desk) == [2, 3]


async def test_after_a_commit_a_removed_document_is_still_the_unit_s_and_can_come_back(desk: Any) -> None:
    async with desk as uow:
        task = await uow.tasks.get(1)
        uow.tasks.remove(task)
        await uow.commit()
        assert await uow.tasks.find_by_id(1) is None
        with pytest.raises(DocumentNotFound):
            await uow.tasks.get_many([1])
        uow.tasks.restore(task)
        await uow.commit()
        assert await uow.tasks.get(1) is task
    assert await present(desk) == [1, 2, 3]


async def test_what_somebody_else_removed_is_gone_for_a_unit_that_knew_it(desk: Any) -> None:
    async with desk.unit() as uow:
        task = await uow.tasks.get(1)
        other = await uow.tasks.get(2)
        await uow.commit()
        async with desk.independent() as rival:
            rival.tasks.remove(await rival.tasks.get(1))
            (await rival.tasks.get(2)).title = "theirs"
        assert await uow.tasks.find_by_id(1) is None
        with pytest.raises(DocumentNotFound):
            await uow.refresh(task)
        await uow.rollback()
        uow.tasks.remove(other)
        with pytest.raises(StaleDocument):
            await uow.flush()
        await uow.rollback()


async def test_a_refresh_shows_a_removed_document_as_it_is_stored(desk: Any) -> None:
    async with desk as uow:
        task = await uow.tasks.get(1)
        uow.tasks.remove(task)
        await uow.refresh(task)
        assert task.done_at is not None
        assert await uow.tasks.find_by_id(1) is None


@pytest.mark.parametrize("rival_restores", [False, True])
async def test_a_removal_is_repeated_by_a_replay(desk: Any, rival_restores: bool) -> None:
    async with desk as uow:
        uow.tasks.remove(await uow.tasks.get(3))
    async with desk.unit() as uow:
        uow.tasks.remove(await uow.tasks.get(1))
        assert await uow.tasks.count() == 1
        if rival_restores:
            async with desk.independent() as rival:
                rival.tasks.restore(await rival.tasks.find(Task.id == 3).including_removed().one())
        await uow.core.restart()
        if rival_restores:
            with pytest.raises(UnitDoomed):
                await uow.tasks.count()
            await uow.rollback()
            return
        assert await uow.tasks.count() == 1
    assert await present(desk) == [2]


async def test_erased_is_gone_for_good(desk: Any) -> None:
    async with desk as uow:
        first, second = await uow.tasks.get_many([1, 2])
        uow.tasks.remove(first)
        await uow.flush()
        uow.tasks.erase(first)
        uow.erase(second)
        assert await uow.tasks.find(Task.id < 3).including_removed().to_list() == []
    assert (uow.receipt.removed, uow.receipt.updated) == (2, 1)
    async with desk as uow:
        assert [task.id for task in await uow.tasks.find().including_removed().to_list()] == [3]
        uow.tasks.add(Task(id=1, title="again"))
        town = uow.towns.add(Town(id=1))
        await uow.flush()
        uow.towns.erase(town)


async def test_removing_all_that_match_marks_them(desk: Any) -> None:
    async with desk as uow:
        first, third = await uow.tasks.get_many([1, 3])
        assert await uow.tasks.delete_where(Task.id < 3) == 2
        assert await uow.tasks.find_by_id(1) is None
        assert (first.done_at is None, third.done_at is None) == (False, True)
        assert await uow.tasks.find().update(set_(Task.title, "left")) == UpdateResult(1, 1)
        uow.tasks.restore(first)
        assert await uow.tasks.find().delete() == 2
    assert await present(desk) == []
    async with desk as uow:
        stored = await uow.tasks.find().sort(Task.id).including_removed().to_list()
        assert [task.title for task in stored] == ["task 1", "task 2", "left"]


async def test_what_the_unit_erased_can_come_back_until_the_commit(desk: Any) -> None:
    async with desk as uow:
        first, second = await uow.tasks.get_many([1, 2])
        uow.tasks.remove(first)
        uow.tasks.erase(first)
        uow.tasks.erase(second)
        uow.tasks.restore(first)
        await uow.flush()
        uow.tasks.restore(second)
    assert await present(desk) == [1, 2, 3]


async def test_what_was_removed_stays_so_where_one_of_many_cannot_be_added(desk: Any) -> None:
    async with desk as uow:
        marked, erased = await uow.tasks.get_many([1, 2])
        uow.tasks.remove(marked)
        uow.tasks.erase(erased)
        time = marked.done_at
        with pytest.raises(NotInUnit):
            uow.tasks.add_all([marked, erased, Task(id=4), Task(id=4)])
        assert marked.done_at == time
    assert await present(desk) == [3]


async def test_a_new_document_that_is_removed_was_never_there(desk: Any) -> None:
    async with desk as uow:
        task = uow.tasks.add(Task(id=4))
        uow.tasks.remove(task)
        assert await uow.tasks.find(Task.id == 4).including_removed().to_list() == []
        with pytest.raises(NotInUnit):
            uow.tasks.restore(task)


async def test_the_id_of_a_removed_document_stays_taken(desk: Any) -> None:
    async with desk as uow:
        uow.tasks.remove(await uow.tasks.get(1))
    async with desk.unit() as uow:
        assert not await uow.tasks.add_if_absent(Task(id=1))
        uow.tasks.add(Task(id=1))
        with pytest.raises(DuplicateKey):
            await uow.flush()
        await uow.rollback()


async def test_without_autoflush_a_query_leaves_out_what_is_about_to_be_removed(database: Any, colour: str) -> None:
    desk = define(colour, database, {"autoflush": False}, tasks=Task)
    async with desk as uow:
        uow.tasks.add_all([Task(id=1), Task(id=2)])
        await uow.flush()
        uow.tasks.remove(await uow.tasks.get(1))
        assert [task.id for task in await uow.tasks.find().to_list()] == [2]
        assert len(await uow.tasks.find().including_removed().to_list()) == 2


async def test_a_locked_unit_locks_removed_documents_as_well(database: Any, colour: str) -> None:
    desk = define(colour, database, {"isolation": "locked_reads"}, tasks=Task)
    async with desk as uow:
        uow.tasks.add(Task(id=1))
    async with desk as uow:
        uow.tasks.remove(await uow.tasks.get(1))
    async with desk as uow:
        task = await uow.tasks.find().including_removed().one()
        assert uow.core.workspace.log.locked
        uow.tasks.restore(task)
    assert await present(desk) == [1]


async def test_a_frozen_field_and_a_family_are_marked_as_well(database: Any, colour: str) -> None:
    zoo = define(colour, database, {"tenant": "zoo"}, **MODELS)
    async with zoo as uow:
        uow.dogs.add(Dog(id=1))
        uow.dogs.add(Dog(id=2))
    async with zoo as uow:
        uow.animals.remove(await uow.animals.get(1))
        assert [dog.id for dog in await uow.dogs.find().to_list()] == [2]
        assert await uow.cats.find().including_removed().to_list() == []
        assert len(await uow.dogs.find().including_removed().to_list()) == 2


async def test_models_without_soft_removal_say_so(desk: Any) -> None:
    async with desk as uow:
        town = uow.towns.add(Town(id=1))
        with pytest.raises(TypeError, match="Town declares no soft_delete"):
            uow.towns.restore(town)
        with pytest.raises(TypeError, match="Town declares no soft_delete"):
            uow.towns.find().including_removed()


def test_the_field_of_a_soft_removal_holds_a_time_or_nothing() -> None:
    def fields(namespace: dict[str, Any]) -> None:
        namespace.update(__annotations__={"gone": bool}, gone=False)

    with pytest.raises(TypeError, match=r"declare it as gone: datetime \| None = None"):
        new_class("Flagged", (Document,), {"collection": "flagged", "soft_delete": "gone"}, fields)
    with pytest.raises(TypeError, match="names 'gone', which is not a field"):
        new_class("Missing", (Document,), {"collection": "missing", "soft_delete": "gone"})
