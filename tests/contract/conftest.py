"""The contract suite runs every test on every backend, in both colours."""

from typing import Any

import pytest

from tests.contract.colours import define
from tests.contract.shop import Account, Customer, Order


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(backend: Any, colour: str, database_name: str) -> Any:
    return backend.sync_database(database_name) if colour == "sync" else backend.async_database(database_name)


@pytest.fixture
def shop(database: Any, colour: str) -> Any:
    return define(colour, database, orders=Order, customers=Customer, accounts=Account)


@pytest.fixture
def quiet_shop(database: Any, colour: str) -> Any:
    return define(colour, database, {"autoflush": False}, orders=Order)
