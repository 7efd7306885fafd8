"""The body that the situations of the convenient transactions API are tried with, and the two ways to get over a failure."""

from typing import Any

# With `run` a unit does not repeat itself, so the body is called again; with replay it does, so the body is called once.
WAYS = {"run": 0.0, "replay": 20.0}
LABELLED = {"errorLabels": ["TransientTransactionError"]}


class Body:
    """Deposits in the one account and notes its units."""

    def __init__(self) -> None:
        self.units: list[Any] = []

    async def __call__(self, uow: Any, amount: int = 1) -> str:
        self.units.append(uow)
        (await uow.accounts.get(1)).balance += amount
        return f"run {len(self.units)}"

    def check(self, way: str, failures: int) -> None:
        """Assert that each failure took another run of the body, or another replay of one run."""
        replays = sum(unit.receipt.replays for unit in self.units)
        assert (len(self.units), replays) == ((1 + failures, 0) if way == "run" else (1, failures))


def balance(stored: Any) -> int:
    """Return the balance of the one account."""
    return int(stored.find_one({"_id": 1})["balance"])
