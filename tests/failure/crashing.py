"""Units with keys in a process that is killed: each line of standard input forks a child, which works until it dies.

A child opens units without end, one a key, and prints each key before it opens the unit: `<pid> <key>`. When it was
killed, the parent prints `<pid> is dead`.
"""

import os
import sys
from itertools import count
from typing import Any

from pymongo import MongoClient

from boundwork import AlreadyCommitted, Document, Repository, TransactionFailed, UnitOfWork

DEAD = "is dead"
LIFETIME_EXCEEDED = 290


class Counter(Document[int], collection="counters"):
    number: int = 0


class Entry(Document[str], collection="entries"):
    pass


class Shop(UnitOfWork):
    counters = Repository(Counter)
    entries = Repository(Entry)


def is_done(shop: Shop, key: str) -> bool:
    """Do the work of a key; False if a server whose transactions live for a second only has ended this one."""
    try:
        with shop.unit(idempotency_key=key) as uow:
            uow.counters.get(1).number += 1
            uow.entries.add(Entry(id=key))
    except AlreadyCommitted:
        return True
    except TransactionFailed as failure:
        if failure.code != LIFETIME_EXCEEDED:
            raise
        return False
    return True


def work(uri: str, database: str, name: str) -> None:
    """Count, and write an entry with the key as its id, again and again."""
    with MongoClient[dict[str, Any]](uri) as client:
        shop = Shop(client[database])
        for number in count():
            key = f"{name}-{number}"
            sys.stdout.write(f"{os.getpid()} {key}\n")
            sys.stdout.flush()
            while not is_done(shop, key):
                pass


def main(uri: str, database: str) -> None:
    """Fork a child for each line, once the one before is dead."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            work(uri, database, line.strip())
        os.waitpid(child, 0)
        sys.stdout.write(f"{child} {DEAD}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
