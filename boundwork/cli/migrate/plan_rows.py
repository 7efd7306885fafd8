"""How a plan, or a rehearsal, is shown: a line for each revision and step, its warnings below it, and one line for the whole."""

from collections.abc import Iterator, Sequence

from boundwork.alembic_like_migrations import Adoption, Plan, PlannedRevision, PlannedStep, Rehearsal
from boundwork.alembic_like_migrations.errors import shown
from boundwork.cli.migrate.answers import Row

WORDS = {"up": "apply", "down": "revert"}


def plan_rows(plan: Plan) -> list[Row]:
    """Return the rows of a plan."""
    rows = [row for one in plan.revisions for row in _revision_rows(one, WORDS[plan.direction])]
    before, after = ([_adoption_row(one) for one in plan.adopting if one.when == when] for when in ("before", "after"))
    return [*before, *rows, *after]


def summed_up(plan: Plan) -> str:
    """Return what there is to do in a few words."""
    noted = f"note {', '.join(one.squash for one in plan.adopting)}"
    if not plan.revisions:
        return f"would {noted}" if plan.adopting else "nothing to do"
    warnings = f", {_many(len(plan.warnings), 'warning')}" if plan.warnings else ""
    also = f" and {noted}" if plan.adopting else ""
    run = f"{WORDS[plan.direction]} {_many(len(plan.revisions), 'revision')}"
    return f"would {run}{also} in about {plan.seconds:,.1f} s{warnings}"


def rehearsal_rows(found: Rehearsal) -> list[Row]:
    """Return the rows of a rehearsal: what did not come back."""
    rows: list[Row] = [((f"{one} has no way back", "yellow"),) for one in found.irreversible]
    for one in found.unlike:
        more = f" and {one.number - len(one.documents)} more" if one.number > len(one.documents) else ""
        if one.number:
            ids = ", ".join(map(shown, one.documents))
            differ = f"{_many(one.number, 'document')} differ{'s' if one.number == 1 else ''}"
            rows.append(((f"{one.collection}: {differ}: {ids}{more}", "yellow"),))
        rows += [((f"{one.collection}: {part}", "yellow"),) for part in one.structure]
    return rows


def rehearsed(found: Rehearsal) -> str:
    """Return in a few words how a rehearsal went."""
    went = f"{_many(len(found.revisions), 'revision')} there and back on {_many(found.documents, 'document')}"
    return f"{went}: all came back" if found.same else f"{went}: not all came back"


def _revision_rows(one: PlannedRevision, word: str) -> Iterator[Row]:
    phase = f" ({one.phase})" if one.phase else ""
    yield ((f"{word} {one.revision}{phase}", "bold yellow"), (one.message, ""))
    yield from _warning_rows(one.warnings, "  ")
    for step in one.steps:
        yield ((f"  {step.title}", ""), (_size(step), ""), (f"locks {step.locks}", "dim"))
        yield from _warning_rows(step.warnings, "    ")


def _adoption_row(one: Adoption) -> Row:
    applied = "are applied" if one.when == "before" else "are applied then"
    text = f"it stands for {', '.join(one.replaces)}, which {applied}; nothing of it is run"
    return ((f"note {one.squash}", "bold yellow"), (text, ""))


def _warning_rows(warnings: Sequence[str], indent: str) -> list[Row]:
    return [((f"{indent}! {warning}", "yellow"),) for warning in warnings]


def _size(step: PlannedStep) -> str:
    documents = "" if step.documents is None else _many(step.documents, "document")
    return documents if step.seconds is None else f"{documents}, about {step.seconds:,.1f} s"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
