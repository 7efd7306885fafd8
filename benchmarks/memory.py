"""What loaded documents weigh: resident memory of a fresh process, with dicts and with models.

`python -m benchmarks.memory raw|ours URI DATABASE` is such a process; it prints the bytes it kept.
"""

import gc
import subprocess
import sys
from pathlib import Path

from pymongo import MongoClient

from benchmarks.documents import Stored
from benchmarks.effort import Effort
from benchmarks.measuring import Spread
from benchmarks.place import Place, orders_of, shop_of
from benchmarks.table import Row, weight

STATUS = Path("/proc/self/status")
ROUNDS = 3


def memory(place: Place, effort: Effort) -> list[Row]:
    """Compare the memory that loaded documents keep; nothing where the system does not say (no /proc)."""
    if not STATUS.exists():
        return []
    database = place.holding(effort.memory, "grow")
    raw, ours, again = (
        [_measure(kind, place.uri, database.name) for _ in range(ROUNDS)] for kind in ("raw", "ours", "raw")
    )
    ratios = [mine / theirs for mine, theirs in zip(ours, raw, strict=True)]
    noise = [second / first for second, first in zip(again, raw, strict=True)]
    title = f"memory of {effort.memory:,} loaded"
    return [weight(title, 1.2, Spread.of(ratios), Spread.of(noise), Spread.of(raw).middle)]


def _measure(kind: str, uri: str, database: str) -> int:
    command = [sys.executable, "-m", "benchmarks.memory", kind, uri, database]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])  # noqa: S603 - our own module
    return int(done.stdout)


def _resident() -> int:
    gc.collect()
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def _main(kind: str, uri: str, name: str) -> None:
    with MongoClient[Stored](uri) as client:
        database = client[name]
        orders_of(database).find_one()
        with shop_of(database) as uow:
            uow.orders.first()
            before = _resident()
            if kind == "raw":
                dicts = orders_of(database).find().to_list()
                print(_resident() - before)
                del dicts
            else:
                models = uow.orders.find().to_list()
                print(_resident() - before)
                del models


if __name__ == "__main__":
    _main(*sys.argv[1:])
