"""How much work a run is: the sizes that the limits are about, or smaller ones for a quick look."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Documents of the large workloads, the sizes over which growth is looked at, and how often things are repeated."""

    documents: int = 10_000
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000)
    rounds: int = 15
    small_rounds: int = 30
    memory: int = 100_000


QUICK = Effort(documents=2_000, sizes=(1_000, 10_000), rounds=5, small_rounds=8, memory=20_000)
FULL = Effort()
