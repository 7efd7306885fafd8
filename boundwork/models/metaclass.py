"""What boundwork adds to pydantic's model classes while they are built and when they are asked for a field.

`Order.status` on a document class is a query expression. It is answered only for the fields of a finished class and
never while any class is being built: pydantic reads the attributes of the parents then, and would take an expression
for a default.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import Field, PrivateAttr
from pydantic._internal._model_construction import ModelMetaclass  # checkers take no `type(BaseModel)` for a base class
from typing_extensions import dataclass_transform

if TYPE_CHECKING:
    from boundwork.models.document import Document, IdT


BARE = "__boundwork_bare__"
"""Under this name a generic base keeps what it stands for where it is subclassed without a parameter."""


class _Building(threading.local):
    depth = 0


_building = _Building()


@contextmanager
def building() -> Generator[None, None, None]:
    """Silence the query expressions of every class in this thread for the block."""
    _building.depth += 1
    try:
        yield
    finally:
        _building.depth -= 1


def expression(model: type[Any], name: str) -> Any:
    """Give the query expression of a field; raise AttributeError where the class is not ready for it."""
    if _building.depth or name not in model.__dict__.get("__pydantic_fields__", ()):
        raise AttributeError(name)
    if not model.__pydantic_complete__:
        model.model_rebuild(raise_errors=False)
    from boundwork.models.expressions import field_expression  # noqa: PLC0415 - expressions are built on documents

    return field_expression(model, name)


@dataclass_transform(kw_only_default=True, field_specifiers=(Field, PrivateAttr))
class StoredMeta(ModelMetaclass):
    """Metaclass of Document and Embedded: checks, when a class is complete, that it can be stored."""

    def __new__(mcs, name: str, bases: tuple[type[Any], ...], namespace: dict[str, Any], **keywords: Any) -> Any:
        """Build the class with expressions silenced, then prepare it."""
        with building():
            if keywords.get("__pydantic_generic_metadata__") is None:
                bases = tuple(base.__dict__.get(BARE, base) for base in bases)
            cls: Any = super().__new__(mcs, name, bases, namespace, **keywords)
            prepare = getattr(cls, "__boundwork_prepare__", None)
            if prepare is not None:
                prepare()
        return cls


@dataclass_transform(kw_only_default=True, field_specifiers=(Field, PrivateAttr))
class DocumentMeta(StoredMeta):
    """Metaclass of Document: fields asked for on the class are query expressions."""

    if TYPE_CHECKING:

        @property
        def id(cls: "type[Document[IdT]]") -> IdT:  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # noqa: N805 - of a metaclass
            """Tell mypy the type of `Order.id`, which it takes for ambiguous on a generic class."""
            ...

    else:  # a __getattr__ that checkers see would make every misspelt field right

        def __getattr__(cls, name: str) -> Any:  # noqa: N805 - of a metaclass
            """Answer for a field; name the nearest one for what is neither a field nor pydantic's."""
            if name[:2] != "__" and name in cls.__dict__.get("__pydantic_fields__", ()):
                return expression(cls, name)
            try:
                return super().__getattr__(name)
            except AttributeError:
                if name[:1] in {"", "_"} or _building.depth or "__pydantic_fields__" not in cls.__dict__:
                    raise
            from boundwork.models.expressions import field_expression  # noqa: PLC0415 - as above

            return field_expression(cls, name)
