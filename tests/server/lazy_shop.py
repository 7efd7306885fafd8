"""A model of three schema versions for the tests of lazy migration, as an application has it beside its revisions."""

from typing import Any

from boundwork import Document, Repository, UnitOfWork, Upcast


def shout(account: dict[str, Any]) -> dict[str, Any]:
    return {"label": account["mail"].upper()}


TO_2 = Upcast(2).rename_field("login", "mail").set_field("plan", "free").convert("age", "text to int")
TO_3 = (
    Upcast(3)
    .convert("plan", {"free": "basic"})
    .compute(shout, fields=["label"], undo=lambda _: {})
    .set_field("visits", 0)
)


class Account(Document[int], collection="lazy_accounts", schema_version=3, upcasts=[TO_2, TO_3]):
    mail: str
    plan: str = "basic"
    age: int | None = None
    label: str = ""
    visits: int = 0


class Shop(UnitOfWork):
    accounts = Repository(Account)


REVISION = """
from boundwork.alembic_like_migrations import op
from tests.server.lazy_shop import TO_2, TO_3

revision, down_revision, phase = {revision!r}, {before!r}, {phase!r}


def up():
    {up}


def down():
    op.revert()
"""


def write(folder: Any, revision: str, before: str | None, up: str, phase: str | None = None) -> None:
    """Write a revision file."""
    text = REVISION.format(revision=revision, before=before, up=up, phase=phase)
    (folder / f"{revision}.py").write_text(text)


def old_accounts(number: int, first: int = 0) -> list[dict[str, Any]]:
    """Return documents of the first version."""
    return [{"_id": one, "login": f"a{one}@x.org", "age": str(one % 90)} for one in range(first, first + number)]
