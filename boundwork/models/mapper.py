"""What the layers above use of a model: load, encode, verify, under which names.

`mapper_of(model)` is the only way to a mapper; it is compiled at first use, when forward references can be resolved.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from boundwork.errors import InvalidDocument
from boundwork.models import discriminators
from boundwork.models.bson_types import MISSING, NATIVE, CannotStore, decode_all
from boundwork.models.codec import Codec, codec_of
from boundwork.models.document import Document
from boundwork.models.fixed_fields import fixed_fields
from boundwork.models.hydration import hydration_pause
from boundwork.models.identity import NO_IDS, checked_id
from boundwork.models.problems import cannot_store, problems_of, too_deep
from boundwork.models.renewal import renewed, renewed_extra
from boundwork.models.restore import EXTRA, ModelState
from boundwork.models.scope import Tenant, adapter_of, as_tenant_of
from boundwork.models.slots import FIELDS_SET, take_unknown
from boundwork.models.tracking import Tracker, mark_modified, touch_all
from boundwork.models.verification import Look, Verifier, through_bson

D = TypeVar("D", bound=Document[Any])
_lock = threading.RLock()
_OWN = "__boundwork_mapper__"
_PLAIN_IDS = NATIVE - NO_IDS


def mapper_of(model: type[D]) -> "Mapper[D]":
    """Give the mapper of a model; raise TypeError where the model has no collection or cannot be stored."""
    found: Mapper[D] | None = model.__dict__.get(_OWN)
    if found is None:
        with _lock:
            found = model.__dict__.get(_OWN)
            if found is None:
                found = Mapper(model)
                setattr(model, _OWN, found)
    return found


class Mapper(Generic[D]):
    """Translates between the documents of one model and their stored form.

    Attributes: `model`, `collection`, `scope`, `lineage` (None without schema versions; `is_scoped` if a unit has to
    learn either), `present_filter`, what documents meet that are not removed, and `fixed` (the version and the shard
    key, None where there are none).
    """

    def __init__(self, model: type[D]) -> None:
        """Compile the model; use `mapper_of` instead."""
        collection: str | None = getattr(model, "__boundwork_collection__", "")
        if collection == "":
            raise TypeError(f"A unit takes documents, not {model.__name__}.")
        if collection is None:
            message = (
                f"{model.__name__} has no collection, so it cannot be loaded or saved. "
                f'Name one: class {model.__name__}(..., collection="...").'
            )
            raise TypeError(message)
        self.model = model
        self.collection = collection
        self.codec: Codec = codec_of(model)
        self.scope = model.__boundwork_scope__
        self.lineage = model.__boundwork_lineage__
        self.is_scoped = not self.scope.is_open or self.lineage is not None
        self.present_filter: dict[str, Any] = (
            {} if self.scope.soft_delete is None else {self.codec.stored(self.scope.soft_delete): None}
        )
        model.__boundwork_prepare__()
        self.fixed = fixed_fields(model)
        self._family = discriminators.is_family(model)
        self._validate = model.__pydantic_validator__.validate_python
        self._verifier = Verifier(self.codec)
        annotation = model.model_fields["id"].annotation
        self._id_type = annotation if isinstance(annotation, type) and annotation is not Any else None
        self._id_classes = () if self._id_type is None else self.codec.by_name["id"].shape.classes
        self._caches = any(
            isinstance(value, cached_property) for base in model.__mro__ for value in vars(base).values()
        )

    @property
    def kind_filter(self) -> dict[str, Any]:
        """Give the condition that tells the model's documents from others; {} where the collection is its own."""
        return discriminators.base_filter(self.model) if self._family else {}

    @property
    def base_filter(self) -> dict[str, Any]:
        """Give the condition that every query of this model needs: of its kind, and not removed."""
        return {**self.kind_filter, **self.present_filter} if self.present_filter else self.kind_filter

    def is_removed(self, document: Document[Any]) -> bool:
        """Say whether a document is softly removed; never for a model without soft removal."""
        field = self.scope.soft_delete
        return field is not None and document.__dict__.get(field) is not None

    @cached_property
    def _tenants(self) -> TypeAdapter[Any]:
        return adapter_of(self.model, self.scope.tenant_field or "id")

    def as_tenant(self, tenant: Tenant) -> tuple[Any, Any]:
        """Give a tenant as the value of the model's field and in its stored form; TypeError for one it does not take."""
        name = self.scope.tenant_field or "id"
        value = as_tenant_of(self.model, name, self._tenants, tenant)
        try:
            return value, self.codec.by_name[name].shape.encode(value)
        except CannotStore as error:
            text = f"{self.model.__name__}.{name} cannot store the tenant of the unit: {error.problem}."
            raise TypeError(text) from None

    def tenant_stored(self, value: object) -> dict[str, Any]:
        """Give the field of the tenant with a value, as it is stored."""
        field = self.codec.by_name[self.scope.tenant_field or "id"]
        return {field.stored: field.shape.encode(value)}

    def stored_name(self, field: str) -> str:
        """Give the name under which a field of the model is stored."""
        return self.codec.stored(field)

    def decode(self, batch: bytes) -> list[dict[str, Any]]:
        """Turn concatenated BSON documents into dicts; times are aware UTC."""
        return decode_all(batch)

    def load(self, stored: dict[str, Any]) -> D:
        """Validate one stored document; the dict is used up; raise InvalidDocument naming the fields that do not fit."""
        if self._family:
            other = self._of_family(stored)
            if other is not self:
                return other.load(stored)
        return self._load_alike((stored,))[0]

    def _of_family(self, stored: dict[str, Any]) -> "Mapper[D]":
        chosen = discriminators.choose(self.model, stored)
        if chosen is None:
            problem = (discriminators.field_of(self.model), "no model has this value")
            raise InvalidDocument(self.collection, stored.get("_id"), [problem], stored=True)
        return self if chosen is self.model else mapper_of(cast("type[D]", chosen))

    def load_all(self, stored: Iterable[dict[str, Any]]) -> list[D]:
        """Validate many stored documents with the garbage collector paused."""
        with hydration_pause():
            if self._family:
                return [self.load(document) for document in stored]
            return self._load_alike(stored)

    def _load_alike(self, stored: Iterable[dict[str, Any]]) -> list[D]:
        decode, validate, settle = self.codec.decode, self._validate, self.codec.settle
        documents: list[D] = []
        key = None
        try:
            for document in stored:
                key = document.get("_id")
                taken = decode(document)
                made = validate(taken, strict=False)
                settle(taken, made)
                documents.append(made)
        except ValidationError as error:
            raise InvalidDocument(self.collection, key, problems_of(error, self.model), stored=True) from None
        return documents

    def attach_one(self, document: D, tracker: Tracker) -> None:
        """Have a loaded document tracked; one whose validators filled a cached property has handed out its values."""
        tracker.attach_new(document)
        if self._caches and len(document.__dict__) > len(self.codec.fields):
            touch_all(document)

    def attach(self, documents: Sequence[D], tracker: Tracker) -> None:
        """Have many loaded documents tracked."""
        tracker.attach_all(documents)
        if self._caches:
            for document in documents:
                self.attach_one(document, tracker)

    def reload(self, document: D, stored: dict[str, Any], *, as_loaded: bool = False) -> None:
        """Give a document the state of its stored form, in place; private attributes stay as they are.

        With `as_loaded` it is untouched afterwards, as if it had been loaded now: a rollback leaves it as read.
        """
        fresh = self.load(stored)
        tracker = Tracker.owner_of(document)
        if tracker is not None and not as_loaded:
            touch_all(document)
        changes = None if tracker is None else tracker.changes_of(document)
        before = None if changes is None else ModelState(document)
        values, extra = fresh.__dict__, fresh.__pydantic_extra__
        if tracker is None or changes is not None:
            values, extra = renewed(document.__dict__, values), renewed_extra(document.__pydantic_extra__, extra)
        object.__setattr__(document, "__dict__", values)
        object.__setattr__(document, EXTRA, extra)
        FIELDS_SET.__set__(document, fresh.__pydantic_fields_set__)
        take_unknown(document, fresh)
        if tracker is None:
            mark_modified(document)
        elif changes is None or before is None:
            tracker.attach(document)
        elif as_loaded:
            changes.renew(before)
        else:
            changes.accept()

    def encode(self, document: D) -> dict[str, Any]:
        """Give the full stored form, `_id` first; raise InvalidDocument naming a field that has none."""
        try:
            stored: dict[str, Any] = self.codec.encode(document)
        except CannotStore as error:
            raise cannot_store(document, error) from None
        except RecursionError:
            raise too_deep(document, self.codec) from None
        return stored

    def refusal(self, key: object, stored: dict[str, Any]) -> InvalidDocument | None:
        """Say which field of a stored form the driver refuses to send; None if it takes them all."""
        try:
            through_bson(stored)
        except CannotStore as error:
            names = {field.stored: field.name for field in self.codec.fields}
            path = names.get(error.path[0], error.path[0])
            return InvalidDocument(self.collection, key, [(path, error.problem)], stored=False)
        return None

    def encode_field(self, document: D, name: str) -> Any:
        """Give the stored form of one field; MISSING where it has none."""
        try:
            return self.codec.by_name[name].shape.encode(document.__dict__[name])
        except (KeyError, CannotStore):
            return MISSING

    def encode_id(self, value: object) -> Any:
        """Give the stored form of an id; raise TypeError for one of another type than the model's."""
        if type(value) is self._id_type and type(value) in _PLAIN_IDS and (type(value) is not str or value.isascii()):
            return value
        if self._id_type is not None and self._id_classes and not isinstance(value, self._id_classes):
            raise TypeError(
                f"The id of {self.model.__name__} is of type {self._id_type.__name__}, "
                f"and was asked for as {type(value).__name__}."
            )
        try:
            stored_id = checked_id(self.codec.by_name["id"].shape.encode(value))
            through_bson({"": stored_id})  # a text may hold half of a character, as JSON can bring it
        except (CannotStore, RecursionError) as error:
            problem = error.problem if isinstance(error, CannotStore) else "it is nested too deeply"
            raise InvalidDocument(
                self.collection, f"(of type {type(value).__name__})", [("id", problem)], stored=False
            ) from None
        return stored_id

    def verify(
        self,
        document: D,
        fields: Iterable[str] | None = None,
        stored: Look | None = None,
        paths: Collection[str] = (),
    ) -> None:
        """Check that what would be written can be read back; None means every field; raise InvalidDocument.

        `stored` gives the stored form of a field where that is known already, else MISSING. `paths` are the stored
        paths that are written, where nothing else of the fields has changed.
        """
        try:
            self._verifier.verify(document, fields, stored, paths)
        except RecursionError:
            raise too_deep(document, self.codec) from None
        if self._family and (fields is None or discriminators.field_of(self.model) in fields):
            self._check_kind(document)

    def verify_untouched(self, document: D) -> None:
        """Check the same of a document that was validated and not touched since; what cannot have changed is not looked at."""
        try:
            self._verifier.verify_untouched(document)
        except RecursionError:
            raise too_deep(document, self.codec) from None
        if self._family:
            self._check_kind(document)

    def _check_kind(self, document: D) -> None:
        read = discriminators.read_as(self.model, document.__dict__)
        if read is not self.model:
            reason = (
                "no model has this value" if read is None else f"a document with this value is read as {read.__name__}"
            )
            problem = (discriminators.field_of(self.model), reason)
            raise InvalidDocument(self.collection, document.__dict__.get("id"), [problem], stored=False)
