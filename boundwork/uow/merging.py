"""How a detached copy, such as one made from a web form, becomes changes of the document in the unit.

The document is that of the identity map, or is read. With a version the copy must have been made of the present one.
What belongs to a unit is no copy: its changes are written anyway.
"""

from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from boundwork.errors import DocumentNotFound, InvalidDocument, NotInUnit, StaleDocument, WrongModel
from boundwork.models import Document
from boundwork.models.mapper import Mapper
from boundwork.models.merging import merge_into
from boundwork.models.tracking import Tracker

if TYPE_CHECKING:
    from boundwork.uow.unit import Unit

DocumentT = TypeVar("DocumentT", bound=Document[Any])
MergeMissing = Literal["error", "add"]
NO_NUMBER = "a version is a whole number; validate the copy, as model_validate does"
UNVERSIONED = "the copy does not say which version it was made of; let the form, or the JSON, carry it"


async def merge(
    unit: "Unit", mapper: Mapper[DocumentT], copy: DocumentT, missing: MergeMissing, origin: str | None
) -> DocumentT:
    """Change the document with the id of a copy as the copy says, and return it; the copy stays what it is.

    Raises DocumentNotFound where there is none, or adds another copy; StaleDocument for a copy of another version.
    """
    if missing not in ("error", "add"):
        raise ValueError(f'missing is "error" or "add", not {missing!r}')
    unit.check()
    if Tracker.owner_of(copy) is not None:
        raise NotInUnit(
            f"{type(copy).__name__} {copy.id!r} was given to merge, and belongs to an open unit: its changes are "
            "written anyway. merge takes a detached copy: one that was validated from JSON, or made by model_copy.",
        )
    document = await unit.workspace.get(mapper, copy.id)
    if document is None:
        return _added(unit, mapper, copy, missing, origin)
    if type(document) is not type(copy):
        raise WrongModel(
            f"Document {copy.id!r} of collection {mapper.collection!r} is a {type(document).__name__}, and merge was "
            f"given a {type(copy).__name__}. Remove the document and add the other one.",
        )
    _compare_versions(document, copy)
    merge_into(document, copy)
    return document


def _added(
    unit: "Unit", mapper: Mapper[DocumentT], copy: DocumentT, missing: MergeMissing, origin: str | None
) -> DocumentT:
    version = _version_of(copy)
    if version:
        raise StaleDocument.of(type(copy).__name__, mapper.collection, copy.id, version, gone=True, detached=True)
    if missing == "error":
        raise DocumentNotFound(type(copy).__name__, mapper.collection, copy.id)
    document = copy.model_copy(deep=True)
    unit.workspace.add(document, origin)
    return document


def _version_of(copy: Document[Any]) -> int | None:
    """Return the version that a copy was made of; None if its model has none, or the copy does not say it."""
    name = type(copy).__boundwork_version__
    return copy.__dict__.get(name) if name is not None and name in copy.__pydantic_fields_set__ else None


def _compare_versions(document: Document[Any], copy: Document[Any]) -> None:
    model = type(document)
    name = model.__boundwork_version__
    if name is None:
        return
    expected, found = _version_of(copy), document.__dict__[name]
    if expected is None:
        raise InvalidDocument(model.__boundwork_collection__ or "", copy.id, [(name, UNVERSIONED)], stored=False)
    if isinstance(expected, bool) or not isinstance(
        cast("object", expected), int
    ):  # a copy need not have been validated
        raise InvalidDocument(model.__boundwork_collection__ or "", copy.id, [(name, NO_NUMBER)], stored=False)
    if expected != found:
        raise StaleDocument.of(
            model.__name__, model.__boundwork_collection__ or "", copy.id, expected, found, detached=True
        )
