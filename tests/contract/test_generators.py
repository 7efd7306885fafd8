"""Generators that hold a unit: those of managers and fixtures nest; one that a loop drives keeps its unit to itself."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from functools import partial
from itertools import islice
from typing import Any

import pluggy
import pytest

from boundwork import NestedUnitOfWork, Repository
from tests.contract.banks import NUMBERS, balances, fill
from tests.server.bank import Account, AsyncBank, Bank

unbound = Repository(Account)


def rows(bank: Bank) -> Generator[Account]:
    with bank as uow:
        yield from uow.accounts.find().sort(Account.id)


def through(bank: Bank) -> Generator[Account]:
    yield from rows(bank)


def held_rows(bank: Bank) -> Generator[Account]:
    with bank.unit() as uow:
        yield from uow.accounts.find().sort(Account.id)


def attempted_rows(bank: Bank) -> Generator[Account]:
    for attempt in bank.attempts():
        with attempt as uow:
            yield from uow.accounts.find().sort(Account.id)


async def async_rows(bank: AsyncBank) -> AsyncGenerator[Account]:
    async with bank as uow:
        for account in await uow.accounts.find().sort(Account.id).to_list():
            yield account


def deposit(bank: Bank, number: int) -> None:
    with bank as uow:
        uow.accounts.get(number).balance = 7


async def async_deposit(bank: AsyncBank, number: int) -> None:
    async with bank as uow:
        (await uow.accounts.get(number)).balance = 7


@pytest.fixture(autouse=True)
def filled(bank: Bank) -> None:
    fill(bank)


@pytest.mark.parametrize("generator", [rows, through, held_rows, attempted_rows])
def test_a_unit_in_the_loop_of_a_generator_that_holds_one_is_refused(bank: Bank, generator: Any) -> None:
    with pytest.raises(NestedUnitOfWork, match=r"belongs to the generator .*rows\(\), which is suspended"):
        for account in generator(bank):
            deposit(bank, account.id)
            break
    assert balances(bank) == [0, 0, 0]


def test_a_unit_in_a_loop_over_what_wraps_a_generator_is_refused(bank: Bank) -> None:
    with pytest.raises(NestedUnitOfWork):
        for account, _ in zip(islice(rows(bank), 2), range(9), strict=False):
            deposit(bank, account.id)
    with pytest.raises(NestedUnitOfWork):
        next(bank.accounts.get(account.id) for account in rows(bank))
    assert balances(bank) == [0, 0, 0]


def test_words_of_the_definition_are_refused_there_and_those_of_the_unit_are_not(bank: Bank) -> None:
    def units() -> Generator[Bank]:
        with bank as uow:
            yield uow

    words: list[Callable[[int], object]] = [bank.accounts.get, unbound.get, partial(deposit, bank)]
    for uow in units():
        for word in words:
            with pytest.raises(NestedUnitOfWork):
                word(1)
        uow.accounts.get(1).balance = 7
        with uow:
            uow.accounts.get(2).balance = 7
    assert balances(bank) == [0, 7, 7]


def test_a_generator_uses_its_own_unit_through_the_definition_too(bank: Bank) -> None:
    def deposits() -> Generator[int]:
        with bank:
            for number in range(NUMBERS):
                bank.accounts.get(number).balance = 1
                unbound.get(number).balance += 1
                deposit(bank, 1)
                yield number

    assert [number for number in deposits() if number] == [1, 2]
    assert balances(bank) == [2, 7, 2]


def test_a_nested_unit_of_a_generator_refuses_its_loop_as_well(bank: Bank) -> None:
    with bank as uow:
        uow.accounts.get(0).balance = 7
        uow.flush()
        with pytest.raises(NestedUnitOfWork):
            for account in rows(bank):
                deposit(bank, account.id)
                break
        deposit(bank, 1)
    assert balances(bank) == [7, 7, 0]


def test_a_separate_unit_is_allowed_in_the_loop(bank: Bank) -> None:
    for account in rows(bank):
        with bank.independent() as uow:
            uow.accounts.get(account.id).balance = 7
        break
    assert balances(bank) == [7, 0, 0]


def test_once_the_generator_has_ended_units_are_free_again(bank: Bank) -> None:
    for account in list(rows(bank)):
        deposit(bank, account.id)
    with closing(rows(bank)) as generator:
        for _ in generator:
            break
    deposit(bank, 0)
    assert balances(bank) == [7, 7, 7]


async def test_a_unit_in_an_asynchronous_loop_over_such_a_generator_is_refused(async_bank: AsyncBank) -> None:
    generator: Any = async_rows(async_bank)
    with pytest.raises(NestedUnitOfWork):
        async for account in generator:
            await async_deposit(async_bank, account.id)
    await generator.aclose()
    generator = async_rows(async_bank)
    async for _ in generator:
        with pytest.raises(NestedUnitOfWork):
            await async_bank.accounts.count()
        async with async_bank.independent() as uow:
            (await uow.accounts.get(1)).balance = 7
        break
    await generator.aclose()
    await async_deposit(async_bank, 2)
    assert await balances(async_bank) == [0, 7, 7]


@contextmanager
def in_unit(bank: Bank) -> Generator[Bank]:
    with bank as uow:
        yield uow


def test_managers_made_from_generators_nest(bank: Bank) -> None:
    with in_unit(bank) as uow, in_unit(bank):
        deposit(bank, 0)
        bank.accounts.get(1).balance = 7
        with pytest.raises(KeyError), in_unit(bank):
            deposit(bank, 2)
            raise KeyError
        assert uow.core is bank.core
    assert balances(bank) == [7, 7, 0]


def test_a_manager_made_from_a_generator_is_a_decorator_too(bank: Bank) -> None:
    @in_unit(bank)
    def work() -> None:
        deposit(bank, 0)
        bank.accounts.get(1).balance = 7

    for _ in range(2):
        work()
    assert balances(bank) == [7, 7, 0]


def test_a_manager_whose_generator_delegates_to_another_nests(bank: Bank) -> None:
    def inner() -> Generator[Bank]:
        with bank as uow:
            yield uow

    @contextmanager
    def outer() -> Generator[Bank]:
        yield from inner()

    with outer():
        deposit(bank, 0)
    assert balances(bank) == [7, 0, 0]


def test_a_loop_inside_a_manager_is_the_manager_s(bank: Bank) -> None:
    for number in range(NUMBERS):
        with in_unit(bank):
            deposit(bank, number)
    assert balances(bank) == [7, 7, 7]


async def test_asynchronous_managers_made_from_generators_nest(async_bank: AsyncBank) -> None:
    @asynccontextmanager
    async def in_unit() -> AsyncGenerator[AsyncBank]:
        async with async_bank as uow:
            yield uow

    async with in_unit(), in_unit() as uow:
        await async_deposit(async_bank, 0)
        (await async_bank.accounts.get(1)).balance = 7
        with pytest.raises(KeyError):
            async with in_unit():
                await async_deposit(async_bank, 2)
                raise KeyError
        assert uow.core is async_bank.core
    assert await balances(async_bank) == [7, 7, 0]


async def test_dependencies_that_a_framework_keeps_on_a_stack_nest(async_bank: AsyncBank, bank: Bank) -> None:
    async def asynchronous() -> AsyncGenerator[AsyncBank]:
        async with async_bank as uow:
            yield uow

    async def handler(uow: AsyncBank) -> None:
        await async_deposit(async_bank, 0)
        (await uow.accounts.get(1)).balance = 7

    async with AsyncExitStack() as stack:
        await handler(await stack.enter_async_context(asynccontextmanager(asynchronous)()))
    async with AsyncExitStack() as stack:
        stack.enter_context(in_unit(bank))
        deposit(bank, 2)
    assert balances(bank) == [7, 7, 7]


@pytest.fixture
def in_fixture(bank: Bank, filled: None) -> Generator[Bank]:
    with bank as uow:
        yield uow
    assert balances(bank) == [7, 0, 0]


def test_a_unit_of_a_fixture_nests(bank: Bank, in_fixture: Bank) -> None:
    deposit(bank, 0)
    assert bank.accounts.get(0) is in_fixture.accounts.get(0)


@pytest.fixture
async def in_async_fixture(async_bank: AsyncBank, bank: Bank, filled: None) -> AsyncGenerator[AsyncBank]:
    # The fixtures and the test are tasks of their own for pytest-asyncio.
    async with async_bank.unit(handover=True) as uow:
        yield uow
    assert await balances(async_bank) == [7, 7, 0]


async def test_a_unit_of_an_asynchronous_fixture_is_handed_over(
    async_bank: AsyncBank, in_async_fixture: AsyncBank
) -> None:
    async with in_async_fixture as uow:
        (await uow.accounts.get(0)).balance = 7
    (await in_async_fixture.accounts.get(1)).balance = 7
    with pytest.raises(ZeroDivisionError):
        async with in_async_fixture:
            (await in_async_fixture.accounts.get(2)).balance = 7
            raise ZeroDivisionError


@pytest.fixture
def in_held_fixture(bank: Bank, filled: None) -> Generator[Bank]:
    with bank.unit() as uow:
        yield uow


def test_a_held_unit_of_a_fixture_nests(bank: Bank, in_held_fixture: Bank) -> None:
    deposit(bank, 0)
    assert in_held_fixture.accounts.get(0).balance == 7


def test_a_hook_that_wraps_others_may_hold_the_unit_for_them(bank: Bank) -> None:
    spec, implementation = pluggy.HookspecMarker("bank"), pluggy.HookimplMarker("bank")

    class Spec:
        @spec
        def work(self) -> None: ...

    class Wrapper:
        @implementation(wrapper=True)
        def work(self) -> Generator[None]:
            with bank:
                yield

    class Plugin:
        @implementation
        def work(self) -> None:
            deposit(bank, 0)
            bank.accounts.get(1).balance = 7

    plugins = pluggy.PluginManager("bank")
    plugins.add_hookspecs(Spec)
    for plugin in (Wrapper(), Plugin()):
        plugins.register(plugin)
    plugins.hook.work()
    assert balances(bank) == [7, 7, 0]
