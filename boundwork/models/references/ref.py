"""What a field that refers to a document holds: an id, with the model that it belongs to.

It is a value: immutable, equal by collection and id, and it knows no unit. Dumps to JSON and JSON schemas show the bare
id, and so does the database. An id, a reference and a document of the model are all taken where one is validated.
"""

from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar, get_args

from pydantic import GetCoreSchemaHandler
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeVar as TypeVarWithDefault

from boundwork.models.kinds import class_of
from boundwork.models.references.validation import reference_schema

if TYPE_CHECKING:
    from boundwork.models.document import Document

ModelT = TypeVar("ModelT", bound="Document[Any]")
ModelT_co = TypeVar("ModelT_co", bound="Document[Any]", covariant=True)
IdT_co = TypeVarWithDefault("IdT_co", covariant=True, default=Any)


class Ref(Generic[ModelT_co, IdT_co]):
    """A reference to a document: `customer: Ref[Customer]`, or `Ref[Customer, str]` with the type of its id.

    Build one of an id, `Ref(Customer, "ada")`, or of a document, `Ref.to(customer)`. TypeError for an id of another type
    than the model's.
    """

    __slots__ = ("_id", "_model")
    _id: Any
    _model: Any

    def __init__(self, model: type[ModelT_co], id: IdT_co) -> None:  # noqa: A002 - the field is called id
        """Refer to the document of a model that has an id; whether there is one is not asked."""
        check_model(model)
        check_id(model, id)
        _set_model(self, model)
        _set_id(self, id)

    @staticmethod
    def to(document: ModelT) -> "Ref[ModelT]":
        """Return a reference to a document; a new one has an id already, unless its model has none by default."""
        if not getattr(type(document), "__boundwork_document__", False):  # such as None, where nothing was found
            raise TypeError(
                f"Ref.to() takes a document, and was given {type(document).__name__}. Of an id make one by Ref(Customer, id)."
            )
        return Ref(type(document), document.id)

    @classmethod
    def _trusted(cls, model: Any, value: Any) -> Self:
        ref = cls.__new__(cls)
        _set_model(ref, model)
        _set_id(ref, value)
        return ref

    @property
    def model(self) -> type[ModelT_co]:
        """The model of the document."""
        model: type[ModelT_co] = self._model
        return model

    @property
    def id(self) -> IdT_co:
        """The id of the document."""
        value: IdT_co = self._id
        return value

    def __eq__(self, other: object) -> bool:
        """Compare with another reference: the same collection and the same id."""
        if not isinstance(other, Ref):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        """Hash by collection and id."""
        return hash(self._key())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a reference does not change."""
        raise AttributeError(f"A reference does not change. Assign another one in its place (for its {name}).")

    def __delattr__(self, name: str) -> NoReturn:
        """Refuse: a reference does not change."""
        raise AttributeError(f"A reference does not change, and keeps its {name}.")

    def __repr__(self) -> str:
        """Show the model and the id."""
        return f"Ref({self._model.__name__}, {self._id!r})"

    def __copy__(self) -> Self:
        """Return itself."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the model, by its name, and the id."""
        return Ref, (self._model, self._id)

    def _key(self) -> tuple[Any, ...]:
        model, value = self._model, self._id
        return model.__boundwork_collection__ or model, value.__class__, value

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate ids, references and documents; write the id to JSON."""
        model = model_of(source)
        if isinstance(model, TypeVar):
            return core_schema.any_schema()
        return reference_schema(cls, model, handler)


_set_model: Any = Ref.__dict__["_model"].__set__
_set_id: Any = Ref.__dict__["_id"].__set__


def model_of(annotation: Any) -> Any:
    """Return the model that `Ref[Customer]` names, or its type variable; TypeError where it names none."""
    arguments = get_args(annotation)
    if not arguments:
        raise TypeError("Ref needs the model that it refers to: Ref[Customer].")
    model: Any = arguments[0]
    if type(model).__name__ == "ForwardRef":
        name = model.__forward_arg__
        raise PydanticUndefinedAnnotation(name, f"{name!r}, which a reference names, is not defined")
    if type(model).__name__ == "TypeVar":
        return model
    check_model(model)
    declared = arguments[1] if len(arguments) > 1 else Any
    own = id_class(model)
    if isinstance(declared, type) and declared not in {Any, own} and own is not None:
        raise TypeError(
            f"A field refers to {model.__name__} by ids of type {declared.__name__}, but they are of type {own.__name__}."
        )
    return model


def check_model(model: object) -> None:
    """Raise TypeError unless this is a class of documents."""
    if not isinstance(model, type) or not getattr(model, "__boundwork_document__", False):
        raise TypeError(f"Ref takes a class of documents, and not {getattr(model, '__name__', type(model).__name__)}.")


def id_class(model: Any) -> type | None:
    """Return the class that the ids of a model are of; None where more than a class says what they are."""
    annotation = model.__pydantic_fields__["id"].annotation
    # Any is a class as well since Python 3.11.
    return annotation if isinstance(annotation, type) and annotation is not Any else None


def check_id(model: Any, value: object) -> None:
    """Raise TypeError for an id of another type than the model's."""
    own = id_class(model)
    cls = class_of(value)
    if value is None or cls is Ref or (own is not None and not isinstance(value, own)):
        wanted = "" if own is None else f" of type {own.__name__}"
        raise TypeError(f"A reference to {model.__name__} takes an id{wanted}, and not {cls.__name__}.")
