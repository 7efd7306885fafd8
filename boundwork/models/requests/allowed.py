"""What a program allows a client to set, as a tree of stored names, and what of a body that leaves.

A name in a body is the one that the model's constructor takes. Nothing is dropped unless the program says so: a name
that is not allowed, or not known, is a problem that is named.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Union

from pydantic import AliasChoices, BaseModel

from boundwork.models.codec import codec_of
from boundwork.models.expressions.fields import FieldExpression
from boundwork.models.expressions.filters import check_root
from boundwork.models.expressions.inside import element_types, value_types
from boundwork.models.expressions.targets import Target, kinds_of, target_of
from boundwork.models.fields import StoredField
from boundwork.models.kinds import is_array, is_class, is_document

Tree = Union[Literal["all"], "dict[str, Tree]"]
"""What is allowed of a place: all of it, or these names in it."""
ALL: Literal["all"] = "all"
LONGEST_NAME = 40
MOST_PROBLEMS = 20
Problems = list[tuple[str, str]]


def allowed_tree(model: type[BaseModel], allow: Iterable[object], *, elements: bool = True) -> dict[str, Tree]:
    """Return the tree of fields (`Order.status`) and dotted names (`"address.city"`).

    Raises TypeError for anything else and for fields of another model, ValueError for a name that the model lacks, and
    with `elements=False` for a part of the elements of a list.
    """
    if isinstance(allow, str | bytes | Mapping | FieldExpression):
        raise TypeError("allow takes a tuple of fields: allow=(Order.status, Order.lines).")
    tree: dict[str, Tree] = {}
    for entry in allow:
        target = _target(model, entry)
        if target.in_record:
            raise ValueError(
                f"{target.shown} cannot be allowed by itself: it lies in a dataclass or NamedTuple, which a request gives "
                "as a whole. Allow that, or make it a model."
            )
        if not elements and (len(target.segments) > 1 or target.shown.endswith("]")):
            raise ValueError(
                f"{target.shown} cannot be allowed for a document that there is already: of a list or dict nothing says "
                "what becomes of the rest. Allow it as a whole, or change it by a method of the model."
            )
        _put(tree, [part for segment in target.segments for part in segment.split(".") if part])
    return tree


def _target(model: type[BaseModel], entry: object) -> Target:
    if isinstance(entry, FieldExpression):
        check_root(model, entry.__target__)
        return entry.__target__
    if not isinstance(entry, str):
        raise TypeError(f"allow takes fields such as Order.status, or their names, not {type(entry).__name__}.")
    first, *rest = entry.split(".")
    try:
        target = target_of(model, first)
        for name in rest:
            target = _step(target, name)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"allow: {error}") from None
    return target


def _step(target: Target, name: str) -> Target:
    """Step from a place to a name in it, through lists: a name in text does not say any_of."""
    while not _models(target.kinds) and any(element_types(kind) for kind in target.kinds if kind is not Any):
        target = target.element()
    return target.attribute(name) if _models(target.kinds) else target.item(name)


def _put(tree: dict[str, Tree], path: Sequence[str]) -> None:
    *outer, last = path
    for name in outer:
        below = tree.setdefault(name, {})
        if below == ALL:
            return
        tree = below
    tree[last] = ALL


class Limit:
    """Takes bodies apart; `problems` are what was found in them."""

    def __init__(self, *, ignore_others: bool) -> None:
        """Begin without problems; `ignore_others` leaves out what is not allowed instead of naming it."""
        self._ignore_others = ignore_others
        self.problems: Problems = []

    def fields(self, models: Sequence[type[BaseModel]], data: dict[str, Any], tree: Tree, place: str) -> dict[str, Any]:
        """Return what is allowed of an object, under the names that validators take."""
        known = {key: field for model in reversed(models) for key, field in names_of(model).items()}
        extra = tree == ALL and any(codec_of(model).extra for model in models)
        kept: dict[str, Any] = {}
        for key, value in data.items():
            field = known.get(key)
            if field is None:
                if extra:
                    kept[key] = value
                else:
                    self._refuse(f"{place}{shown(key)}", "is no field of it")
                continue
            below = tree if tree == ALL else tree.get(field.stored)
            where = f"{place}{field.name}"
            if below is None:
                self._refuse(where, "is not allowed")
            elif field.accepted in kept:
                self.problem(where, "is given twice")
            else:
                annotations = [
                    model.model_fields[field.name].annotation for model in models if field.name in model.model_fields
                ]
                kept[field.accepted] = self.value(annotations, value, below, where)
        return kept

    def value(self, annotations: Sequence[object], value: Any, tree: Tree, place: str) -> Any:
        """Return what is allowed of a value."""
        kinds = _opened(annotations)
        models = _models(kinds)
        if is_array(value):
            inner = [part for kind in kinds for part in element_types(kind)]
            return [self.value(inner, item, tree, f"{place}.{number}") for number, item in enumerate(value)]
        if not is_document(value):
            if tree != ALL:
                self.problem(place, "is allowed in parts only, and is no object with parts")
            return value
        if models and (tree != ALL or len(models) == len(kinds)):
            return self.fields(models, value, tree, f"{place}.")
        inner = [part for kind in kinds for part in value_types(kind)]
        return self._entries(inner, value, tree, place)

    def _entries(self, annotations: Sequence[object], value: dict[str, Any], tree: Tree, place: str) -> dict[str, Any]:
        """Return what is allowed of a dict; its keys are contents, and are named only where the program named them."""
        kept: dict[str, Any] = {}
        for key, part in value.items():
            below = tree if tree == ALL else tree.get(key)
            if below is None:
                self._refuse(f"{place}.[...]", "is not allowed")
            else:
                kept[key] = self.value(annotations, part, below, f"{place}.{'[...]' if tree == ALL else key}")
        return kept

    def problem(self, place: str, reason: str) -> None:
        """Note a problem; after so many nobody reads on."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append((place, reason))

    def _refuse(self, place: str, reason: str) -> None:
        if not self._ignore_others:
            self.problem(place, reason)


def names_of(model: type[BaseModel]) -> dict[str, StoredField]:
    """Return the fields of a model by the names that its constructor takes."""
    config = model.model_config
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    by_alias = config.get("validate_by_alias") is not False
    names: dict[str, StoredField] = {}
    for field in codec_of(model).fields:
        info = model.model_fields[field.name]
        alias = info.validation_alias or info.alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        taken = [choice for choice in choices if isinstance(choice, str) and by_alias]
        if by_name or not taken:
            taken.append(field.name)
        names.update(dict.fromkeys(taken, field))
    return names


def shown(name: object) -> str:
    """Return a name that a client chose for an error: quoted, and cut."""
    text = str(name)
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "...")


def _opened(annotations: Sequence[object]) -> list[object]:
    """Return the kinds of a place; a root model stands for what it holds."""
    kinds: list[object] = []
    for kind in (kind for annotation in annotations for kind in kinds_of(annotation)):
        if is_class(kind) and issubclass(kind, BaseModel) and kind.__pydantic_root_model__:
            kinds += _opened([kind.model_fields["root"].annotation])
        else:
            kinds.append(kind)
    return kinds


def _models(kinds: Iterable[object]) -> list[type[BaseModel]]:
    return [kind for kind in kinds if is_class(kind) and issubclass(kind, BaseModel)]
