"""What differs between the structure that is wanted and the one that is there: a pure function.

Each difference is one thing with a path, such as `orders.indexes.number_1.unique`. Of a validator it is the part that
differs, and what has no order there is compared without one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from boundwork.alembic_like_migrations.autogenerate.forms import VALIDATION, Form, Structure
from boundwork.models.difference import same
from boundwork.models.kinds import is_array, is_mapping

Aspect = Literal["collection", "option", "index", "validator", "view"]
Status = Literal["missing", "extra", "changed"]
_SETS = frozenset({"required", "bsonType", "enum"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is wanted otherwise than it is; None stands for what is not there."""

    path: str
    aspect: Aspect
    status: Status
    wanted: Any = None
    found: Any = None

    def __str__(self) -> str:
        if self.status == "changed":
            return f"{self.path}: changed {self.aspect}, wanted {self.wanted!r}, found {self.found!r}"
        return f"{self.path}: {self.status} {self.aspect}"

    def as_object(self) -> dict[str, Any]:
        """Return it for JSON; values as Python writes them."""
        parts = {"path": self.path, "aspect": self.aspect, "status": self.status}
        return parts | {"wanted": repr(self.wanted), "found": repr(self.found)}


def differences(wanted: Structure, found: Structure) -> tuple[Difference, ...]:
    """Return all differences, sorted by the names of the collections."""
    names = sorted(wanted.keys() | found.keys())
    return tuple(one for name in names for one in between(wanted.get(name), found.get(name)))


def between(wanted: Form | None, found: Form | None) -> Iterator[Difference]:
    """Yield what differs between two forms of one name, either of which may not be there."""
    if wanted is None or found is None:
        form = wanted or found
        if form is not None:
            yield Difference(form.name, _aspect(form), "extra" if wanted is None else "missing")
    elif wanted.kind != found.kind:
        yield Difference(f"{wanted.name}.type", _aspect(wanted), "changed", wanted.kind, found.kind)
    elif wanted.kind == "view":
        yield from _parts(wanted.name, "view", wanted.options, found.options)
    else:
        yield from _of_options(wanted, found)
        yield from _of_indexes(wanted, found)


def _aspect(form: Form) -> Aspect:
    return "view" if form.kind == "view" else "collection"


def _of_options(wanted: Form, found: Form) -> Iterator[Difference]:
    at = f"{wanted.name}.options"
    yield from _parts(at, "option", *(_without_validation(form) for form in (wanted, found)))
    mine, there = validator_of(wanted), validator_of(found)
    if mine is None or there is None:
        if mine is not there:
            yield Difference(f"{at}.validator", "validator", "extra" if mine is None else "missing", mine, there)
        return
    yield from _inside(f"{at}.validator", mine, there)
    for word in ("validationLevel", "validationAction"):
        if wanted.options[word] != found.options[word]:
            yield Difference(f"{at}.{word}", "validator", "changed", wanted.options[word], found.options[word])


def _without_validation(form: Form) -> dict[str, Any]:
    return {word: value for word, value in form.options.items() if word not in VALIDATION}


def validator_of(form: Form) -> Mapping[str, Any] | None:
    """Return the validator of a collection."""
    validator: Mapping[str, Any] | None = form.options.get("validator")
    return validator


def _of_indexes(wanted: Form, found: Form) -> Iterator[Difference]:
    for name in sorted(wanted.indexes.keys() | found.indexes.keys()):
        at, mine, there = f"{wanted.name}.indexes.{name}", wanted.indexes.get(name), found.indexes.get(name)
        if mine is None or there is None:
            yield Difference(at, "index", "extra" if mine is None else "missing", mine, there)
        else:
            yield from _parts(at, "index", mine, there)


def _parts(at: str, aspect: Aspect, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Difference]:
    for word in dict.fromkeys([*wanted, *found]):
        mine, there = wanted.get(word), found.get(word)
        if not same(mine, there):
            yield Difference(f"{at}.{word}", aspect, "changed", mine, there)


def _inside(path: str, wanted: Any, found: Any) -> Iterator[Difference]:
    """Go down to the parts of a validator that differ; the order of its words has no meaning."""
    if is_mapping(wanted) and is_mapping(found):
        for word in dict.fromkeys([*wanted, *found]):
            yield from _inside(f"{path}.{word}", wanted.get(word), found.get(word))
    elif not same(wanted, found) and not _same_set(path, wanted, found):
        yield Difference(path, "validator", "changed", wanted, found)


def _same_set(path: str, wanted: Any, found: Any) -> bool:
    if path.rpartition(".")[2] not in _SETS or not is_array(wanted) or not is_array(found):
        return False
    return sorted(map(repr, wanted)) == sorted(map(repr, found))
