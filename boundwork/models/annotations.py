"""From an annotation to its shape.

Strips Annotated, aliases, NewType and type variables, and hands each form to the file that decides about it:
scalars here by a table, containers, unions and models in their own files.
"""

import collections
import typing
from collections import abc
from collections.abc import Iterable
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    EncodedBytes,
    EncodedStr,
    Json,
    PlainValidator,
    SecretBytes,
    SecretStr,
    WrapValidator,
)
from typing_extensions import TypeAliasType, is_typeddict

from boundwork.models import containers, records, scalars, unions
from boundwork.models.kinds import is_class
from boundwork.models.markers import StorePlain
from boundwork.models.references import storing
from boundwork.models.shapes import ANYTHING, Shape, UnclearType
from boundwork.models.slots import Stored

LISTS = (list, collections.deque, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable, tuple)
SETS = (set, frozenset, abc.Set, abc.MutableSet)
DICTS = (
    dict, collections.OrderedDict, collections.defaultdict, collections.Counter, abc.Mapping, abc.MutableMapping,
)  # fmt: skip
_RESHAPING = (BeforeValidator, WrapValidator, PlainValidator)
_WRAPPERS = frozenset({"Required", "NotRequired", "ReadOnly", "Final", "ClassVar", "SerializeAsAny"})


def shape_of(annotation: Any, metadata: Iterable[Any] = (), discriminator: Any = None) -> Shape:
    """Give the shape of an annotation; raise UnclearType where it cannot be stored and read back."""
    marks = list(metadata)
    annotation = bare(annotation, marks)
    if any(Json in {mark, type(mark)} for mark in marks if mark.__hash__):
        raise UnclearType("pydantic.Json cannot be read back from what it becomes; store the parsed value instead")
    if any(isinstance(mark, EncodedBytes | EncodedStr) for mark in marks):
        raise UnclearType("what is decoded when it is read would be decoded once more; store it as plain bytes or str")
    tag = discriminator or next((getattr(mark, "discriminator", None) for mark in marks if _is_choice(mark)), None)
    shape = _dispatch(annotation, marks, tag)
    return shape.stored_whole().trusting() if any(isinstance(mark, _RESHAPING) for mark in marks) else shape


def _is_choice(mark: Any) -> bool:
    return getattr(mark, "discriminator", None) is not None


def bare(annotation: Any, marks: list[Any]) -> Any:
    """Give an annotation without `Annotated`, whose metadata joins `marks`, and without the names of aliases."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            marks.extend(annotation.__metadata__)
            annotation = annotation.__origin__
        elif getattr(origin, "_name", None) in _WRAPPERS:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        elif isinstance(origin, TypeAliasType):
            annotation = origin.__value__[get_args(annotation)]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif isinstance(annotation, typing.TypeVar) or type(annotation).__name__ == "TypeVar":
            annotation = _of_type_variable(annotation)
        else:
            return annotation


def _of_type_variable(variable: Any) -> Any:
    default = getattr(variable, "__default__", None)
    if default is not None and getattr(variable, "has_default", lambda: False)():
        return default
    if variable.__bound__ is not None:
        return Stored if variable.__bound__ is BaseModel else variable.__bound__
    return typing.Union[variable.__constraints__] if variable.__constraints__ else Any  # noqa: UP007 - made of a tuple


def _dispatch(annotation: Any, marks: list[Any], tag: Any) -> Shape:
    if annotation in {SecretStr, SecretBytes}:
        if not any(isinstance(mark, StorePlain) or mark is StorePlain for mark in marks):
            name = annotation.__name__
            raise UnclearType(f"{name} is stored only by explicit choice: write Annotated[{name}, StorePlain()]")
        return scalars.secret(annotation)
    if annotation in {Any, object}:
        return ANYTHING
    if unions.is_union(annotation):
        smart = not any(getattr(mark, "union_mode", None) == "left_to_right" for mark in marks)
        return unions.shape(get_args(annotation), tag, shape_of, smart=smart)
    origin = get_origin(annotation)
    if origin is Literal:
        return scalars.literal(get_args(annotation))
    found = _of_class(annotation) if is_class(annotation) else None
    if found is not None:
        return found
    return _of_container(annotation, origin)


def _of_class(cls: type[Any]) -> Shape | None:
    if is_typeddict(cls):
        return records.typed_dict(cls, shape_of)
    if cls is BaseModel:
        raise UnclearType("BaseModel has no fields to be read back by; name the models that may stand here")
    if BaseModel in cls.__mro__:
        from boundwork.models.codec import codec_of  # noqa: PLC0415 - codecs are made of shapes

        return codec_of(cls).shape
    if hasattr(cls, "__dataclass_fields__"):
        return records.dataclass(cls, shape_of)
    if Enum in cls.__mro__:
        return scalars.enumeration(cls)
    if tuple in cls.__mro__ and hasattr(cls, "_fields"):
        return records.named_tuple(cls, shape_of)
    return scalars.known(cls)


def _of_container(annotation: Any, origin: Any) -> Shape:  # noqa: PLR0911 - one line for each kind
    kind = origin or annotation
    arguments = get_args(annotation)
    if storing.is_reference(annotation):
        return storing.reference(annotation, shape_of)
    if is_class(kind) and hasattr(kind, "__dataclass_fields__"):
        return records.dataclass(kind, shape_of)
    if is_typeddict(kind):
        return records.typed_dict(kind, shape_of)
    if kind is tuple and arguments and arguments[-1] is not Ellipsis:
        return containers.fixed_tuple([shape_of(argument) for argument in arguments if argument != ()])
    if kind in LISTS:
        return containers.sequence(shape_of(arguments[0]) if arguments else ANYTHING, kind)
    if kind in SETS:
        return containers.unordered(shape_of(arguments[0]) if arguments else ANYTHING, kind)
    if kind in DICTS:
        if kind is collections.Counter:
            return containers.mapping(shape_of(arguments[0] if arguments else Any), shape_of(int), kind)
        key, value = (shape_of(argument) for argument in arguments) if arguments else (ANYTHING, ANYTHING)
        return containers.mapping(key, value, kind)
    return (scalars.known(origin) if is_class(origin) else None) or ANYTHING
