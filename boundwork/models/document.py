"""The two base classes of a user's models.

A `Document` has an id and lives in a collection; an `Embedded` lives inside one. Both are ordinary pydantic models.
What a Document adds is that touching it is noticed: writes by `__setattr__`, reads of values that can be changed in
place by a descriptor for each such field. Reading a scalar costs what it costs in pydantic.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self

from bson import ObjectId
from pydantic import ConfigDict, Field
from typing_extensions import TypeVar, Unpack

from boundwork.models import discriminators, fixed_fields
from boundwork.models.codec import codec_of
from boundwork.models.fixed_fields import ShardKeyField
from boundwork.models.metaclass import BARE, DocumentMeta, StoredMeta, expression
from boundwork.models.scalars import known
from boundwork.models.scope import OPEN, Scope, check_scope, declared_scope
from boundwork.models.slots import STATE, Stored, Tracked
from boundwork.models.structure.indexes import Index, checked_indexes, declared_indexes
from boundwork.models.structure.options import CollectionOptions
from boundwork.models.touched import Changes
from boundwork.models.tracking import MODIFIED, mark_modified, state_of, touch, touch_all, touch_field, touch_inside
from boundwork.models.upcasts.lineage import Lineage, check_lineage, declared_lineage
from boundwork.models.upcasts.upcast import Upcast

if TYPE_CHECKING:
    from collections.abc import Iterator

IdT = TypeVar("IdT", default=ObjectId)
_read_state = STATE.__get__


class Embedded(Stored, metaclass=StoredMeta):  # named here too, or checkers would refuse frozen=True
    """Base of models that live inside a document; fields they do not know survive an update."""

    @classmethod
    def __boundwork_prepare__(cls) -> None:
        if cls.__pydantic_complete__:
            codec_of(cls)


class MutableField:
    """Notes the first read of a field whose value can be changed in place."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        """Serve the field of this name."""
        self.name = name

    def __get__(self, document: Any, owner: type[Any]) -> Any:
        """Give the value, or the query expression on the class."""
        if document is None:
            return expression(owner, self.name)
        try:
            value = document.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None
        try:
            state = _read_state(document)
        except AttributeError:
            state = None
        if state is not MODIFIED and (type(state) is not Changes or self.name not in state.baseline):
            touch_field(document, self.name)
        return value

    def __set__(self, document: Any, value: Any) -> None:
        """Write the value past pydantic, as object.__setattr__ does."""
        touch_field(document, self.name)
        document.__dict__[self.name] = value

    def __delete__(self, document: Any) -> None:
        """Remove the value."""
        touch_field(document, self.name)
        try:
            del document.__dict__[self.name]
        except KeyError:
            raise AttributeError(self.name) from None


def _new_id() -> Any:
    return ObjectId()


def _is_scalar(annotation: Any) -> bool:
    return isinstance(annotation, type) and known(annotation) is not None


def _require_own_id(cls: type[Any]) -> None:
    """Take the default ObjectId away from a model whose id has another type."""
    info = cls.__pydantic_fields__["id"]
    if info.default_factory is not _new_id or info.annotation is ObjectId or not _is_settled(info.annotation):
        return
    info.default_factory = None
    info._attributes_set = {key: value for key, value in info._attributes_set.items() if key != "default_factory"}  # noqa: SLF001 - or a subclass would get the default back
    cls.model_rebuild(force=True, raise_errors=False)


def _is_settled(annotation: Any) -> bool:
    return type(annotation).__name__ not in {"TypeVar", "ForwardRef", "str"}


class Document(Tracked, Generic[IdT], metaclass=DocumentMeta):  # named here for the same reason
    """Base of models that are stored: `class Order(Document, collection="orders")`.

    `collection` names the collection; a subclass without one lives in its parent's. `discriminator` names the field
    whose Literal values tell the subclasses apart. `Document[str]` has another type of id, and then no default id.
    `indexes` and `options` declare the structure of the collection, for `ensure_schema`; subclasses inherit them.
    `tenant_field` names the field that says whose a document is, `soft_delete` the one that says when it was removed.
    `versioned` counts the updates of each document in a field `version`, or one of another name, which is compared at
    every write. `shard_key` names what the collection is divided by: `("country", ("customer_id", "hashed"))`.
    `schema_version` is the version of the stored form, and `upcasts` lead to it from those that are still stored.
    """

    __boundwork_document__: ClassVar[bool] = True
    __boundwork_collection__: ClassVar[str | None] = None
    __boundwork_indexes__: ClassVar[tuple[Index, ...]] = ()
    __boundwork_options__: ClassVar[CollectionOptions | None] = None
    __boundwork_scope__: ClassVar[Scope] = OPEN
    __boundwork_version__: ClassVar[str | None] = None
    __boundwork_shard_key__: ClassVar[tuple[str, ...]] = ()
    __boundwork_lineage__: ClassVar[Lineage | None] = None

    id: IdT = Field(default_factory=_new_id)

    def __init_subclass__(  # noqa: PLR0913 - the keywords of a class statement
        cls,
        *,
        collection: str | None = None,
        discriminator: str | None = None,
        indexes: Sequence[Index] = (),
        options: CollectionOptions | None = None,
        tenant_field: str | None = None,
        soft_delete: str | None = None,
        versioned: bool | str = False,
        shard_key: Sequence[ShardKeyField] = (),
        schema_version: int | None = None,
        upcasts: Sequence[Upcast] = (),
        **keywords: Unpack[ConfigDict],
    ) -> None:
        """Take the keywords of the class statement."""
        super().__init_subclass__(**keywords)
        first = collection is not None or cls.__boundwork_collection__ is None
        cls.__boundwork_scope__ = declared_scope(
            cls, cls.__boundwork_scope__, tenant_field, soft_delete, names_collection=first
        )
        cls.__boundwork_lineage__ = declared_lineage(
            cls.__name__, schema_version, upcasts, cls.__boundwork_lineage__, names_collection=first
        )
        if collection is not None:
            if not collection or "$" in collection or "\0" in collection or collection.startswith("system."):
                message = f"{cls.__name__}: {collection!r} cannot be the name of a collection"
                raise TypeError(message)
            cls.__boundwork_collection__ = collection
        cls.__boundwork_indexes__ = checked_indexes(cls, indexes)
        if options is not None:
            cls.__boundwork_options__ = options
        discriminators.declare(cls, discriminator)
        fixed_fields.declare(cls, versioned, shard_key)

    @classmethod
    def __boundwork_prepare__(cls) -> None:
        _require_own_id(cls)
        if cls.__pydantic_complete__:
            codec = codec_of(cls)
            mutable = {field.name for field in codec.fields if field.shape.mutable}
            discriminators.register(cls)
            declared_indexes(cls)  # what is wrong is said with the class, and not at the first use
            check_scope(cls, cls.__boundwork_scope__)
            fixed_fields.fixed_fields(cls)  # the same
            if cls.__boundwork_lineage__ is not None:
                check_lineage(cls, cls.__boundwork_lineage__)
        else:
            fields = cls.__pydantic_fields__.items()
            mutable = {name for name, info in fields if not _is_scalar(info.annotation)}
        for name in mutable:
            if not isinstance(cls.__dict__.get(name), MutableField):
                setattr(cls, name, MutableField(name))

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> Self:
        """Build an instance without validation; it is validated before it is written."""
        document = super().model_construct(_fields_set, **values)
        mark_modified(document)
        return document

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy the model; the copy belongs to no unit."""
        copied = super().model_copy(update=update, deep=deep)
        if update:
            mark_modified(copied)
        return copied

    def __copy__(self) -> Self:
        """Copy shallowly; the copy belongs to no unit."""
        touch_all(self)
        copied = super().__copy__()
        mark_modified(copied)
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy deeply; the copy belongs to no unit."""
        copied = super().__deepcopy__(memo)
        if state_of(self) is not None:
            mark_modified(copied)
        return copied

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Restore what was pickled; the document belongs to no unit."""
        super().__setstate__(state)
        mark_modified(self)

    @property
    def model_fields_set(self) -> set[str]:
        """Give the names of the fields that were set, as a set of this document's own."""
        touch(self)
        return super().model_fields_set

    @property
    def model_extra(self) -> dict[str, Any] | None:
        """Give the extra fields, for models that allow them."""
        touch_inside(self)
        return super().model_extra

    if not TYPE_CHECKING:  # checkers must not think that every attribute exists

        def __iter__(self) -> "Iterator[tuple[str, Any]]":
            touch_all(self)
            return super().__iter__()

        def __setattr__(self, name: str, value: Any) -> None:
            try:
                state = _read_state(self)
            except AttributeError:
                state = None
            if state is not MODIFIED and (type(state) is not Changes or name not in state.baseline):
                if type(self).model_config.get("validate_assignment"):
                    touch_all(self)
                else:
                    touch_field(self, name)
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            touch_field(self, name)
            super().__delattr__(name)

        def __getattr__(self, name: str) -> Any:
            if name[:2] != "__":
                cls = type(self)
                if name in cls.__private_attributes__:
                    touch_all(self)  # it may refer to what is in the fields
                elif cls.model_config.get("extra") == "allow":
                    touch_inside(self)
            return super().__getattr__(name)


setattr(Document, BARE, Document[ObjectId])  # so that `class Order(Document)` is not a generic class itself
