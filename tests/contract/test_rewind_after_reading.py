"""A document that is read again after a commit: a rollback goes back to what was read, but only where that differs.

What a reading leaves as it was (a field, a part that stays the same object, private values) goes back to the last
commit or to the savepoint, as if it had not been read again.
"""

from typing import Any

import pytest
from pydantic import ConfigDict, PrivateAttr

from boundwork import Document, Embedded, NotInUnit
from tests.contract.colours import define
from tests.contract.rivals import elsewhere


class Part(Embedded):
    name: str = "part"
    _memo: list[str] = PrivateAttr(default_factory=list)


class Card(Document[int], collection="cards"):
    model_config = ConfigDict(extra="allow")

    text: str = "first"
    count: int = 0
    tags: list[str] = []
    parts: list[Part] = []


@pytest.fixture
async def cards(database: Any, colour: str) -> Any:
    """Return a definition with one card."""
    shop = define(colour, database, cards=Card)
    async with shop as uow:
        uow.cards.add(Card.model_validate({"_id": 1, "id": 1, "tags": ["a"], "parts": [Part()], "sizes": [1]}))
    return shop


async def _rival(shop: Any, colour: str, **values: Any) -> None:
    async def work() -> None:
        async with shop as uow:
            card = await uow.cards.get(1)
            for name, value in values.items():
                setattr(card, name, value)

    await elsewhere(colour, work)


@pytest.mark.parametrize("is_changed", [False, True])
async def test_a_part_that_stays_goes_back_to_the_last_commit(cards: Any, colour: str, *, is_changed: bool) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        part = card.parts[0]
        part._memo.append("committed")
        await uow.commit()
        if is_changed:
            await _rival(cards, colour, parts=[Part(), Part(name="rival")])
        part.model_fields_set.discard("name")
        part._memo.append("lost")
        assert await uow.cards.get(1) is card
        assert card.parts[0] is part
        assert (part.model_fields_set, part._memo) == (set(), ["committed", "lost"])
        await uow.rollback()
        assert [one.name for one in card.parts] == (["part", "rival"] if is_changed else ["part"])
        assert card.parts[0] is part
        assert (part.model_fields_set, part._memo) == ({"name"}, ["committed"])


async def test_a_part_that_stays_goes_back_to_the_savepoint(cards: Any, colour: str) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        part = card.parts[0]
        await uow.commit()
        await _rival(cards, colour, parts=[Part(), Part(name="rival")])
        part._memo.append("outer")
        with pytest.raises(ZeroDivisionError):
            async with cards as inner:
                part._memo.append("inner")
                part.model_fields_set.discard("name")
                assert await inner.cards.get(1) is card
                raise ZeroDivisionError
        assert [one.name for one in card.parts] == ["part", "rival"]
        assert (card.parts[0], part.model_fields_set, part._memo) == (part, {"name"}, ["outer"])


async def test_an_equal_list_that_was_put_in_gives_way_to_the_first_one(cards: Any, colour: str) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        tags = card.tags
        await uow.commit()
        await _rival(cards, colour, count=5)
        card.tags = ["a"]
        assert await uow.cards.get(1) is card
        assert card.tags is not tags
        await uow.rollback()
        assert (card.count, card.tags) == (5, ["a"])
        assert card.tags is tags


@pytest.mark.parametrize("count", [0, 5])
async def test_a_nested_unit_that_fails_gives_back_what_was_not_saved_yet(cards: Any, colour: str, count: int) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        await uow.commit()
        await _rival(cards, colour, count=count)
        card.text = "not saved yet"
        with pytest.raises(ZeroDivisionError):
            async with cards as inner:
                card.text = "first"
                assert await inner.cards.get(1) is card
                raise ZeroDivisionError
        assert (card.text, card.count) == ("not saved yet", count)
    async with cards as uow:
        found = await uow.cards.get(1)
        assert (found.text, found.count) == ("not saved yet", count)


async def test_what_is_held_of_an_extra_value_is_still_saved(cards: Any, colour: str) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        extra = card.model_extra
        sizes = extra["sizes"]
        await uow.commit()
        await _rival(cards, colour, count=5)
        assert await uow.cards.get(1) is card
        sizes.append(2)
        extra["colour"] = "red"
    async with cards as uow:
        assert (await uow.cards.get(1)).model_extra == {"sizes": [1, 2], "colour": "red"}


async def test_extra_values_that_were_read_again_go_back_to_what_was_read(cards: Any, colour: str) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        assert card.model_extra["sizes"] == [1]
        await uow.commit()
        await _rival(cards, colour, sizes=[1, 2], weight=3)
        with pytest.raises(ZeroDivisionError):
            async with cards as inner:
                assert await inner.cards.get(1) is card
                card.model_extra["sizes"].append(4)
                card.model_extra["colour"] = "red"
                await inner.flush()
                raise ZeroDivisionError
        assert card.model_extra == {"sizes": [1, 2], "weight": 3}
        card.model_extra["sizes"].append(5)
        await uow.rollback()
        assert card.model_extra == {"sizes": [1, 2], "weight": 3}


async def test_a_removed_document_whose_id_was_changed_does_not_come_back_beside_another_of_its_id(cards: Any) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        uow.cards.remove(card)
        await uow.flush()
        card.id = 77
        second = uow.cards.add(Card(id=1))
        with pytest.raises(NotInUnit, match="another object with this id"):
            uow.cards.add(card)
        assert await uow.cards.get(1) is second
        assert await uow.cards.find_by_id(77) is None


async def test_a_list_that_two_documents_hold_goes_back_to_what_it_was_in_the_first(cards: Any) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        card.tags.append("lost")
        other = Card(id=2)
        other.tags = card.tags
        uow.cards.add(other)
        await uow.rollback()
        assert card.tags == ["a"]
        with pytest.raises(ZeroDivisionError):
            async with cards:
                card.tags.append("lost")
                uow.cards.add(other)
                raise ZeroDivisionError
        assert card.tags == ["a"]


async def test_extra_values_go_back_to_the_order_in_which_they_were_read(cards: Any) -> None:
    async with cards as uow:
        card = await uow.cards.get(1)
        card.weight, card.colour = 1, "red"
        await uow.commit()
        assert await uow.cards.get(1) is card
        order = list(card.model_extra)
        await uow.rollback()
        assert list(card.model_extra) == order


async def test_what_a_nested_unit_read_instead_of_an_added_document_leaves_the_unit_with_it(cards: Any) -> None:
    async with cards as uow:
        added = uow.cards.add(Card(id=1, text="added"))
        stored: list[Card] = []
        with pytest.raises(ValueError, match="fails"):
            async with cards:
                uow.cards.remove(added)
                stored.append(await uow.cards.get(1))
                raise ValueError("fails")
        assert await uow.cards.find_by_id(1) is added
        with pytest.raises(NotInUnit):
            uow.cards.remove(stored[0])
        uow.cards.remove(added)
        assert (await uow.cards.get(1)).text == "first"


@pytest.mark.parametrize("sent", [False, True], ids=["pending", "sent"])
async def test_what_a_nested_unit_removed_in_the_place_of_an_added_document_leaves_the_unit_with_it(
    cards: Any, *, sent: bool
) -> None:
    async with cards as uow:
        added = uow.cards.add(Card(id=1, text="added"))
        stored: list[Card] = []
        with pytest.raises(ValueError, match="fails"):
            async with cards:
                uow.cards.remove(added)
                stored.append(await uow.cards.get(1))
                uow.cards.remove(stored[0])
                if sent:
                    await uow.flush()
                raise ValueError("fails")
        assert await uow.cards.find_by_id(1) is added
        with pytest.raises(NotInUnit):
            uow.cards.remove(stored[0])
        added.text = "changed"
        await uow.rollback()
        assert added.text == "added"
        assert (await uow.cards.get(1)).text == "first"
