"""What a definition is, what a unit is made of, and which repositories they have."""

from typing import Any

import pytest
from pydantic import BaseModel

from boundwork import AsyncRepository, AsyncUnitOfWork, Document, NestedUnitOfWork, Repository, UnitOfWork
from boundwork.uow.sessions.memory import MemoryDatabase
from tests.unit.uow.people import Person, Town


class People(Repository[Person]):
    def named(self, name: str) -> list[Person]:
        return self.find({"name": name}).to_list()


class Grown(People):
    pass


class Base(UnitOfWork):
    people = People()

    def __init__(self, database: object, clock: list[int]) -> None:
        super().__init__(database)
        self.clock = clock


class Shop(Base):
    towns = Repository(Town)

    def settle(self, name: str) -> None:
        self.towns.add(Town(id=len(self.clock), name=name))
        self.clock.append(1)


@pytest.fixture
def shop() -> Shop:
    return Shop(MemoryDatabase(), [])


def test_the_models_of_a_definition_are_those_of_its_repositories_and_of_its_bases() -> None:
    assert Shop.models == {Person, Town}
    assert Base.models == {Person}
    assert UnitOfWork.models == frozenset()


@pytest.mark.parametrize("definition", [UnitOfWork, AsyncUnitOfWork])
@pytest.mark.parametrize("word", ["commit_seconds", "replay_seconds"])
def test_times_below_zero_are_refused(definition: Any, word: str) -> None:
    for seconds in (-1, -0.5, float("nan")):
        with pytest.raises(ValueError, match=f"{word} takes a number of seconds, 0 or more"):
            definition(MemoryDatabase(), **{word: seconds})
    definition(MemoryDatabase(), **{word: 0})


def test_a_repository_that_is_replaced_in_a_subclass_no_longer_counts() -> None:
    replaced: Any = type("Replaced", (Shop,), {"towns": People()})
    assert replaced.models == {Person}


def test_a_unit_is_another_object_of_the_same_class_with_the_attributes_of_its_definition(shop: Shop) -> None:
    with shop as uow:
        assert type(uow) is Shop
        assert uow is not shop
        assert uow.clock is shop.clock
        assert (shop.is_unit, uow.is_unit) == (False, True)


def test_methods_of_the_definition_work_on_the_unit_and_on_the_definition(shop: Shop) -> None:
    with shop as uow:
        uow.settle("Ulm")
        shop.settle("Bonn")
        assert [town.name for town in uow.towns.find().sort("name").to_list()] == ["Bonn", "Ulm"]


def test_a_unit_leaves_no_trace_in_its_definition(shop: Shop) -> None:
    before = dict(vars(shop))
    with shop as uow:
        uow.people.add(Person(id=1))
    assert vars(shop) == before


def test_one_definition_makes_many_units_one_after_another(shop: Shop) -> None:
    units: list[Shop] = []
    for number in range(3):
        with shop as uow:
            uow.people.add(Person(id=number))
            units.append(uow)
    assert len({id(uow.core) for uow in units}) == 3
    assert [uow.receipt.inserted for uow in units] == [1, 1, 1]


def test_a_repository_of_a_unit_is_made_once(shop: Shop) -> None:
    with shop as uow:
        assert uow.people is uow.people


def test_a_repository_of_the_class_is_the_declared_one() -> None:
    assert isinstance(Base.people, People)
    assert Shop.people is Base.people


def test_a_repository_outside_of_a_unit_class_is_an_ordinary_attribute(shop: Shop) -> None:
    class Service:
        people = People()

    with shop as uow:
        assert Service().people.add(Person(id=1)) is uow.people.get(1)


def test_words_of_a_repository_s_own_are_there_on_definition_and_unit(shop: Shop) -> None:
    with shop as uow:
        anna = uow.people.add(Person(id=1, name="Anna"))
        assert uow.people.named("Anna") == shop.people.named("Anna") == [anna]


@pytest.mark.parametrize("kind", [People, Grown])
def test_the_model_of_a_repository_is_read_from_its_bases(kind: type[Repository[Person]]) -> None:
    assert kind().model is Person


def test_a_repository_without_a_model_is_refused_and_told_how_to_name_one() -> None:
    class Vague(Repository[Any]):
        pass

    with pytest.raises(TypeError, match=r"Vague does not know its model.*Repository\[Order\]"):
        Vague()


@pytest.mark.parametrize("word", ["add", "remove", "receipt", "database", "core"])
def test_a_repository_may_not_take_a_word_of_the_unit(word: str) -> None:
    with pytest.raises((TypeError, RuntimeError)) as caught:
        type("Wrong", (UnitOfWork,), {word: Repository(Person)})
    error = caught.value if isinstance(caught.value, TypeError) else caught.value.__cause__  # 3.11 wraps it
    assert str(error) == f"A repository of Wrong cannot be called {word!r}: units have that word already."


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [(UnitOfWork, AsyncRepository, "Repository"), (AsyncUnitOfWork, Repository, "AsyncRepository")],
)
def test_a_repository_of_the_other_colour_is_refused_with_the_class(kind: Any, wrong: Any, right: str) -> None:
    with pytest.raises(TypeError, match=rf"Mixed\.people is a repository of the other colour.* of {right}\.$"):
        type("Mixed", (kind,), {"people": wrong(Person)})


def test_a_repository_is_not_given_documents_of_another_model(shop: Shop) -> None:
    town: Any = Town(id=1)
    with shop as uow:
        for word in (uow.people.add, uow.people.remove, uow.people.add_if_absent):
            with pytest.raises(TypeError, match="A repository of Person was given Town"):
                word(town)
        with pytest.raises(TypeError, match="given Town"):
            uow.people.add_all([Person(id=1), town])
        assert uow.people.count() == 0


def test_a_repository_of_what_is_no_document_is_refused_at_once() -> None:
    plain: Any = BaseModel
    with pytest.raises(TypeError, match="Repository needs a class that derives from Document"):
        Repository(plain)


def test_a_query_is_no_condition(shop: Shop) -> None:
    with shop as uow, pytest.raises(TypeError, match=r"A query has no truth value.*exists\(\)"):
        bool(uow.people.find())


def test_a_definition_and_a_unit_show_which_they_are(shop: Shop) -> None:
    with shop as uow:
        assert (repr(shop), repr(uow)) == ("<Shop: definition>", "<Shop: unit that is open>")
    assert repr(uow) == "<Shop: unit that has ended>"


def test_a_unit_of_a_second_definition_object_of_the_class_does_not_nest_and_says_so(shop: Shop) -> None:
    other = Shop(MemoryDatabase(), [])
    with shop, pytest.raises(NestedUnitOfWork, match=r"share one definition object"), other:
        pass


@pytest.mark.parametrize("database", [object(), None, "mongodb://host/shop"], ids=["object", "none", "text"])
def test_what_is_no_database_is_refused_at_once(database: object) -> None:
    with pytest.raises(TypeError, match="UnitOfWork needs a pymongo Database"):
        UnitOfWork(database)


def test_the_unit_itself_takes_documents_of_any_model(shop: Shop) -> None:
    with shop as uow:
        documents: list[Document[Any]] = [Person(id=1), Town(id=1)]
        for document in documents:
            uow.add(document)
        uow.flush()
        uow.remove(documents[0])
        assert (uow.people.count(), uow.towns.count()) == (0, 1)
