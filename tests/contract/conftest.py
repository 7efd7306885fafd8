"""The contract suite runs every test on every backend, in both colours, and on mongod with Motor as well."""

from typing import Any

import pytest
from bson import ObjectId

from tests.contract.club import AsStored, Member, OldMember, OldVisit, Visit
from tests.contract.colours import define
from tests.contract.shop import Account, Customer, Order
from tests.server.bank import AsyncBank, Bank

PAIRS = [
    ("memory", "sync"),
    ("memory", "async"),
    ("embedded", "sync"),
    ("embedded", "async"),
    ("mongod", "sync"),
    ("mongod", "async"),
    pytest.param("mongod", "motor", marks=pytest.mark.filterwarnings("ignore:Motor is deprecated")),
]


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Pair backends and drivers by a mark, because only one backend has a third driver."""
    if {"backend_name", "driver"} <= set(metafunc.fixturenames):
        pairs = PAIRS if metafunc.definition.get_closest_marker("on_servers") is None else PAIRS[2:]
        metafunc.definition.add_marker(pytest.mark.parametrize(("backend_name", "driver"), pairs))


@pytest.fixture
def colour(driver: str) -> str:
    return "sync" if driver == "sync" else "async"


@pytest.fixture
def database(backend: Any, driver: str, database_name: str) -> Any:
    return getattr(backend, f"{driver}_database")(database_name)


@pytest.fixture
def shop(database: Any, colour: str) -> Any:
    return define(colour, database, orders=Order, customers=Customer, accounts=Account)


@pytest.fixture
def quiet_shop(database: Any, colour: str) -> Any:
    return define(colour, database, {"autoflush": False}, orders=Order)


@pytest.fixture
def bank(backend: Any, database_name: str) -> Bank:
    return Bank(backend.sync_database(database_name))


@pytest.fixture
def async_bank(backend: Any, database_name: str) -> AsyncBank:
    return AsyncBank(backend.async_database(database_name))


@pytest.fixture
async def accounts(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number, balance=number * 10) for number in range(1, 6)])
        uow.customers.add(Customer(id="ann", name="Ann"))


@pytest.fixture
async def five_accounts(shop: Any) -> None:
    async with shop as uow:
        uow.accounts.add_all([Account(id=number, balance=number) for number in range(5)])
        uow.orders.add(Order(id=ObjectId(b"A" * 12), number="A-1"))


@pytest.fixture
def impatient(database: Any, colour: str) -> Any:
    """Return a definition whose units never repeat themselves: they meet each lock."""
    return define(colour, database, {"replay_seconds": 0.0}, accounts=Account, orders=Order)


@pytest.fixture
async def club(database: Any, colour: str) -> Any:
    """Four members of the first version, and two of the present one."""
    async with define(colour, database, members=OldMember) as uow:
        uow.members.add(OldMember(id=1, first_name="Ann", age="41", visits=[OldVisit(shop="north")]))
        uow.members.add(OldMember(id=2, first_name="Bob", age="7", state="G"))
        uow.members.add(OldMember(id=3, first_name="Cid", age=None, points=5))
        uow.members.add(
            OldMember(id=4, first_name="Ann", age="100", visits=[OldVisit(shop="south"), OldVisit(shop="north")])
        )
    club = define(colour, database, members=Member)
    async with club as uow:
        uow.members.add(Member(id=5, name="Eve", level=2, age=30, slug="eve", visits=[Visit(place="south")]))
        uow.members.add(Member(id=6, name="Ann", level=1, age=9, state="gone", slug="ann"))
    return club


@pytest.fixture
def stored_member(database: Any, colour: str) -> Any:
    """Return what is stored under an id."""

    async def look(key: int) -> dict[str, Any]:
        async with define(colour, database, members=AsStored) as uow:
            found = await uow.members.get(key)
            return {"_sv": found.version, **(found.model_extra or {})}

    return look
