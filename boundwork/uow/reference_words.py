"""The words of a unit about references, for each colour: `load`, `load_all`, and `loaded`, which is never awaited."""

from collections.abc import Iterable
from typing import Any, Literal, TypeVar, overload

from boundwork.models import Document
from boundwork.models.references.ref import Ref
from boundwork.uow import references
from boundwork.uow.definition import UnitDefinition
from boundwork.uow.references import Missing
from boundwork.uow.run_sync import run_sync

DocumentT = TypeVar("DocumentT", bound=Document[Any])


class _References(UnitDefinition):
    """What both colours share."""

    def loaded(self, ref: Ref[DocumentT, Any]) -> DocumentT:
        """Return the document that a reference leads to, which the unit has loaded; the server is not asked.

        ReferenceNotLoaded if the unit has not, or has removed it: `include` it in the query, or `load` it.
        """
        return references.loaded(self.core, ref)


class Loads(_References):
    """The words of a synchronous unit."""

    @overload
    def load(
        self, ref: Ref[DocumentT, Any], *, missing: Literal["error"] = "error", for_update: bool = False
    ) -> DocumentT: ...
    @overload
    def load(self, ref: Ref[DocumentT, Any], *, missing: Missing, for_update: bool = False) -> DocumentT | None: ...
    def load(
        self, ref: Ref[DocumentT, Any], *, missing: Missing = "error", for_update: bool = False
    ) -> DocumentT | None:
        """Return the document that a reference leads to; what is known is not asked for again.

        DocumentNotFound if there is none, or None where `missing` is "none". `for_update` is that of `get`.
        """
        return run_sync(references.load(self.core, ref, missing, lock=for_update))

    @overload
    def load_all(
        self, refs: Iterable[Ref[DocumentT, Any]], *, missing: Literal["error"] = "error", for_update: bool = False
    ) -> list[DocumentT]: ...
    @overload
    def load_all(
        self, refs: Iterable[Ref[DocumentT, Any]], *, missing: Missing, for_update: bool = False
    ) -> list[DocumentT | None]: ...
    def load_all(
        self, refs: Iterable[Ref[DocumentT, Any]], *, missing: Missing = "error", for_update: bool = False
    ) -> list[DocumentT] | list[DocumentT | None]:
        """Return the documents that references lead to, in their order, by one query for each model.

        DocumentNotFound names those that are not there; None stands for them where `missing` is "none". `for_update` is that of `get`.
        """
        return run_sync(references.load_all(self.core, refs, missing, lock=for_update))


class AsyncLoads(_References):
    """The words of an asynchronous unit."""

    @overload
    async def load(
        self, ref: Ref[DocumentT, Any], *, missing: Literal["error"] = "error", for_update: bool = False
    ) -> DocumentT: ...
    @overload
    async def load(
        self, ref: Ref[DocumentT, Any], *, missing: Missing, for_update: bool = False
    ) -> DocumentT | None: ...
    async def load(
        self, ref: Ref[DocumentT, Any], *, missing: Missing = "error", for_update: bool = False
    ) -> DocumentT | None:
        """Return the document that a reference leads to; what is known is not asked for again.

        DocumentNotFound if there is none, or None where `missing` is "none". `for_update` is that of `get`.
        """
        return await references.load(self.core, ref, missing, lock=for_update)

    @overload
    async def load_all(
        self, refs: Iterable[Ref[DocumentT, Any]], *, missing: Literal["error"] = "error", for_update: bool = False
    ) -> list[DocumentT]: ...
    @overload
    async def load_all(
        self, refs: Iterable[Ref[DocumentT, Any]], *, missing: Missing, for_update: bool = False
    ) -> list[DocumentT | None]: ...
    async def load_all(
        self, refs: Iterable[Ref[DocumentT, Any]], *, missing: Missing = "error", for_update: bool = False
    ) -> list[DocumentT] | list[DocumentT | None]:
        """Return the documents that references lead to, in their order, by one query for each model.

        DocumentNotFound names those that are not there; None stands for them where `missing` is "none". `for_update` is that of `get`.
        """
        return await references.load_all(self.core, refs, missing, lock=for_update)
