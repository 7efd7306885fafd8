"""Two tenants at random work on the same collection: neither ever sees nor changes a document of the other.

What each should have is kept in a plain dict; after every unit both are compared with it, the stored documents of the
other one included.
"""

import os
import random
from typing import Any

import pytest

from boundwork import DuplicateKey, InvalidDocument
from tests.contract.colours import define
from tests.contract.tenants import Note

TENANTS = ("acme", "globex")
IDS = range(8)
SEEDS = range(200 if os.environ.get("BOUNDWORK_LONG") else 3)
Notes = dict[int, tuple[str, bool]]
"""What one tenant has: the text of each document, and whether it is removed."""


class Tenant:
    """One tenant: its definition, and what it should have."""

    def __init__(self, shop: Any, name: str, draw: random.Random) -> None:
        self.name = name
        self.shop = shop.for_tenant(name)
        self.draw = draw
        self.notes: Notes = {}

    async def work(self, other: "Tenant") -> None:
        """Do a few things in one unit, and commit or roll back."""
        now = dict(self.notes)
        async with self.shop.unit() as uow:
            for _ in range(self.draw.randint(1, 5)):
                if not await self.step(uow, now, other.notes):
                    return
            if self.draw.random() < 0.25:
                await uow.rollback()
                return
        self.notes = now

    async def step(self, uow: Any, now: Notes, theirs: Notes) -> bool:
        """Do one thing and compare what it gives; False if the unit has ended by it."""
        number = self.draw.choice(IDS)
        words = ["add", "foreign", "read"]
        if number not in theirs:
            words += ["absent"]
        if number in now:
            words += ["restore", "erase"] if now[number][1] else ["change", "remove", "erase"]
        return await getattr(self, f"_{self.draw.choice(words)}")(uow, now, theirs, number) is not False

    def _text(self) -> str:
        return f"{self.name} {self.draw.randrange(100)}"

    async def _foreign(self, uow: Any, _: Notes, __: Notes, number: int) -> None:
        with pytest.raises(InvalidDocument):
            uow.notes.add(Note(id=number + 100, owner=TENANTS[self.name == TENANTS[0]]))

    async def _add(self, uow: Any, now: Notes, theirs: Notes, number: int) -> bool | None:
        if number in now:
            return None
        note = uow.notes.add(Note(id=number, text=self._text()))
        if number in theirs:
            with pytest.raises(DuplicateKey):
                await uow.flush()
            await uow.rollback()
            return False
        assert note.owner == self.name
        now[number] = (note.text, False)
        return None

    async def _absent(self, uow: Any, now: Notes, _: Notes, number: int) -> None:
        note = Note(id=number, text=self._text())
        assert await uow.notes.add_if_absent(note) == (number not in now)
        now.setdefault(number, (note.text, False))

    async def _change(self, uow: Any, now: Notes, _: Notes, number: int) -> None:
        note = await uow.notes.get(number, for_update=self.draw.random() < 0.3)
        note.text = self._text()
        now[number] = (note.text, False)

    async def _remove(self, uow: Any, now: Notes, _: Notes, number: int) -> None:
        await uow.flush()  # a new document that no flush has sent would only be forgotten
        uow.notes.remove(await uow.notes.get(number))
        now[number] = (now[number][0], True)

    async def _restore(self, uow: Any, now: Notes, _: Notes, number: int) -> None:
        uow.notes.restore(await uow.notes.find(Note.id == number).including_removed().one())
        now[number] = (now[number][0], False)

    async def _erase(self, uow: Any, now: Notes, _: Notes, number: int) -> None:
        uow.notes.erase(await uow.notes.find(Note.id == number).including_removed().one())
        await uow.flush()
        del now[number]

    async def _read(self, uow: Any, now: Notes, _: Notes, number: int) -> None:
        here = {each: text for each, (text, removed) in now.items() if not removed}
        found = await uow.notes.find_by_id(number)
        assert (found.text if found else None) == here.get(number)
        assert await uow.notes.count(Note.id >= number) == len([each for each in here if each >= number])
        assert {note.id: note.text async for note in uow.notes.find().stream(2)} == here


async def stored(shop: Any) -> dict[str, Notes]:
    """Return what is stored, by tenant, as a unit of all tenants sees it."""
    kept: dict[str, Notes] = {name: {} for name in TENANTS}
    async with shop.for_all_tenants() as uow:
        for note in await uow.notes.find().including_removed().to_list():
            kept[note.owner][note.id] = (note.text, note.deleted_at is not None)
    return kept


@pytest.mark.parametrize("seed", SEEDS)
async def test_two_tenants_neither_see_nor_change_each_other_s_documents(database: Any, colour: str, seed: int) -> None:
    draw = random.Random(seed)
    shop = define(colour, database, notes=Note)
    tenants = [Tenant(shop, name, draw) for name in TENANTS]
    for _ in range(15):
        one, other = draw.sample(tenants, 2)
        await one.work(other)
        assert await stored(shop) == {tenant.name: tenant.notes for tenant in tenants}
