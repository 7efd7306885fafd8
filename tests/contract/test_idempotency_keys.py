"""Units with an idempotency key: at most one of a key commits, and anybody can ask whether one did."""

import asyncio
import pickle
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from boundwork import AlreadyCommitted, CommitRefused, NestedUnitOfWork, UnitFenced
from boundwork.uow.run_sync import run_sync
from tests.contract.colours import define
from tests.contract.shop import Account, Customer, Order


@pytest.fixture
def keyed(database: Any, colour: str) -> Any:
    """Return a function from a key to a definition whose units have it."""

    def definition(key: str) -> Any:
        return define(colour, database, {"idempotency_key": key}, orders=Order, accounts=Account)

    return definition


Work = Callable[[], Coroutine[Any, Any, None]]
Elsewhere = Callable[[Work], Coroutine[Any, Any, None]]


@pytest.fixture
def elsewhere(colour: str) -> Elsewhere:
    """Return what does some work in another thread or task, to its end."""

    async def done(work: Work) -> None:
        if colour == "sync":
            with ThreadPoolExecutor(1) as pool:
                pool.submit(run_sync, work()).result()
        else:
            await asyncio.create_task(work())

    return done


async def ids(shop: Any) -> list[int]:
    async with shop as uow:
        return sorted(account.id for account in await uow.accounts.find().to_list())


async def test_a_repeated_unit_does_nothing_and_hands_over_the_first_receipt(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=9))
    bodies = 0
    async with shop.unit(idempotency_key="pay 1") as uow:
        bodies += 1
        uow.accounts.add_all([Account(id=1), Account(id=2)])
        (await uow.accounts.get(9)).balance = 1
    with pytest.raises(AlreadyCommitted, match="'pay 1' has committed already") as caught:
        async with shop.unit(idempotency_key="pay 1") as uow:
            bodies += 1
    assert bodies == 1
    first = caught.value.receipt
    assert (first.inserted, first.updated, first.removed, first.commits) == (2, 1, 0, 1)
    assert caught.value.key == "pay 1"
    assert await ids(shop) == [1, 2, 9]


async def test_a_definition_may_have_a_key(shop: Any, keyed: Any) -> None:
    async with keyed("a") as uow:
        uow.accounts.add(Account(id=1))
    with pytest.raises(AlreadyCommitted):
        async with keyed("a"):
            pass
    async with keyed("a").unit(idempotency_key="b") as uow:
        uow.accounts.add(Account(id=2))
    assert await ids(shop) == [1, 2]


async def test_a_unit_that_failed_leaves_its_key_free(shop: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with shop.unit(idempotency_key="a") as uow:
            uow.accounts.add(Account(id=1))
            await uow.flush()
            raise ZeroDivisionError
    async with shop.unit(idempotency_key="a") as uow:
        uow.accounts.add(Account(id=1))
    assert await ids(shop) == [1]


async def test_a_unit_that_wrote_nothing_takes_its_key_as_well(shop: Any) -> None:
    async with shop.unit(idempotency_key="a"):
        pass
    with pytest.raises(AlreadyCommitted):
        async with shop.unit(idempotency_key="a"):
            pass


async def test_of_two_units_at_the_same_time_one_commits_and_the_other_learns_its_receipt(
    shop: Any, elsewhere: Elsewhere
) -> None:
    async def rival() -> None:
        async with shop.unit(idempotency_key="a") as other:
            other.accounts.add_all([Account(id=2), Account(id=3)])

    with pytest.raises(AlreadyCommitted) as caught:
        async with shop.unit(idempotency_key="a") as uow:
            mine = uow.accounts.add(Account(id=1))
            await elsewhere(rival)
            mine.balance = 7
    assert caught.value.receipt.inserted == 2
    assert await ids(shop) == [2, 3]


async def test_two_that_write_the_same_document_end_the_same_way(shop: Any, elsewhere: Elsewhere) -> None:
    async def rival() -> None:
        async with shop.unit(idempotency_key="a") as other:
            (await other.accounts.get(1)).balance += 1

    async with shop as uow:
        uow.accounts.add(Account(id=1))
    with pytest.raises(AlreadyCommitted):
        async with shop.unit(idempotency_key="a") as uow:
            mine = await uow.accounts.get(1)
            await elsewhere(rival)
            mine.balance += 1
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 1


async def test_without_replay_the_loser_learns_the_receipt_too(
    shop: Any, database: Any, colour: str, elsewhere: Elsewhere
) -> None:
    plain = define(colour, database, {"replay_seconds": 0.0}, accounts=Account)

    async def rival() -> None:
        async with shop.unit(idempotency_key="a") as other:
            other.accounts.add(Account(id=2))

    async with shop.unit(idempotency_key="the collection is there"):
        pass
    with pytest.raises(AlreadyCommitted):
        async with plain.unit(idempotency_key="a") as uow:
            uow.accounts.add(Account(id=1))
            await elsewhere(rival)
    assert await ids(shop) == [2]


async def test_the_loser_is_rolled_back_in_objects_and_hooks_too(shop: Any, elsewhere: Elsewhere) -> None:
    async def rival() -> None:
        async with shop.unit(idempotency_key="a"):
            pass

    async with shop as uow:
        uow.accounts.add(Account(id=1))
    done: list[str] = []
    mine: list[Account] = []
    with pytest.raises(AlreadyCommitted):
        async with shop.unit(idempotency_key="a") as uow:
            uow.on_commit(lambda: done.append("committed"))
            uow.on_rollback(lambda: done.append("rolled back"))
            mine.append(await uow.accounts.get(1))
            await elsewhere(rival)
            mine[0].balance = 7
    assert mine[0].balance == 0
    assert done == ["rolled back"]


async def test_the_outcome_of_a_unit_that_committed_is_its_receipt(shop: Any) -> None:
    async with shop.unit(idempotency_key="a") as uow:
        uow.accounts.add(Account(id=1))
    for _ in range(2):
        assert (await shop.outcome("a")).inserted == 1


async def test_the_outcome_of_a_unit_that_has_not_committed_is_none_for_ever(shop: Any) -> None:
    bodies = 0
    for _ in range(2):
        assert await shop.outcome("a") is None
    with pytest.raises(UnitFenced, match="'a' was fenced"):
        async with shop.unit(idempotency_key="a"):
            bodies += 1
    assert bodies == 0
    async with shop.unit(idempotency_key="b") as uow:
        uow.accounts.add(Account(id=1))
    assert await ids(shop) == [1]


async def test_a_question_inside_a_unit_is_not_a_write_that_left_it(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add(Account(id=1))
        await uow.flush()
        assert await shop.outcome("a") is None
    assert await ids(shop) == [1]


@pytest.mark.parametrize("replay_seconds", [0.0, 30.0])
async def test_a_unit_that_is_asked_about_while_it_works_cannot_commit(
    database: Any, shop: Any, colour: str, replay_seconds: float
) -> None:
    slow = define(colour, database, {"replay_seconds": replay_seconds}, accounts=Account)
    with pytest.raises(UnitFenced) as caught:
        async with slow.unit(idempotency_key="a") as uow:
            uow.accounts.add(Account(id=1))
            await uow.flush()
            assert await shop.outcome("a") is None
    assert caught.value.key == "a"
    assert await ids(shop) == []


async def test_a_key_stands_for_one_transaction(shop: Any) -> None:
    async with shop.unit(idempotency_key="a") as uow:
        uow.accounts.add(Account(id=1))
        with pytest.raises(CommitRefused, match="one transaction"):
            await uow.commit()
        await uow.rollback()
        uow.accounts.add(Account(id=2))
    assert await ids(shop) == [2]
    assert (await shop.outcome("a")).inserted == 1


async def test_a_nested_unit_has_no_key_of_its_own(keyed: Any, shop: Any) -> None:
    definition = keyed("a")
    async with definition as uow:
        uow.accounts.add(Account(id=1))
        async with definition:
            uow.accounts.add(Account(id=2))
    assert await ids(shop) == [1, 2]


async def test_an_independent_unit_cannot_have_the_key_of_the_one_around_it(keyed: Any, shop: Any) -> None:
    definition = keyed("a")
    async with definition as uow:
        uow.accounts.add(Account(id=1))
        with pytest.raises(NestedUnitOfWork, match="only one of them could commit"):
            async with definition.independent():
                pass
    assert await ids(shop) == [1]


async def test_hooks_before_the_commit_belong_to_the_keyed_work(shop: Any) -> None:
    async with shop.unit(idempotency_key="a") as uow:
        uow.before_commit(lambda: uow.accounts.add(Account(id=1)))
    assert (await shop.outcome("a")).inserted == 1


async def test_run_raises_what_says_that_the_work_was_done(keyed: Any, shop: Any) -> None:
    async def work(uow: Any) -> str:
        uow.accounts.add(Account(id=1))
        return "done"

    assert await keyed("a").run(work) == "done"
    with pytest.raises(AlreadyCommitted):
        await keyed("a").run(work)
    assert await ids(shop) == [1]


async def test_every_run_of_the_body_has_the_key(keyed: Any, shop: Any, database: Any, colour: str) -> None:
    rival = define(colour, database, accounts=Account)
    async with shop as uow:
        uow.accounts.add(Account(id=1))

    async def deposit(uow: Any) -> None:
        account = await uow.accounts.get(1)
        if uow.receipt.attempts == 1:
            async with rival.independent() as other:
                (await other.accounts.get(1)).balance = 100
        account.balance += 1

    await keyed("a").run(deposit)
    assert (await shop.outcome("a")).attempts == 2
    async with shop as uow:
        assert (await uow.accounts.get(1)).balance == 101


async def test_keys_are_texts_that_are_not_empty(database: Any, colour: str, shop: Any) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        define(colour, database, {"idempotency_key": ""}, customers=Customer)
    with pytest.raises(TypeError, match="is a str, and int was given"):
        async with shop.unit(idempotency_key=7):
            pass
    with pytest.raises(ValueError, match="must not be empty"):
        await shop.outcome("")


async def test_the_errors_can_be_pickled(shop: Any) -> None:
    async with shop.unit(idempotency_key="a"):
        pass
    with pytest.raises(AlreadyCommitted) as caught:
        async with shop.unit(idempotency_key="a"):
            pass
    twin = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert (twin.key, twin.receipt) == ("a", caught.value.receipt)
