"""How PyMongo is made to abort a transaction whose commit it has sent, which its own word refuses.

The abort is said as a plain command of the session, with the number of the transaction. PyMongo takes such a command
for the end of the transaction; what it knew is put back, so that the same commit can be sent again.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def abort_after_commit(session: Any, options: Mapping[str, Any]) -> Generator[dict[str, Any]]:
    """Yield the command, to be sent in the session to the database `admin`; `options` are those of the transaction.

    It takes the write concern of the transaction, so that the answer that there is none to abort is a durable one.
    """
    transaction = session._transaction  # noqa: SLF001 - PyMongo has no public word for it
    state = transaction.state
    try:
        yield {
            "abortTransaction": 1,
            "txnNumber": session._server_session.transaction_id,  # noqa: SLF001 - as above
            "autocommit": False,
            "writeConcern": options["write_concern"].document,
        }
    finally:
        transaction.state = state
