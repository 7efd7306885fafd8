"""Whether what is about to be written can be read back.

Attributes are not validated when they are assigned, so the stored form of a touched field goes through the field's
own validators first, on a copy. Models whose validators look at several fields are read back whole. Of an embedded
model, and of one in a list, only what is written is verified, unless the field that holds it has a say too.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from enum import Enum
from typing import Any, get_args, get_origin

import bson
from bson import ObjectId
from pydantic import BaseModel, ValidationError

from boundwork.errors import InvalidDocument
from boundwork.models.bson_types import MISSING, NATIVE, REFUSALS, CannotStore, decode_all
from boundwork.models.codec import Codec, codec_of
from boundwork.models.kinds import is_class
from boundwork.models.problems import cannot_store, collection_of, problems_of
from boundwork.models.restore import stand_in
from boundwork.models.slots import Tracked
from boundwork.models.soundness import CONSTRAINING, doubtful_fields, has_own_post_init

Look = Callable[[str], Any]
Problem = tuple[str, str]
_SAFE = frozenset({int, float, bool, type(None), ObjectId})


class Verifier:
    """Verifies documents of one model."""

    def __init__(self, codec: Codec) -> None:
        """Decide once whether fields can be verified one by one."""
        model = codec.model
        self.codec = codec
        self._validator = model.__pydantic_validator__
        infos = model.__pydantic_fields__.values()
        self._free = _unconstrained(codec)
        self._parts = _parts(codec)
        self._doubtful = doubtful_fields(codec)
        self._inner: dict[type[BaseModel], Verifier] = {}
        self.by_stored = {field.stored: field.name for field in codec.fields}
        self._whole = (
            bool(model.__pydantic_decorators__.model_validators)
            or model.__pydantic_custom_init__
            or has_own_post_init(model)
            or codec.extra
            or bool(model.model_config.get("frozen"))
            or any(info.frozen for info in infos)
        )

    def verify(
        self, document: Tracked, fields: Iterable[str] | None, stored: Look | None = None, paths: Collection[str] = ()
    ) -> None:
        """Raise InvalidDocument if the fields, or all of them, would not be read back.

        `paths` are the stored paths that are written, where nothing else of the fields has changed.
        """
        try:
            problems = self.problems(document, fields, stored, paths)
        except CannotStore as error:
            raise cannot_store(document, error) from None
        if problems:
            model = type(document)
            raise InvalidDocument(collection_of(model), document.__dict__.get("id"), problems, stored=False)

    def verify_untouched(self, document: Tracked) -> None:
        """Verify what may have changed in a document, through its embedded models, that was validated and not touched."""
        if self._doubtful is not None and (fields := self._doubtful(document)):
            self.verify(document, fields)

    def problems(
        self, value: BaseModel, fields: Iterable[str] | None, stored: Look | None, paths: Collection[str]
    ) -> list[Problem]:
        """Give the fields, of one instance, that would not be read back, each with the reason; arguments as above."""
        if self._whole or fields is None:
            return self._problems_of_all(value)
        problems: list[Problem] = []
        for name in fields:
            if name not in self.codec.by_name:
                continue
            if name not in value.__dict__:
                problems += self._problems_of_gone(name)
            elif not self._certain(name, value):
                inside = self._problems_inside(name, value.__dict__[name], paths) if name in self._parts else None
                problems += self._problems_of(value, name, stored) if inside is None else inside
        return problems

    def _problems_of_all(self, value: BaseModel) -> list[Problem]:
        stored = self.codec.decode(through_bson(self.codec.encode(value)))
        try:
            self._validator.validate_python(stored, strict=False)
        except ValidationError as error:
            return problems_of(error, self.codec.model)
        return []

    def _problems_of_gone(self, name: str) -> list[Problem]:
        """Refuse the deletion of an attribute that no default stands in for."""
        return [(name, "Field required (missing)")] if self.codec.model.__pydantic_fields__[name].is_required() else []

    def _problems_inside(self, name: str, value: Any, paths: Collection[str]) -> list[Problem] | None:
        """Verify what is written inside a field; None if that is all of it, or not known."""
        model, many = self._parts[name]
        verifier = self._verifier(model)
        problems: list[Problem] = []
        written = _written(self.codec.by_name[name].stored, paths, many=many)
        for index, inner in written.items():
            part = value[int(index)] if index else value
            names = dict.fromkeys(verifier.by_stored.get(path.partition(".")[0]) for path in inner)
            if type(part) is not model or None in names:
                return None
            place = f"{name}.{index}" if index else name
            try:
                found = verifier.problems(part, [known for known in names if known is not None], None, inner)
            except CannotStore as error:
                raise error.inside(place) from None
            problems += [(f"{place}.{path}", reason) for path, reason in found]
        return problems if written else None

    def _verifier(self, model: type[BaseModel]) -> "Verifier":
        found = self._inner.get(model)
        if found is None:
            found = self._inner[model] = Verifier(codec_of(model))
        return found

    def _certain(self, name: str, holder: BaseModel) -> bool:
        """Say whether the type of a value alone shows that it will be read back: no validator, no constraint."""
        value: Any = holder.__dict__[name]
        kind = self._free.get(name)
        if kind is None or type(value) is not kind:
            return False
        return not isinstance(value, str) or value.isascii()

    def _problems_of(self, holder: BaseModel, name: str, stored_form: Look | None) -> list[Problem]:
        field = self.codec.by_name[name]
        value = holder.__dict__[name]
        try:
            encoded = MISSING if stored_form is None else stored_form(name)
            if encoded is MISSING:
                encoded = value if type(value) in NATIVE else field.shape.encode(value)
            stored = encoded if _is_safe(encoded) else through_bson({name: encoded})[name]
        except CannotStore as error:
            raise (error if error.path[:1] == [name] else error.inside(name)) from None
        if field.shape.decode is not None:
            stored = field.shape.decode(stored)
        copied = stand_in(holder, dict(holder.__dict__))
        try:
            self._validator.validate_assignment(copied, name, stored, strict=False)
        except ValidationError as error:
            return problems_of(error, self.codec.model)
        return []


def _written(stored: str, paths: Collection[str], *, many: bool) -> dict[str, list[str]]:
    """Give the paths inside a field that are written, by index if it holds many; none if it is written whole."""
    inside: dict[str, list[str]] = {}
    for path in paths:
        head, _, rest = path.partition(".")
        if head != stored:
            continue
        if not rest:
            return {}
        index, _, inner = rest.partition(".") if many else ("", "", rest)
        inside.setdefault(index, []).append(inner)
    return inside


def _parts(codec: Codec) -> dict[str, tuple[type[BaseModel], bool]]:
    """Give the model that a field holds, and whether it is a list of them, where no more is said about the field."""
    parts: dict[str, tuple[type[BaseModel], bool]] = {}
    for field in codec.fields:
        info = codec.model.__pydantic_fields__[field.name]
        annotation: Any = info.annotation
        many = get_origin(annotation) is list
        model = get_args(annotation)[0] if many else annotation
        if is_class(model) and issubclass(model, BaseModel) and not (info.metadata or field.validated or field.whole):
            parts[field.name] = (model, many)
    return parts


def _unconstrained(codec: Codec) -> dict[str, type]:
    """Give the class of each field whose annotation is a scalar class or an enum and nothing else."""
    free: dict[str, type] = {}
    if CONSTRAINING & codec.model.model_config.keys():
        return free
    for field in codec.fields:
        info = codec.model.__pydantic_fields__[field.name]
        annotation: Any = info.annotation
        if (
            field.shape.classes == (annotation,)
            and not info.metadata
            and not field.validated
            and _is_scalar(annotation)
        ):
            free[field.name] = annotation
    return free


def _is_scalar(cls: Any) -> bool:
    return cls in {str, bool, int, float, ObjectId, datetime} or (is_class(cls) and issubclass(cls, Enum))


def _is_safe(encoded: Any) -> bool:
    """Say whether BSON certainly takes a value and gives it back as it is."""
    return type(encoded) in _SAFE or (type(encoded) is str and encoded.isascii())


def through_bson(stored: dict[str, Any]) -> dict[str, Any]:
    """Encode and decode as the driver will, so that what the driver refuses is noticed here."""
    try:
        return decode_all(bson.encode(stored))[0]
    except REFUSALS:
        for name, value in stored.items():
            try:
                bson.encode({name: value})
            except REFUSALS as error:
                raise CannotStore(f"BSON refuses it ({type(error).__name__})").inside(name) from None
        raise
