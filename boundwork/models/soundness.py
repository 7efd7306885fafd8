"""Whether a document that was validated, and not touched since, may still hold something that cannot be read back.

Through an embedded model or dataclass that somebody else holds, for those are kept and not copied. Where the
annotations of such a model have no constraints, the types of its values show that nothing is wrong; that is checked
by generated code, since every insert pays for it. And through a validator that sees values before they are converted:
it may refuse what it has made. Everything else is doubtful and must be verified.
"""

import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from bson import ObjectId
from pydantic import AwareDatetime, BaseModel, NaiveDatetime
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from boundwork.models.bson_types import TEXT_TYPES
from boundwork.models.codec import Codec, codec_of
from boundwork.models.fields import StoredField
from boundwork.models.kinds import class_of, is_class
from boundwork.models.references.ref import Ref
from boundwork.models.references.storing import id_annotation, is_reference

Check = Callable[[Any], bool]
Names = Callable[[Any], tuple[str, ...]]

CONSTRAINING = frozenset({
    "str_strip_whitespace", "str_to_lower", "str_to_upper", "str_max_length", "str_min_length", "allow_inf_nan",
    "use_enum_values", "strict", "coerce_numbers_to_str",
})  # fmt: skip
"""Settings of a model under which a scalar of the right class may still be refused or changed."""
_SCALARS = frozenset({str, bool, int, float, bytes, ObjectId, datetime, date, time, timedelta, UUID})
_ZONED: frozenset[Any] = frozenset({AwareDatetime, NaiveDatetime})
_CONTAINERS: dict[Any, frozenset[type]] = {
    **{kind: frozenset({kind}) for kind in (list, set, frozenset, tuple, dict)},
    abc.Sequence: frozenset({list, tuple}),
    abc.Mapping: frozenset({dict}),
}
_LIMITS: dict[Any, tuple[str, str]] = {Ge: (">=", "ge"), Gt: (">", "gt"), Le: ("<=", "le"), Lt: ("<", "lt")}
_LENGTHS: dict[Any, tuple[str, str]] = {MinLen: (">=", "min_length"), MaxLen: ("<=", "max_length")}
_ITEM = """
def check(value):
    return {conditions}
"""
_MODEL = """
def check(value):
    if type(value) is not model:
        return False
    values = value.__dict__
    try:
        return {conditions}
    except KeyError:
        return False
"""
_DOCUMENT = """
def doubtful(document):
    values = document.__dict__
    if {conditions}:
        return ()
    return every
"""


def doubtful_fields(codec: Codec) -> Names | None:
    """Make what names the fields of an untouched document that must be verified; None if there can be none."""
    if _has_a_say(codec.model):
        doubtful = any(_reshaped(field) or _reaches(_annotation(codec, field)) for field in codec.fields)
        return _all_of(codec) if doubtful else None
    source = _Source()
    conditions: list[str] = []
    names: list[str] = []
    for field in codec.fields:
        annotation = _annotation(codec, field)
        if not _reshaped(field) and not _reaches(annotation):
            continue
        names.append(field.name)
        conditions.append("False" if field.validated else source.condition(annotation, f"values.get({field.name!r})"))
    if not names:
        return None
    source.names["every"] = tuple(names)
    compiled: Names = source.function(_DOCUMENT, "doubtful", conditions)
    return compiled


def _reshaped(field: StoredField) -> bool:
    return field.validated and field.whole


def _all_of(codec: Codec) -> Names:
    names = tuple(codec.by_name)
    return lambda _: names


def _annotation(codec: Codec, field: StoredField) -> Any:
    return codec.model.__pydantic_fields__[field.name].annotation


def _has_a_say(model: type[BaseModel]) -> bool:
    """Say whether a model has code of its own that looks at several fields."""
    return (
        bool(model.__pydantic_decorators__.model_validators)
        or model.__pydantic_custom_init__
        or has_own_post_init(model)
    )


def has_own_post_init(model: type[BaseModel]) -> bool:
    """Tell a user's model_post_init from the one that pydantic makes for private attributes."""
    return model.__pydantic_post_init__ is not None and model.model_post_init.__name__ == "model_post_init"


def _reaches(annotation: Any) -> bool:
    """Say whether values of an annotation are kept by reference and have annotations of their own inside."""
    return any(BaseModel in cls.__mro__ or hasattr(cls, "__dataclass_fields__") for cls in _classes(annotation))


def _classes(annotation: Any) -> Iterator[type]:
    if is_reference(annotation):
        return
    if is_class(annotation):
        yield annotation
        if is_typeddict(annotation) or hasattr(annotation, "_fields"):
            for hint in get_type_hints(annotation, include_extras=True).values():
                yield from _classes(hint)
    supertype = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)
    bound = getattr(annotation, "__bound__", None)
    for inner in (*get_args(annotation), get_origin(annotation), supertype, bound):
        if inner is not None and get_origin(annotation) is not Literal:
            yield from _classes(inner)


def _marks(metadata: Iterable[Any]) -> list[Any]:
    """Give the constraints of an annotation, those that Field() holds too."""
    return [one for mark in metadata for one in (mark.metadata if type(mark) is FieldInfo else [mark])]


class _Source:
    """Collects the names that generated conditions use."""

    def __init__(self, checks: "dict[type, Check] | None" = None) -> None:
        self.names: dict[str, Any] = {}
        self._checks: dict[type, Check] = {} if checks is None else checks

    def _name(self, value: Any) -> str:
        name = f"name{len(self.names)}"
        self.names[name] = value
        return name

    def function(self, text: str, name: str, conditions: list[str]) -> Any:
        """Compile a function of these conditions, which must all hold."""
        exec(text.format(conditions=" and ".join(conditions) or "True"), self.names)  # noqa: S102 - made of names only
        return self.names[name]

    def limited(self, annotation: Any, metadata: list[Any], got: str) -> str:
        """Write the same for an annotation with limits of its own; any other constraint leaves everything in doubt."""
        if not metadata:
            return self.condition(annotation, got)
        part = self._name(None)
        conditions = [self.condition(annotation, f"({part} := {got})")]
        for mark in metadata:
            kind = class_of(mark)
            if kind in _LIMITS and annotation in {int, float}:
                sign, name = _LIMITS[kind]
                conditions.append(f"{part} {sign} {self._name(getattr(mark, name))}")
            elif kind in _LENGTHS and annotation is str:
                sign, name = _LENGTHS[kind]
                conditions.append(f"len({part}) {sign} {self._name(getattr(mark, name))}")
            else:
                return "False"
        return f"({' and '.join(conditions)})"

    def condition(self, annotation: Any, got: str) -> str:
        """Write what is true only of values that certainly fit the annotation; `got` is the value's expression."""
        annotation = getattr(annotation, "__supertype__", annotation)
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.limited(arguments[0], _marks(annotation.__metadata__), got)
        if annotation is Any:
            return "True"
        if is_class(annotation) and not arguments:
            return self._of_class(annotation, got)
        part = self._name(None)
        if origin in {typing.Union, types.UnionType}:
            either = " or ".join(self.condition(one, part) for one in arguments)
            return (
                f"(({part} := {got}) is None or {either})"
                if type(None) in arguments
                else (f"(({part} := {got}) is {part} and ({either}))")
            )
        if origin is Literal:
            values = {class_of(value): value for value in arguments}
            pairs = frozenset((class_of(value), value) for value in arguments)
            kinds, known = self._name(frozenset(values)), self._name(pairs)
            return f"(type({part} := {got}) in {kinds} and (type({part}), {part}) in {known})"
        return self._of_container(origin, arguments, part, got)

    def _of_reference(self, model: Any, part: str, got: str) -> str:
        if not is_class(model):
            return "False"
        kinds = f"type({part} := {got}) is {self._name(Ref)} and {part}.model is {self._name(model)}"
        return f"({kinds} and {self.condition(id_annotation(model), f'{part}.id')})"

    def _of_container(self, origin: Any, arguments: tuple[Any, ...], part: str, got: str) -> str:
        if origin is Ref:
            return self._of_reference(arguments[0], part, got)
        kinds = _CONTAINERS.get(origin)
        if kinds is None:
            return "False"
        fits = f"type({part} := {got}) in {self._name(kinds)}"
        if len(arguments) == 2 and origin is not tuple:  # noqa: PLR2004 - a key and a value
            items = self._each(arguments[1], f"{part}.values()")
            return f"({fits} and {self._each(arguments[0], part)} and {items})"
        if origin is not tuple or arguments[1:] == (Ellipsis,):
            return f"({fits} and {self._each(arguments[0], part)})"
        places = [self.condition(one, f"{part}[{place}]") for place, one in enumerate(arguments)]
        return f"({' and '.join([fits, f'len({part}) == {len(places)}', *places])})"

    def _of_class(self, cls: type, got: str) -> str:
        if cls is type(None):
            return f"({got} is None)"
        if BaseModel in cls.__mro__:
            return f"{self._name(self._check_of(cls))}({got})"
        if cls is Decimal:
            part = self._name(None)
            return f"(type({part} := {got}) is {self._name(Decimal)} and {part}.is_finite())"
        if any(base in TEXT_TYPES for base in cls.__mro__):
            return f"isinstance({got}, {self._name(cls)})"
        exact = datetime if cls in _ZONED else cls
        known = exact in _SCALARS or exact in _CONTAINERS or issubclass(cls, Enum)
        return f"(type({got}) is {self._name(exact)})" if known else "False"

    def _each(self, annotation: Any, values: str) -> str:
        """Write the condition for all of some values."""
        if annotation is Any:
            return "True"
        if is_class(annotation) and not get_args(annotation):
            if annotation in _SCALARS or issubclass(annotation, Enum):
                return f"{self._name({annotation})}.issuperset(map(type, {values}))"
            if BaseModel in annotation.__mro__:
                return f"all(map({self._name(self._check_of(annotation))}, {values}))"
        inner = _Source(self._checks)
        check = inner.function(_ITEM, "check", [inner.condition(annotation, "value")])
        return f"all(map({self._name(check)}, {values}))"

    def _check_of(self, model: Any) -> Check:
        found = self._checks.get(model)
        if found is None:
            self._checks[model] = lambda value: self._checks[model](value)  # noqa: PLW0108 - for models that hold themselves
            found = self._checks[model] = _model_check(codec_of(model), self._checks)
        return found


def _model_check(codec: Codec, checks: "dict[type, Check]") -> Check:
    model = codec.model
    if _has_a_say(model) or model.__pydantic_root_model__ or CONSTRAINING & model.model_config.keys():
        return _never
    source = _Source(checks)
    source.names["model"] = model
    conditions: list[str] = []
    for field in codec.fields:
        metadata = model.__pydantic_fields__[field.name].metadata
        if field.validated:
            return _never
        conditions.append(source.limited(_annotation(codec, field), metadata, f"values[{field.name!r}]"))
    return _never if "False" in conditions else source.function(_MODEL, "check", conditions)


def _never(_: Any) -> bool:
    return False
