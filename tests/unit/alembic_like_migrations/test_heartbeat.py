"""When a lease is renewed, what a failed renewal means, and that a lost lease is told to the runner."""

import asyncio
from typing import Any, cast

import pytest

from boundwork.alembic_like_migrations import LeaseLost
from boundwork.alembic_like_migrations.engine.heartbeat import Pulse, kept_by_task
from boundwork.alembic_like_migrations.engine.lease import Lease
from boundwork.uow.failures import FailureKind, SessionFailure

FAILED = SessionFailure(FailureKind.NETWORK)


class Scripted(Lease):
    """A lease whose renewals end as it is written: None for well."""

    def __init__(self, seconds: float, *ends: Exception | None) -> None:
        super().__init__(cast("Any", None), seconds, "owner", 1)
        self.ends = list(ends)

    async def renew(self) -> None:
        end = self.ends.pop(0)
        if end is not None:
            raise end


async def test_a_lease_is_renewed_three_times_in_its_time_and_sooner_after_a_failure() -> None:
    pulse = Pulse(Scripted(30.0, FAILED, None))
    assert pulse.interval == 10.0
    await pulse.beat()
    assert (pulse.interval, pulse.lost) == (2.0, False)
    pulse.check()
    await pulse.beat()
    assert pulse.interval == 10.0


async def test_a_lost_lease_is_told_to_the_runner() -> None:
    pulse = Pulse(Scripted(30.0, LeaseLost(1)))
    pulse.check()
    await pulse.beat()
    assert pulse.lost
    with pytest.raises(LeaseLost):
        pulse.check()


async def test_nothing_is_renewed_before_it_is_due_and_somebody_may_look_meanwhile() -> None:
    looked: list[int] = []

    async def look() -> None:
        looked.append(1)

    pulse = Pulse(Scripted(30.0))
    with pulse.looking(look):
        await pulse.turn()
    await pulse.turn()
    assert looked == [1]
    assert 0 < pulse.wait <= 1.0


async def test_a_task_renews_until_the_lease_is_lost() -> None:
    lease = Scripted(0.003, None, FAILED, LeaseLost(1))
    async with kept_by_task(lease) as pulse:
        for _ in range(5_000):
            if pulse.lost:
                break
            await asyncio.sleep(0.002)
    assert (pulse.lost, lease.ends) == (True, [])
