"""What the ledger keeps of a lazy revision for its finisher: a step for each upcast, beside those of `up` and `down`."""

from boundwork.alembic_like_migrations.engine.ledger import StepRecord
from boundwork.alembic_like_migrations.engine.program import Program
from boundwork.alembic_like_migrations.lazy.steps import Finish, LazyUpcast


def finishers(program: Program) -> list[Finish]:
    """Return the steps of the finisher of a revision."""
    return [step.finisher() for step in program.up if isinstance(step, LazyUpcast)]


def finish_records(program: Program) -> tuple[StepRecord, ...]:
    """Return the records of these steps before the first of them is begun."""
    return tuple(StepRecord.of(step, step.about) for step in finishers(program))
