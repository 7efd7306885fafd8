"""What `ensure_schema` did, and what it left as it was."""

from dataclasses import dataclass

from boundwork.models.structure.comparison import Difference
from boundwork.models.structure.declared import NotExpressed


@dataclass(frozen=True, slots=True)
class SchemaReport:
    """What was created, what was changed, and what differs between the models and the database.

    `created`: paths such as `orders` and `orders.indexes.number_1`. `updated` are differences that were mended,
    `differing` those that are left. `not_expressed` are rules of models that no validator can check, `not_kept` what
    this kind of database does not keep at all (the one in memory).
    """

    created: tuple[str, ...] = ()
    updated: tuple[Difference, ...] = ()
    differing: tuple[Difference, ...] = ()
    not_expressed: tuple[NotExpressed, ...] = ()
    not_kept: tuple[str, ...] = ()

    @property
    def matches(self) -> bool:
        """Tell whether the database is now as the models declare it, as far as it keeps that."""
        return not self.differing

    def __str__(self) -> str:
        lines = [f"created {path}" for path in self.created]
        lines += [f"updated {difference}" for difference in self.updated]
        lines += [f"differs {difference}" for difference in self.differing]
        lines += [f"not kept {path}" for path in self.not_kept]
        return "\n".join(lines or ["nothing to do"])
