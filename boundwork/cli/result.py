"""All that one run of the demo found out, and its form as JSON."""

from dataclasses import asdict, dataclass
from typing import Any

from boundwork.cli.flights.job import Account
from boundwork.cli.flights.oddities import Oddities
from boundwork.cli.flights.proofs import RollbackProof, TotalsProof


@dataclass(frozen=True, slots=True)
class Result:
    """What the units did, which rows were odd, and the proofs."""

    account: Account
    oddities: Oddities
    rollback: RollbackProof
    totals: TotalsProof
    seconds: float

    @property
    def holds(self) -> bool:
        """Tell whether both proofs hold."""
        return self.rollback.holds and self.totals.holds

    def as_object(self) -> dict[str, Any]:
        """Return the result as an object for JSON: numbers, texts and truths."""
        odd, account = self.oddities, self.account
        return {
            "holds": self.holds,
            "seconds": round(self.seconds, 3),
            "summary": {
                **asdict(account),
                "seconds": round(account.seconds, 3),
                "documents_per_second": round(account.documents_per_second, 1),
            },
            "odd_rows": {
                **asdict(odd),
                "unregistered_planes": len(odd.unregistered_planes),
                "unlisted_airports": len(odd.unlisted_airports),
            },
            "proofs": {
                "rollback": {"holds": self.rollback.holds, **asdict(self.rollback)},
                "totals": {"holds": self.totals.holds, **asdict(self.totals)},
            },
        }
