"""To which model and to which unit a repository belongs.

Declared in a unit's class, a repository belongs to that definition or unit. Made elsewhere, it takes the only open
unit that declares its model, each time it is used.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, Self, cast, get_args, get_origin

from typing_extensions import TypeVar

from boundwork.models import Document
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.uow.definition import UnitDefinition, is_document, twin
from boundwork.uow.open_units import unit_for
from boundwork.uow.origin import origin_of_caller
from boundwork.uow.scopes import meet
from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])
IdT = TypeVar("IdT", default=Any)
"""The type of the ids, for type checkers: `Repository[Customer, str]`; without it they take any id."""


class RepositoryBase(Generic[DocumentT, IdT]):
    """What the repositories of both colours share: their model, their unit, and the words that are never awaited."""

    model: type[DocumentT]
    is_awaited: ClassVar[bool]
    _bound: UnitDefinition | None = None
    _core: Unit | None = None

    def __init__(self, model: type[DocumentT] | None = None) -> None:
        """Make a repository of a model: the argument, or that of `class Orders(Repository[Order])`."""
        found: Any = model or _declared_model(type(self))
        if found is None:
            raise TypeError(
                f"{type(self).__name__} does not know its model. "
                "Write Repository(Order), or class Orders(Repository[Order]).",
            )
        if not is_document(found):
            raise TypeError(f"{type(self).__name__} needs a class that derives from Document, and was given {found!r}.")
        self.model = cast("type[DocumentT]", found)
        self._has_scope = not found.__boundwork_scope__.is_open or found.__boundwork_lineage__ is not None

    def __set_name__(self, owner: type, name: str) -> None:
        """Refuse a name that is a word of the unit itself."""
        inherited = next((vars(base)[name] for base in owner.__mro__[1:] if name in vars(base)), None)
        if issubclass(owner, UnitDefinition) and inherited is not None and not isinstance(inherited, RepositoryBase):
            raise TypeError(
                f"A repository of {owner.__name__} cannot be called {name!r}: units have that word already."
            )
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        """Return the repository of a definition or of a unit."""
        if not isinstance(instance, UnitDefinition):
            return self
        bound = twin(self)
        if instance.is_unit:
            bound._core = instance.core  # noqa: SLF001 - another object of this class; the unit keeps it, and so not the unit
            vars(instance)[self._name] = bound
        else:
            bound._bound = instance  # noqa: SLF001 - the same
        return bound

    @property
    def mapper(self) -> Mapper[DocumentT]:
        """How documents of the model are stored."""
        return mapper_of(self.model)

    @property
    def unit(self) -> Unit:
        """The core of the unit that this repository works in; NoActiveUnitOfWork where there is none."""
        unit = self._core
        if unit is None:
            unit = unit_for(self.model) if self._bound is None else self._bound.core
        if self._has_scope or unit.scopes is not None:
            meet(unit, self.mapper)
        return unit

    def add(self, document: DocumentT) -> DocumentT:
        """Register a new document, to be inserted by the next flush, and return it."""
        self._check_model(document)
        self.unit.workspace.add(document, origin_of_caller())
        return document

    def add_all(self, documents: Iterable[DocumentT]) -> list[DocumentT]:
        """Register new documents and return them as a list; TypeError for one document, which `add` takes."""
        if isinstance(documents, self.model):
            raise TypeError(f"add_all takes many documents and was given one {self.model.__name__}; add() takes one.")
        added = list(documents)
        for document in added:
            self._check_model(document)
        self.unit.workspace.add_all(added, origin_of_caller())
        return added

    def remove(self, document: DocumentT) -> None:
        """Register the removal of a document of this unit, to be carried out by the next flush.

        Where the model has `soft_delete` it stays stored, marked with the time of its removal.
        """
        self._check_model(document)
        self.unit.workspace.remove(document)

    def restore(self, document: DocumentT) -> None:
        """Undo a soft removal; TypeError for a model without `soft_delete`."""
        self._check_model(document)
        self.unit.workspace.restore(document)

    def erase(self, document: DocumentT) -> None:
        """Register the removal of a document for good, be its model one with `soft_delete` or not."""
        self._check_model(document)
        self.unit.workspace.remove(document, softly=False)

    def _check_model(self, document: object) -> None:
        if not isinstance(document, self.model):
            raise TypeError(f"A repository of {self.model.__name__} was given {type(document).__name__}.")


def _declared_model(cls: type) -> type[Any] | None:
    """Return the model of the nearest base `Repository[Model]`."""
    for ancestor in cls.__mro__:
        for base in getattr(ancestor, "__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, RepositoryBase):
                for argument in get_args(base):
                    if is_document(argument):
                        return argument
    return None
