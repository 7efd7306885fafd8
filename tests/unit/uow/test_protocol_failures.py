import pytest
from pymongo.errors import ConnectionFailure, ProtocolError, PyMongoError, WaitQueueTimeoutError

from boundwork.uow.committing import fate_of
from boundwork.uow.failures import FailureKind
from boundwork.uow.sessions.pymongo_failures import session_failure


@pytest.mark.parametrize(
    "error",
    [ProtocolError("bad reply"), ConnectionFailure("x"), WaitQueueTimeoutError("x")],
    ids=lambda e: type(e).__name__,
)
def test_a_reply_that_was_not_understood_never_means_that_nothing_was_committed(error: PyMongoError) -> None:
    report = session_failure(error, ())
    assert report.kind is FailureKind.NETWORK
    assert fate_of(report) is None
