"""What `merge` makes of a detached copy: only what was set in it and differs, checked against the version."""

from collections import Counter, defaultdict, deque
from typing import Any

import pytest

from boundwork import (
    Document,
    DocumentNotFound,
    Embedded,
    InvalidDocument,
    NotInUnit,
    StaleDocument,
    WrongModel,
)
from tests.contract.colours import define
from tests.contract.shop import Card, Cash, Payment
from tests.server.bank import raw, settled


class Tag(Embedded):
    name: str
    rank: int = 0


class Author(Embedded):
    name: str
    mail: str = ""


class Page(Document[str], collection="pages"):
    title: str
    text: str = ""
    author: Author | None = None
    tags: list[Tag] = []


class Note(Document[str], collection="notes", versioned=True, shard_key=("owner",)):
    version: int = 0
    owner: str
    text: str = ""


class Stamped(Document[str], collection="stamped"):
    model_config = {"validate_assignment": True}
    first: int = 0
    last: int = 0

    def model_post_init(self, _: Any, /) -> None:
        if self.first > self.last:
            raise ValueError("first is after last")


class Shelf(Document[str], collection="shelves"):
    groups: defaultdict[str, list[int]] = defaultdict(list)
    last: deque[int] = deque(maxlen=2)
    seen: Counter[str] = Counter()


@pytest.fixture
async def desk(database: Any, colour: str) -> Any:
    desk = define(colour, database, pages=Page, notes=Note, payments=Payment, stamped=Stamped, shelves=Shelf)
    async with desk as uow:
        tags = [Tag(name="a"), Tag(name="b"), Tag(name="c")]
        uow.pages.add(Page(id="p", title="t", text="long", author=Author(name="Ann", mail="a@b"), tags=tags))
        uow.notes.add(Note(id="n", owner="o"))
    return desk


async def _sent(uow: Any) -> Any:
    """Flush, and return the operators of the only update that this sent."""
    await uow.flush()
    [write] = uow.core.workspace.log.records[-1].bulks[0].writes
    return write.update


async def test_only_what_is_set_and_differs_is_written(desk: Any) -> None:
    copy = Page.model_validate({"id": "p", "title": "new", "author": {"name": "Ann"}})
    async with desk as uow:
        page = await uow.pages.merge(copy)
        assert page is not copy
        assert await uow.pages.get("p") is page
        assert (page.title, page.text, page.author.mail) == ("new", "long", "a@b")
        assert await _sent(uow) == {"$set": {"title": "new"}}


async def test_a_copy_that_says_nothing_new_sends_nothing(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.get("p")
        assert await uow.pages.merge(Page.model_validate_json(page.model_dump_json())) is page
        sent = uow.core.session.commands
        await uow.flush()
        assert uow.core.session.commands == sent


async def test_a_copy_of_a_known_document_asks_the_server_nothing(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.get("p")
        sent = uow.core.session.commands
        assert await uow.pages.merge(Page(id="p", title="new")) is page
        assert uow.core.session.commands == sent


async def test_embedded_models_are_merged_field_by_field(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.merge(Page.model_validate({"id": "p", "title": "t", "author": {"name": "Bea"}}))
        assert page.author == Author(name="Bea", mail="a@b")
        assert await _sent(uow) == {"$set": {"author.name": "Bea"}}


async def test_a_list_is_replaced_around_its_equal_elements(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.get("p")
        first, _, last = page.tags
        tags = [Tag(name="a"), Tag(name="x"), Tag(name="y"), Tag(name="c")]
        await uow.pages.merge(Page(id="p", title="t", tags=tags))
        assert page.tags == tags
        assert (page.tags[0] is first, page.tags[-1] is last, page.tags[1] is tags[1]) == (True, True, False)
        first.rank = 5
    async with desk as uow:
        assert [tag.rank for tag in (await uow.pages.get("p")).tags] == [5, 0, 0, 0]


async def test_a_container_of_a_kind_of_its_own_stays_one(desk: Any) -> None:
    async with desk as uow:
        uow.shelves.add(Shelf(id="s"))
    async with desk as uow:
        shelf = await uow.shelves.get("s")
        groups: defaultdict[str, list[int]] = defaultdict(list, a=[1])
        await uow.shelves.merge(Shelf(id="s", groups=groups, last=deque([1], maxlen=2), seen=Counter("aab")))
        assert shelf.groups is not groups
        shelf.groups["b"].append(2)
        shelf.last.extend([2, 3])
        shelf.seen["c"] += 1
    async with desk as uow:
        shelf = await uow.shelves.get("s")
        assert shelf.groups == {"a": [1], "b": [2]}
        assert (list(shelf.last), shelf.seen) == ([2, 3], {"a": 2, "b": 1, "c": 1})


async def test_one_changed_element_is_written_alone(desk: Any) -> None:
    async with desk as uow:
        tags = [Tag(name="a"), Tag(name="b", rank=3), Tag(name="c")]
        await uow.pages.merge(Page(id="p", title="t", tags=tags))
        assert await _sent(uow) == {"$set": {"tags.1.rank": 3}}


async def test_the_copy_is_never_tracked_and_shares_nothing(desk: Any) -> None:
    copy = Page(id="p", title="new", author=Author(name="Bea"), tags=[Tag(name="z")])
    async with desk as uow:
        page = await uow.pages.merge(copy)
        copy.title = "later"
        copy.author = None
        copy.tags[0].name = "later"
        assert (page.title, page.author.name, page.tags) == ("new", "Bea", [Tag(name="z")])
        await uow.pages.merge(Page(id="p", title="newer"))
    assert copy.title == "later"


@pytest.mark.on_servers
async def test_stored_fields_that_the_model_does_not_know_stay(desk: Any) -> None:
    update = {"$set": {"legacy": 1, "author.legacy": 2, "tags.0.legacy": 3, "tags.2.legacy": 4}}
    async with desk as uow:
        await settled(raw(uow).pages.update_one({"_id": "p"}, update))
    copy = Page(id="p", title="new", author=Author(name="Bea"), tags=[Tag(name="a"), Tag(name="x"), Tag(name="c")])
    async with desk as uow:
        await uow.pages.merge(copy)
    async with desk as uow:
        stored = await settled(raw(uow).pages.find_one({"_id": "p"}))
    assert (stored["title"], stored["legacy"], stored["author"]["legacy"]) == ("new", 1, 2)
    assert [tag.get("legacy") for tag in stored["tags"]] == [3, None, 4]


async def test_a_rollback_takes_a_merge_back(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.merge(Page(id="p", title="new", author=Author(name="Bea"), tags=[]))
        await uow.flush()
        await uow.rollback()
        assert (page.title, page.author, len(page.tags)) == ("t", Author(name="Ann", mail="a@b"), 3)


async def test_a_copy_of_a_document_that_is_not_there(desk: Any) -> None:
    copy = Page(id="q", title="t")
    async with desk as uow:
        with pytest.raises(DocumentNotFound, match="Page 'q'"):
            await uow.pages.merge(copy)
        page = await uow.pages.merge(copy, missing="add")
        assert page is not copy
        with pytest.raises(ValueError, match="missing"):
            await uow.pages.merge(copy, missing="ignore")
    async with desk as uow:
        assert (await uow.pages.get("q")).title == "t"


async def test_a_copy_of_another_version_is_stale_and_the_unit_goes_on(desk: Any) -> None:
    async with desk as uow:
        note = await uow.notes.get("n")
        note.text = "one"
    form = note.model_dump(mode="json") | {"text": "mine"}
    async with desk as uow:
        (await uow.notes.get("n")).text = "two"
    async with desk as uow:
        with pytest.raises(StaleDocument) as caught:
            await uow.notes.merge(Note.model_validate(form))
        assert str(caught.value) == (
            "Note 'n' changed since it was read (version 1, now 2). Nothing was written. "
            "Read the note again, and make the changes on that."
        )
        assert (caught.value.expected_version, caught.value.found_version) == (1, 2)
        note = await uow.notes.merge(Note.model_validate(form | {"version": 2}))
    assert (note.text, note.version) == ("mine", 3)


async def test_a_copy_of_a_deleted_document_is_stale_where_it_carries_a_version(desk: Any) -> None:
    async with desk as uow:
        with pytest.raises(StaleDocument, match=r"\(version 3, now deleted\)"):
            await uow.notes.merge(Note(id="gone", owner="o", version=3), missing="add")
        await uow.notes.merge(Note(id="new", owner="o"), missing="add")
        assert (await uow.notes.get("new")).version == 0


async def test_a_copy_that_says_no_version_is_refused(desk: Any) -> None:
    async with desk as uow:
        with pytest.raises(InvalidDocument, match="which version it was made of"):
            await uow.notes.merge(Note(id="n", owner="o", text="blind"))


async def test_a_stale_copy_is_not_tried_again(desk: Any) -> None:
    bodies: list[int] = []

    async def body(uow: Any) -> None:
        bodies.append(1)
        await uow.notes.merge(Note(id="n", owner="o", version=7))

    with pytest.raises(StaleDocument):
        await desk.run(body)
    assert len(bodies) == 1


async def test_a_copy_with_another_shard_key_changes_nothing(desk: Any) -> None:
    async with desk as uow:
        with pytest.raises(InvalidDocument, match="owner: a field of the shard key"):
            await uow.notes.merge(Note(id="n", owner="other", text="x", version=0))
        assert (await uow.notes.get("n")).text == ""


async def test_what_belongs_to_a_unit_is_no_copy(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.get("p")
        with pytest.raises(NotInUnit, match="detached copy"):
            await uow.pages.merge(page)
        async with desk.independent() as other:
            with pytest.raises(NotInUnit):
                await other.pages.merge(page)


async def test_a_document_of_an_earlier_unit_may_be_merged_into_a_later_one(desk: Any) -> None:
    async with desk as uow:
        page = await uow.pages.get("p")
    page.title = "changed outside"
    async with desk as uow:
        assert await uow.pages.merge(page) is not page
    async with desk as uow:
        assert (await uow.pages.get("p")).title == "changed outside"


async def test_a_document_that_an_earlier_unit_added_carries_its_version_to_a_merge(desk: Any) -> None:
    async with desk as uow:
        undone = Note(id="undone", owner="o")
        with pytest.raises(KeyError):
            async with uow:
                uow.notes.add(undone)
                await uow.flush()
                raise KeyError
        note = uow.notes.add(Note(id="new", owner="o"))
    assert "version" not in undone.model_fields_set
    sent = note.model_dump_json(exclude_unset=True)
    note.text = "changed outside"
    async with desk as uow:
        assert (await uow.notes.merge(note)).text == "changed outside"
    async with desk as uow:
        assert (await uow.notes.get("new")).version == 1
        with pytest.raises(StaleDocument, match="version 0, now 1"):
            await uow.notes.merge(Note.model_validate_json(sent))


@pytest.mark.on_servers
async def test_a_document_from_before_its_model_was_versioned_carries_version_0_to_a_merge(desk: Any) -> None:
    async with desk as uow:
        await settled(raw(uow).notes.insert_one({"_id": "old", "owner": "o", "text": "stored"}))
        note = await uow.notes.get("old")
    copy = note.model_copy(update={"text": "changed outside"})
    async with desk as uow:
        await uow.notes.merge(copy)
    async with desk as uow:
        assert (await uow.notes.get("old")).version == 1
        with pytest.raises(StaleDocument, match="version 0, now 1"):
            await uow.notes.merge(copy)


async def test_a_version_that_a_commit_in_the_block_told_survives_a_rollback(desk: Any) -> None:
    async with desk as uow:
        note = uow.notes.add(Note(id="new", owner="o"))
        await uow.commit()
        note.text = "undone"
        await uow.flush()
        await uow.rollback()
        assert note.model_fields_set == {"id", "owner", "version"}


async def test_a_copy_of_another_kind_of_the_family_is_refused(desk: Any) -> None:
    async with desk as uow:
        uow.payments.add(Cash(id=1, amount=5))
    async with desk as uow:
        assert (await uow.payments.merge(Cash(id=1, amount=6))).amount == 6
        with pytest.raises(WrongModel, match="is a Cash, and merge was given a Card"):
            await uow.payments.merge(Card(id=1, amount=6, holder="x"))
        with pytest.raises(TypeError):
            await uow.payments.merge(Page(id="p", title="t"))


async def test_validators_of_assignments_do_not_see_half_of_a_merge(desk: Any) -> None:
    async with desk as uow:
        uow.stamped.add(Stamped(id="s", first=1, last=2))
    async with desk as uow:
        await uow.stamped.merge(Stamped(id="s", first=5, last=6))
    async with desk as uow:
        stamped = await uow.stamped.get("s")
        assert (stamped.first, stamped.last) == (5, 6)


async def test_a_merge_takes_its_turn_where_a_unit_serializes(desk: Any, database: Any, colour: str) -> None:
    shared = define(colour, database, {"concurrency": "serialize"}, pages=Page)
    async with shared as uow:
        page = await uow.pages.merge(Page(id="p", title="new"))
        assert await uow.pages.merge(Page(id="p", title="newer")) is page
    async with desk as uow:
        assert (await uow.pages.get("p")).title == "newer"


async def test_a_removed_document_is_not_there(desk: Any) -> None:
    async with desk as uow:
        uow.pages.remove(await uow.pages.get("p"))
        with pytest.raises(DocumentNotFound):
            await uow.pages.merge(Page(id="p", title="back"))
        await uow.pages.merge(Page(id="p", title="back"), missing="add")
    async with desk as uow:
        assert (await uow.pages.get("p")).title == "back"
