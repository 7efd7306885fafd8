"""How a parsed JSON body becomes a new document, or changes one: only allowed fields, all of them or none.

What is left of a body is read twice: as strict JSON of the fields' own types, so that `"5"` is no number, and by the
model as a whole, so that its validators have their say. Nothing is assigned before both are content.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, TypeVar, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WrapValidator,
    create_model,
)
from pydantic_core import to_json

from boundwork.errors import InvalidRequest
from boundwork.models.codec import codec_of
from boundwork.models.kinds import is_document, is_model
from boundwork.models.problems import problems_of
from boundwork.models.requests.allowed import ALL, Limit, Problems, Tree, allowed_tree
from boundwork.models.requests.body import why_no_body
from boundwork.models.requests.storable import unstorable
from boundwork.models.slots import Stored, Tracked
from boundwork.models.tracking import touch_field

ModelT = TypeVar("ModelT", bound=BaseModel)
_OWN = "__boundwork_strict__"
_FUNCTIONS = (AfterValidator, BeforeValidator, WrapValidator, PlainValidator)


def from_request(
    model: type[ModelT],
    data: object,
    *,
    allow: Iterable[object],
    given: Mapping[str, Any] | None = None,
    ignore_others: bool = False,
) -> ModelT:
    """Make a new document of a parsed JSON body: `from_request(Order, body, allow=(Order.lines, Order.notes))`.

    `allow` lists fields, or their dotted names (`"address.city"`); an id or a version is none unless it is listed.
    `given` are values of the program's own, by field name; they come before those of the body. Raises InvalidRequest
    that names what is not allowed (`ignore_others` leaves it out instead), unknown, or does not fit; ValueError and
    TypeError for an `allow` or a `given` that does not fit the model.
    """
    limit = Limit(ignore_others=ignore_others)
    kept = _limited(model, data, allowed_tree(model, allow), limit)
    own = {_accepted(model, name): value for name, value in (given or {}).items()}
    try:
        read = _read(model, {key: value for key, value in kept.items() if key not in own})
        return _storable(_validated(model, {**read, **own}), read)
    except _Refused as refused:
        raise InvalidRequest(model.__name__, refused.problems) from None


def apply_request(document: BaseModel, data: object, *, allow: Iterable[object], ignore_others: bool = False) -> None:
    """Change a document by a parsed JSON body: `apply_request(order, body, allow=(Order.status, Order.address.city))`.

    A field that is allowed is replaced as a whole; of one that is allowed in parts only those are changed. Fields that
    the body does not name stay as they are. Raises as `from_request` does, and then nothing was changed.
    """
    model: type[BaseModel] = type(document)
    tree = allowed_tree(model, allow, elements=False)
    if codec_of(model).has_id and "_id" in tree:
        raise ValueError("The id of a document cannot change: leave it out of allow.")
    kept = _limited(model, data, tree, Limit(ignore_others=ignore_others))
    try:
        _, assignments = _changed(document, kept, tree, "")
    except _Refused as refused:
        raise InvalidRequest(model.__name__, refused.problems) from None
    for assign in assignments:
        assign()


def _limited(model: type[BaseModel], data: object, tree: dict[str, Tree], limit: Limit) -> dict[str, Any]:
    problem = why_no_body(data) if is_document(data) else "is no object"
    if problem is not None or not is_document(data):
        raise InvalidRequest(model.__name__, [("(body)", str(problem))])
    kept = limit.fields([model], data, tree, "")
    if limit.problems:
        raise InvalidRequest(model.__name__, limit.problems)
    return kept


def _accepted(model: type[BaseModel], name: str) -> str:
    field = codec_of(model).by_name.get(name)
    if field is None:
        raise ValueError(f"given: {model.__name__} has no field {name!r}.")
    return field.accepted


def _changed(
    value: BaseModel, kept: dict[str, Any], tree: dict[str, Tree], place: str
) -> tuple[BaseModel, list[Callable[[], None]]]:
    """Return what a model would be with the values of a body, as another instance, and the assignments that do it."""
    model = type(value)
    fields = {field.accepted: field.name for field in codec_of(model).fields}
    unknown = [(f"{place}{key}", "is no field of it") for key in kept if key not in fields]
    if unknown:
        raise _Refused(unknown)
    assignments: list[Callable[[], None]] = []
    inner: dict[str, BaseModel] = {}
    for key, part in kept.items():
        below = tree[codec_of(model).by_name[fields[key]].stored]
        present = getattr(value, fields[key], None)
        if below != ALL and is_model(present):
            if not is_document(part):
                raise _Refused([(f"{place}{fields[key]}", "is allowed in parts only, and is no object with parts")])
            inner[key], more = _changed(present, part, below, f"{place}{fields[key]}.")
            if not type(present).model_config.get("frozen"):
                assignments += more
    whole = _read(model, {key: part for key, part in kept.items() if key not in inner}, place)
    now = {key: value.__dict__[name] for key, name in fields.items() if name in value.__dict__}
    made = _storable(
        _validated(model, {**now, **(value.__pydantic_extra__ or {}), **whole, **inner}, place), whole, place
    )
    for key in kept:
        if key not in inner or type(inner[key]).model_config.get("frozen"):
            assignments.append(_assignment(value, fields[key], made.__dict__[fields[key]]))
    return made, assignments


def _assignment(value: BaseModel, name: str, part: Any) -> Callable[[], None]:
    """Return what writes a validated value past pydantic, which would validate it again."""
    if type(value).model_fields[name].frozen:
        raise ValueError(f"{type(value).__name__}.{name} is frozen: leave it out of allow.")

    def assign() -> None:
        if isinstance(value, Tracked):
            touch_field(value, name)
        vars(value)[name] = part
        value.model_fields_set.add(name)

    return assign


def _read(model: type[BaseModel], values: dict[str, Any], place: str = "") -> dict[str, Any]:
    """Return values of a body as those of the fields' types; the model's own functions have not seen them."""
    strict = _strict(model)
    try:
        read = strict.__pydantic_validator__.validate_json(to_json(values), strict=True)
    except ValidationError as error:
        raise _refused(model, error, place) from None
    called = {info.alias: read.__dict__[name] for name, info in strict.model_fields.items()}
    info_of = {field.accepted: model.model_fields[field.name] for field in codec_of(model).fields}
    # A function that stands in an annotation has run now; what it makes must not go through it once more.
    return {
        key: value if _calls((info_of[key].annotation, *info_of[key].metadata)) else called[key]
        for key, value in values.items()
    }


def _validated(model: type[ModelT], values: dict[str, Any], place: str = "") -> ModelT:
    try:
        return cast("ModelT", model.__pydantic_validator__.validate_python(values, strict=False))
    except ValidationError as error:
        raise _refused(model, error, place) from None  # its text quotes values


def _storable(made: ModelT, accepted: Iterable[str], place: str = "") -> ModelT:
    problems = unstorable(made, accepted)
    if problems:
        raise _Refused([(place + path, reason) for path, reason in problems])
    return made


def _refused(model: type[BaseModel], error: ValidationError, place: str) -> "_Refused":
    return _Refused([(place + path, reason) for path, reason in problems_of(error, model)])


class _Refused(Exception):
    """Values of a body do not fit: what is raised inside a part of a document, which knows nothing of the whole."""

    def __init__(self, problems: Problems) -> None:
        """Keep the problems."""
        super().__init__()
        self.problems = problems


def _strict(model: type[BaseModel]) -> type[BaseModel]:
    """Return the model whose fields are those of another one, each optional and without its validators."""
    found = model.__dict__.get(_OWN)
    if found is None:
        fields: dict[str, Any] = {}
        for number, field in enumerate(codec_of(model).fields):
            info = model.model_fields[field.name]
            annotation: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
            fields[f"f{number}"] = (annotation, Field(None, alias=field.accepted, discriminator=info.discriminator))
        found = create_model(f"{model.__name__}Request", __base__=_OfRequests, **fields)
        setattr(model, _OWN, found)
    return cast("type[BaseModel]", found)


class _OfRequests(Stored):
    """Base of those, so that they know ids."""

    model_config = ConfigDict(validate_default=False)


def _calls(parts: Iterable[object]) -> bool:
    """Tell whether an annotation has functions of its own that make other values of values."""
    return any(isinstance(part, _FUNCTIONS) or _calls((*get_args(part), *_marks(part))) for part in parts)


def _marks(part: object) -> tuple[object, ...]:
    return tuple(getattr(part, "__metadata__", ()))
