"""Tests for the kind of a value that checkers understand: what they let through has items of any type."""

import dataclasses
from collections import deque
from collections.abc import Mapping, MutableSet
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel
from typing_extensions import TypeIs


class Dataclass(Protocol):
    """Any instance of a dataclass, as type checkers see it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


def class_of(value: object) -> type[Any]:
    """Give the class of a value."""
    return type(value)


def is_class(value: Any) -> TypeIs[type[Any]]:
    """Say whether an annotation is a class."""
    return isinstance(value, type)


def is_array(value: Any) -> TypeIs[list[Any]]:
    """Say whether a stored value is an array."""
    return type(value) is list


def is_document(value: Any) -> TypeIs[dict[str, Any]]:
    """Say whether a stored value is a document."""
    return type(value) is dict


def is_list(value: Any) -> TypeIs[list[Any] | deque[Any]]:
    """Say whether a value is a list or deque, which can be changed in place."""
    return isinstance(value, list | deque)


def is_ordered(value: Any) -> TypeIs[list[Any] | deque[Any] | tuple[Any, ...]]:
    """Say whether a value keeps items in order."""
    return isinstance(value, list | tuple | deque)


def is_tuple(value: Any) -> TypeIs[tuple[Any, ...]]:
    """Say whether a value is a tuple."""
    return isinstance(value, tuple)


def is_dict(value: Any) -> TypeIs[dict[Any, Any]]:
    """Say whether a value is a dict."""
    return isinstance(value, dict)


def is_mapping(value: Any) -> TypeIs[Mapping[Any, Any]]:
    """Say whether a value has keys and values."""
    return isinstance(value, Mapping)


def is_set(value: Any) -> TypeIs[AbstractSet[Any]]:
    """Say whether a value is a set of any kind."""
    return isinstance(value, AbstractSet)


def is_mutable_set(value: Any) -> TypeIs[MutableSet[Any]]:
    """Say whether a value is a set that can be changed in place."""
    return isinstance(value, MutableSet)


def is_model(value: Any) -> TypeIs[BaseModel]:
    """Say whether a value is a pydantic model; isinstance would ask pydantic's metaclass, which is slow."""
    return BaseModel in type(value).__mro__


def is_record(value: Any) -> bool:
    """Say whether a value is an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)
