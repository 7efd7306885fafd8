"""Changes of the indexes of a collection that is there.

An index that has another name here than there is changed, because the server refuses both beside each other. One that
keeps its name and differs in more than `collMod` can change is dropped and built again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.autogenerate import written
from boundwork.alembic_like_migrations.autogenerate.differences import Difference
from boundwork.alembic_like_migrations.autogenerate.forms import Form
from boundwork.alembic_like_migrations.autogenerate.words import Change, Word
from boundwork.alembic_like_migrations.steps.indexes import CHANGED_IN_PLACE
from boundwork.models.difference import same

Index = Mapping[str, Any]
_TELL_APART = ("unique", "sparse", "collation", "partialFilterExpression", "wildcardProjection")


@dataclass(frozen=True, slots=True)
class _Differing:
    collection: str
    differences: Sequence[Difference]

    def of(self, *names: str) -> tuple[Difference, ...]:
        begins = tuple(f"{self.collection}.indexes.{name}" for name in names)
        return tuple(
            one for one in self.differences if any(one.path == at or one.path.startswith(f"{at}.") for at in begins)
        )


@dataclass(frozen=True, slots=True)
class _There:
    """An index and the collection that has it."""

    form: Form
    index: Index

    @property
    def was(self) -> dict[str, Any]:
        """Its specification, without a name."""
        return {word: value for word, value in written.specification(self.form, self.index).items() if word != "name"}


def index_changes(wanted: Form, found: Form, differing: Sequence[Difference]) -> Iterator[Change]:
    """Yield the changes that end differences of indexes."""
    differ = _Differing(wanted.name, differing)
    extra = {name: index for name, index in found.indexes.items() if name not in wanted.indexes}
    for name, index in sorted(wanted.indexes.items()):
        there = found.indexes.get(name)
        if there is not None:
            if ends := differ.of(name):
                yield _changed(wanted, index, _There(found, there), ends)
            continue
        other = next((old for old in extra.values() if _excludes(index, old)), None)
        if other is None:
            yield Change(differ.of(name), (create_index(wanted, index),), risk=_risk(index, {}))
        else:
            del extra[other["name"]]
            yield _renamed(wanted, index, _There(found, other), differ.of(name, other["name"]))
    for name, index in sorted(extra.items()):
        word = Word("drop_index", (wanted.name, name), {"was": _There(found, index).was})
        risk = f"No model declares the index {name} of {wanted.name}. Queries that use it become slow without it."
        yield Change(differ.of(name), (word,), risk=risk, drops=True)


def create_index(form: Form, index: Index) -> Word:
    """Return the word that builds an index of a collection."""
    rest = written.specification(form, index)
    return Word("create_index", (form.name, rest.pop("key")), rest)


def _excludes(one: Index, other: Index) -> bool:
    """Tell whether the server refuses one index beside another."""
    if "weights" in one and "weights" in other:
        return True
    return same(one["key"], other["key"]) and all(same(one.get(word), other.get(word)) for word in _TELL_APART)


def _renamed(form: Form, index: Index, there: "_There", ends: tuple[Difference, ...]) -> Change:
    to = {**written.specification(form, index), "name": index["name"]}
    word = Word("change_index", (form.name, there.index["name"], to, there.was), {})
    return Change(ends, (word,), risk=_risk(index, there.index))


def _changed(form: Form, index: Index, there: "_There", ends: tuple[Difference, ...]) -> Change:
    parts = {one.path.rpartition(".")[2] for one in ends}
    if parts <= CHANGED_IN_PLACE and not ("expireAfterSeconds" in parts and "expireAfterSeconds" not in index):
        word = Word("change_index", (form.name, index["name"], _There(form, index).was, there.was), {})
        return Change(ends, (word,), risk=_risk(index, there.index))
    drop = Word("drop_index", (form.name, index["name"]), {"was": there.was})
    meanwhile = "Until the second line is done there is no such index. Give the new one another name to avoid that."
    risks = [meanwhile, *([risk] if (risk := _risk(index, there.index)) else [])]
    return Change(ends, (drop, create_index(form, index)), risk=" ".join(risks))


def _risk(index: Index, there: Index) -> str | None:
    risks: list[str] = []
    if index.get("unique") and not (there.get("unique") and same(index["key"], there.get("key"))):
        risks.append("Unique: documents with the same keys make it fail, and are named before the build.")
    seconds, before = index.get("expireAfterSeconds"), there.get("expireAfterSeconds")
    if seconds is not None and (before is None or seconds < before):
        risks.append(f"Documents expire: the server deletes those whose time is more than {seconds} s ago.")
    return " ".join(risks) or None
