"""What a unit does when its session says that a write has left it."""

import pytest

from boundwork import UnitDoomed, WriteEscaped
from boundwork.uow.escapes import EscapedWrite
from boundwork.uow.failures import FailureKind
from boundwork.uow.states import State
from boundwork.uow.unit import Unit
from tests.unit.uow.people import Person
from tests.unit.uow.scripted import TRANSIENT, ScriptedSession, failure, unit_on

AUDIT = EscapedWrite("insert", "shop", "audit")


async def entered(session: ScriptedSession) -> Unit:
    unit = unit_on(session)
    await unit.enter()
    return unit


async def test_no_commit_is_sent_and_the_transaction_is_aborted() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    unit.workspace.add(Person(id=1))
    session.escaped = AUDIT
    with pytest.raises(WriteEscaped) as caught:
        await unit.leave(None)
    assert (caught.value.command, caught.value.database, caught.value.collection) == ("insert", "shop", "audit")
    assert session.calls == ["open", "write", "abort", "unbind", "close"]
    assert not unit.committed


async def test_an_explicit_commit_dooms_the_unit_until_it_is_rolled_back() -> None:
    session = ScriptedSession()
    unit = await entered(session)
    session.escaped = AUDIT
    with pytest.raises(WriteEscaped) as first:
        await unit.commit()
    assert unit.state is State.DOOMED
    with pytest.raises(UnitDoomed) as caught:
        unit.check()
    assert caught.value.__cause__ is first.value
    await unit.rollback()
    await unit.leave(None)
    assert session.calls == ["open", "abort", "begin", "commit", "unbind", "close"]


async def test_a_write_that_leaves_while_the_commit_is_repeated_refuses_the_next_try() -> None:
    class Leaving(ScriptedSession):
        async def pause(self, seconds: float) -> None:
            await super().pause(seconds)
            self.escaped = AUDIT

    session = Leaving(commit=[failure(FailureKind.SERVER, 112, TRANSIENT)])
    unit = unit_on(session, replay_seconds=30.0)
    await unit.enter()
    with pytest.raises(WriteEscaped):
        await unit.leave(None)
    assert session.calls == ["open", "commit", "abort", "begin", "abort", "unbind", "close"]


async def test_a_write_that_leaves_after_the_commit_was_sent_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Leaving(ScriptedSession):
        async def commit(self) -> None:
            await super().commit()
            self.escaped = AUDIT

    unit = await entered(Leaving())
    await unit.leave(None)
    assert "insert on shop.audit left its session" in caplog.text
