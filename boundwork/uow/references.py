"""From references to the documents of a unit: one by one, many at once, or all that some documents refer to.

What the unit knows is not asked for again. For the rest there is one query a model (`$in`), on each step of the way; more
than `MOST_IDS` ids, or 8 MB of them, are asked for in several, since no command may be longer than 16 MB.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import bson
from bson import ObjectId
from pydantic import BaseModel

from boundwork.errors import DocumentNotFound, ReferenceNotLoaded
from boundwork.models import Document
from boundwork.models.data import data
from boundwork.models.mapper import Mapper, mapper_of
from boundwork.models.references.ref import Ref
from boundwork.models.references.ways import Branch, branches, references_at
from boundwork.uow.loading import key_of

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])
Missing = Literal["error", "none"]
MOST_IDS = 100_000
MOST_BYTES = 8 * 1024 * 1024


def mapper_for(unit: "Unit", ref: Ref[DocumentT, Any]) -> Mapper[DocumentT]:
    """Return the mapper of the model that a reference names; TypeError if the unit declares no repository of it."""
    _require_reference(ref)
    model = ref.model
    if unit.models and not any(issubclass(model, known) or issubclass(known, model) for known in unit.models):
        raise TypeError(
            f"{unit.name} declares no repository of {model.__name__}, so it cannot load what refers to one. "
            f"Declare it in the class: {model.__name__.lower()}s = Repository({model.__name__}).",
        )
    return mapper_of(model)


def _require_reference(ref: object) -> None:
    if not isinstance(ref, Ref):
        found = type(ref).__name__
        raise TypeError(f"A reference is loaded, and this is of type {found}. Build one: Ref(Customer, id).")


def loaded(unit: "Unit", ref: Ref[DocumentT, Any]) -> DocumentT:
    """Return the document that a reference leads to, without asking the server; ReferenceNotLoaded if it is not known."""
    found = unit.workspace.recall(mapper_for(unit, ref), ref.id)
    if found is None:
        raise ReferenceNotLoaded(ref.model.__name__, ref.id)
    return found


async def load(unit: "Unit", ref: Ref[DocumentT, Any], missing: Missing, *, lock: bool) -> DocumentT | None:
    """Return the document that a reference leads to; what there is not is an error or None."""
    check_missing(missing)
    mapper = mapper_for(unit, ref)
    found = None if lock else unit.workspace.recall(mapper, ref.id)
    if found is None:
        found = await unit.workspace.get(mapper, ref.id, lock=lock)
    if found is None and missing == "error":
        raise DocumentNotFound.of_references(mapper.model.__name__, mapper.collection, [ref.id], "a reference")
    return found


async def load_all(
    unit: "Unit", refs: Iterable[Ref[DocumentT, Any]], missing: Missing, *, lock: bool
) -> list[DocumentT] | list[DocumentT | None]:
    """Return the documents that references lead to, in their order; one query a model."""
    check_missing(missing)
    asked = list(refs)
    wanted = _Wanted(unit)
    for ref in asked:
        wanted.add(ref, "a reference")
    await unit.whole(wanted.fetch(missing, lock=lock))
    return [wanted.found(ref) for ref in asked]


async def include(unit: "Unit", documents: Sequence[Document[Any]], tree: Sequence[Branch], missing: Missing) -> None:
    """Load what documents refer to along the ways of a tree, step by step; one query a model and step."""
    level: list[tuple[Branch, Sequence[Document[Any]]]] = [(branch, documents) for branch in tree]
    while level:
        wanted = _Wanted(unit)
        held = [(branch, list(references_at(branch.place, holders))) for branch, holders in level]
        for branch, refs in held:
            for ref in refs:
                wanted.add(ref, branch.place.shown)
        await wanted.fetch(missing)
        level = [
            (inner, [found for ref in refs if (found := wanted.found(ref)) is not None])
            for branch, refs in held
            for inner in branch.after
        ]


@data(frozen=True, slots=True)
class Included:
    """References that a query loads as well, and what becomes of those that lead nowhere."""

    tree: Sequence[Branch]
    missing: Missing


def with_more(
    included: Sequence[Included], model: type[BaseModel], references: Sequence[object], missing: Missing
) -> tuple[Included, ...]:
    """Return what is included, with further references of a model; TypeError for what is no reference of it."""
    check_missing(missing)
    if not references:
        raise TypeError("include takes references: include(Order.customer).")
    same = next((part.tree for part in included if part.missing == missing), ())
    others = (part for part in included if part.missing != missing)
    return (*others, Included(branches(model, references, same), missing))


def check_missing(missing: object) -> None:
    """Refuse a choice that there is not."""
    if missing not in {"error", "none"}:
        raise ValueError(f"There is no choice {missing!r} for what is missing. Write 'error' or 'none'.")


@dataclass(slots=True)
class _OfModel:
    """What is wanted of one model: ids by identity, who refers to them, and the documents that were found."""

    mapper: Mapper[Any]
    ids: dict[Hashable, tuple[object, str]] = field(default_factory=dict[Hashable, "tuple[object, str]"])
    found: dict[Hashable, Document[Any]] = field(default_factory=dict[Hashable, Document[Any]])


class _Wanted:
    """The documents that one step asks for, each once."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self._models: dict[Any, _OfModel] = {}

    def add(self, ref: Ref[Any, Any], by: str) -> None:
        """Ask for a document, for the sake of a field that refers to it."""
        _require_reference(ref)
        part = self._models.get(ref.model)
        if part is None:
            part = self._models[ref.model] = _OfModel(mapper_for(self._unit, ref))
        part.ids.setdefault(key_of(part.mapper, ref.id), (ref.id, by))

    async def fetch(self, missing: Missing, *, lock: bool = False) -> None:
        """Find all of them; DocumentNotFound names those of a model that are not there."""
        for part in self._models.values():
            for keys in _chunks(part.mapper, part.ids):
                ids = [part.ids[key][0] for key in keys]
                documents = await self._unit.workspace.get_many(part.mapper, ids, lock=lock)
                part.found.update(
                    (key, document) for key, document in zip(keys, documents, strict=True) if document is not None
                )
            lost = [of for key, of in part.ids.items() if key not in part.found]
            if lost and missing == "error":
                model, by = part.mapper.model.__name__, " and ".join(dict.fromkeys(by for _, by in lost))
                raise DocumentNotFound.of_references(model, part.mapper.collection, [of for of, _ in lost], by)

    def found(self, ref: Ref[DocumentT, Any]) -> DocumentT | None:
        """Return what was found for a reference."""
        part = self._models[ref.model]
        return cast("DocumentT | None", part.found.get(key_of(part.mapper, ref.id)))


def _chunks(mapper: Mapper[Any], ids: dict[Hashable, tuple[object, str]]) -> Iterator[list[Hashable]]:
    chunk: list[Hashable] = []
    size = 0
    for key, (value, _) in ids.items():
        length = _length(mapper, value)
        if chunk and (len(chunk) == MOST_IDS or size + length > MOST_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(key)
        size += length
    if chunk:
        yield chunk


def _length(mapper: Mapper[Any], value: object) -> int:
    """Return about how many bytes an id takes in an array."""
    return 24 if type(value) is ObjectId else len(bson.encode({"": mapper.encode_id(value)})) + 8
