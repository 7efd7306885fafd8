"""Where boundwork keeps what belongs to an instance but is no part of the model.

Slots are invisible to pydantic: no dump, comparison, schema or representation sees them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict
from pydantic.annotated_handlers import GetCoreSchemaHandler
from pydantic_core import CoreSchema
from typing_extensions import Unpack

from boundwork.models.class_words import unknown_word
from boundwork.models.metaclass import DocumentMeta, StoredMeta, building
from boundwork.models.object_id import with_object_ids


class SharedNames(set[str]):
    """The names of all fields of a class, shared by every complete instance that was loaded; copies are plain sets."""

    __slots__ = ()

    def __copy__(self) -> set[str]:
        """Give a set of the copy's own."""
        return set(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as a plain set."""
        return set, (list(self),)


class Stored(BaseModel, metaclass=StoredMeta):
    """What Document and Embedded have in common."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    __slots__ = ("__boundwork_unknown__",)

    def __init_subclass__(cls, **keywords: Unpack[ConfigDict]) -> None:
        """Refuse by name what nobody takes."""
        try:
            super().__init_subclass__(**keywords)
        except TypeError as error:
            if keywords and str(error).endswith("takes no keyword arguments"):  # Python's own, for whatever was left
                raise unknown_word(cls, next(iter(keywords))) from None
            raise

    @property
    def model_fields_set(self) -> set[str]:
        """Give the names of the fields that were set, as a set of this instance's own."""
        names = self.__pydantic_fields_set__
        if type(names) is SharedNames:
            names = set(names)
            FIELDS_SET.__set__(self, names)
        return names

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Show the id, and the fields that say so by `Field(repr=True)`: contents stay out of logs and error reports."""
        for name, info in type(self).__pydantic_fields__.items():
            said: dict[str, Any] = getattr(info, "_attributes_set", {})  # what was written: the default is True as well
            shows = info.repr and "repr" in said
            if name in self.__dict__ and (shows or (name == "id" and hasattr(type(self), "__boundwork_document__"))):
                yield name, self.__dict__[name]

    def __copy__(self) -> Self:
        """Copy shallowly; fields the model does not know go with the copy."""
        copied = super().__copy__()
        _carry(self, copied)
        return copied

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy deeply; fields the model does not know go with the copy."""
        copied = super().__deepcopy__(memo)
        _carry(self, copied)
        return copied

    def __getstate__(self) -> dict[Any, Any]:
        """Pickle what pydantic pickles, and the fields the model does not know."""
        state = super().__getstate__()
        unknown = _unknown(self)
        if unknown:
            state["__boundwork_unknown__"] = unknown
        return state

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Restore what was pickled."""
        super().__setstate__(state)
        unknown = state.get("__boundwork_unknown__")
        if unknown:
            _keep(self, unknown)

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 2,
        _types_namespace: Mapping[str, Any] | None = None,
    ) -> bool | None:
        """Build the model again, with the query expressions of its class silenced as while it is defined."""
        with building():
            return super().model_rebuild(
                force=force,
                raise_errors=raise_errors,
                _parent_namespace_depth=_parent_namespace_depth + 1,
                _types_namespace=_types_namespace,
            )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler, /) -> CoreSchema:
        """Teach every ObjectId in the model's schema text and JSON."""
        return with_object_ids(handler(source))


UNKNOWN: Any = Stored.__dict__["__boundwork_unknown__"]
FIELDS_SET: Any = BaseModel.__dict__["__pydantic_fields_set__"]


def _unknown(value: Stored) -> dict[str, Any] | None:
    try:
        return dict(UNKNOWN.__get__(value))
    except AttributeError:
        return None


def _keep(value: Stored, unknown: dict[str, Any]) -> None:
    from boundwork.models.codec import codec_of  # noqa: PLC0415 - codecs are compiled for classes built on this one

    UNKNOWN.__set__(value, unknown)
    codec_of(type(value)).carries.more = True


def _carry(source: Stored, copied: Stored) -> None:
    unknown = _unknown(source)
    if unknown:
        UNKNOWN.__set__(copied, unknown)


def take_unknown(value: Stored, other: Stored) -> None:
    """Have the fields that another instance carries without knowing them, in place of one's own."""
    try:
        UNKNOWN.__set__(value, UNKNOWN.__get__(other))
    except AttributeError:
        try:
            UNKNOWN.__delete__(value)
        except AttributeError:
            return


class Tracked(Stored, metaclass=DocumentMeta):
    """The part of Document that change tracking needs: one slot for the state of the document."""

    __slots__ = ("__boundwork_state__",)


STATE: Any = Tracked.__dict__["__boundwork_state__"]
