import pytest

from boundwork.uow import unique_key_cache
from boundwork.uow.commands import UniqueKey
from boundwork.uow.failures import SessionFailure
from boundwork.uow.settings import Settings
from boundwork.uow.unique_key_cache import MAX_AGE_SECONDS, UniqueKeyCache
from tests.unit.uow.scripted import ScriptedSession, failure

EMAIL = UniqueKey("email_1", ("email",))


@pytest.fixture
def session() -> ScriptedSession:
    session = ScriptedSession()
    session.keys = (EMAIL,)
    return session


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(unique_key_cache, "monotonic", lambda: now[0])
    return now


async def test_keys_are_asked_for_once(session: ScriptedSession) -> None:
    cache = UniqueKeyCache()
    assert await cache.of("people", session) == await cache.of("people", session) == (EMAIL,)
    assert session.calls == ["unique_keys"]


async def test_each_collection_has_its_own(session: ScriptedSession) -> None:
    cache = UniqueKeyCache()
    await cache.of("people", session)
    await cache.of("towns", session)
    assert session.calls == ["unique_keys"] * 2


async def test_that_there_are_none_is_worth_keeping(session: ScriptedSession) -> None:
    cache = UniqueKeyCache()
    session.keys = ()
    assert await cache.of("people", session) == await cache.of("people", session) == ()
    assert session.calls == ["unique_keys"]


async def test_they_age(session: ScriptedSession, clock: list[float]) -> None:
    cache = UniqueKeyCache()
    await cache.of("people", session)
    session.keys = ()
    clock[0] += MAX_AGE_SECONDS - 1
    assert await cache.of("people", session) == (EMAIL,)
    clock[0] += 1
    assert await cache.of("people", session) == ()


async def test_what_is_forgotten_is_asked_for_again(session: ScriptedSession) -> None:
    cache = UniqueKeyCache()
    cache.forget("people")
    await cache.of("people", session)
    cache.forget("people")
    await cache.of("people", session)
    assert session.calls == ["unique_keys"] * 2


async def test_a_failure_is_not_kept() -> None:
    session = ScriptedSession(unique_keys=[failure()])
    cache = UniqueKeyCache()
    with pytest.raises(SessionFailure):
        await cache.of("people", session)
    assert await cache.of("people", session) == ()


def test_definitions_do_not_share_their_caches() -> None:
    assert Settings().unique_keys is not Settings().unique_keys
