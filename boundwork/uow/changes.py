"""One change of one document, as data: what a flush has to bring to the server.

Values are in their stored form. `before` and `after` answer for a dotted path what the document had when it was
read and what it has now; only the ordering of unique keys asks, so nothing is computed unless it must be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from boundwork.models import Document
from boundwork.models.difference import Update
from boundwork.models.mapper import Mapper

Look = Callable[[str], Any]


@dataclass(slots=True)
class Insertion:
    """A new document."""

    document: Document[Any]
    mapper: Mapper[Any]
    id: Any
    stored: Mapping[str, Any] = field(repr=False)
    origin: str | None


@dataclass(slots=True)
class Alteration:
    """Fields of a document that differ from what was read.

    `where` is its filter where the id is not enough, `version` the one that it will have.
    """

    document: Document[Any]
    mapper: Mapper[Any]
    id: Any
    update: Update
    before: Look
    after: Look
    where: Mapping[str, Any] | None = None
    version: int | None = None


@dataclass(slots=True)
class Removal:
    """A document that goes."""

    document: Document[Any]
    mapper: Mapper[Any]
    id: Any
    before: Look
    guarded: bool
    where: Mapping[str, Any] | None = None


Change = Insertion | Alteration | Removal
