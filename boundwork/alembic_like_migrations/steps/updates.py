"""Data steps that the server carries out by itself: an update of the documents of each batch, by operators or stages.

The way back is an update as well. Where the update changes what its own filter looks at, the filter no longer finds the
documents; then their ids are remembered, and the way back is for those.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from boundwork.alembic_like_migrations.engine.program import Mark
from boundwork.alembic_like_migrations.steps.step import EVERYTHING, AnyStep, Batch, DataStep, Irreversible, Worked
from boundwork.alembic_like_migrations.steps.undo_log import forget, remember
from boundwork.alembic_like_migrations.steps.ways_back import WayBack
from boundwork.models.kinds import is_mapping, is_ordered
from boundwork.uow.port import BoundSession

Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]
_STAGES = {"$set", "$addFields", "$unset"}


@dataclass(frozen=True, slots=True)
class UpdateStep(DataStep):
    """Apply an update to the documents that match a filter; each one once, so that `$inc` is safe as well.

    `mark` remembers the ids; `unchanged` is what documents must match in addition for the way back.
    """

    target: str
    update: Update
    matching: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    undo: Update | None = None
    mark: Mark | None = None
    unchanged: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)
    label: str | None = None
    why_not: str = "nobody said how (undo=...)"

    @property
    def title(self) -> str:
        """One line for people."""
        if self.label is not None:
            return self.label
        stages = self.update if isinstance(self.update, Sequence) else [self.update]
        words = [f"{word} {_names(names)}" for stage in stages for word, names in stage.items()]
        return f"update {self.target}: {'; '.join(words)}"

    @property
    def collection(self) -> str:
        """The collection whose documents are updated."""
        return self.target

    @property
    def where(self) -> Mapping[str, Any]:
        """The filter of the documents to update."""
        return self.matching

    def inverse(self) -> AnyStep:
        """Return the update that was given as `undo`. Raises Irreversible without one."""
        if self.undo is None:
            raise Irreversible(self.title, self.why_not)
        if self.mark is not None:
            return UpdateRemembered(self.target, self.undo, self.mark, self.unchanged, f"undo: {self.title}")
        return UpdateStep(self.target, self.undo, self.matching, self.update)

    async def work(self, batch: Batch) -> Worked:
        """Update the documents of a batch."""
        if self.mark is not None:
            await remember(batch.session, self.mark, batch.ids)
        return Worked(await update_all(batch.session, self.target, batch.ids, self.update))


@dataclass(frozen=True, slots=True)
class UpdateRemembered(WayBack):
    """Apply an update to the documents whose ids were remembered, and forget the ids."""

    target: str
    update: Update
    mark: Mark
    unchanged: Mapping[str, Any]
    label: str

    @property
    def title(self) -> str:
        """One line for people."""
        return self.label

    @property
    def collections(self) -> Sequence[str]:
        """All collections whose documents are read or written."""
        return (self.target,)

    async def work(self, batch: Batch) -> Worked:
        """Update the documents of a batch of ids."""
        ids = [one["of"] for one in batch.ids]
        changed = await update_all(batch.session, self.target, ids, self.update, self.unchanged)
        await forget(batch.session, self.mark, ids)
        return Worked(changed)


async def update_all(
    session: BoundSession, collection: str, ids: Sequence[Any], update: Update, also: Mapping[str, Any] = EVERYTHING
) -> int:
    """Update the documents with these ids, and return how many were changed."""
    if not ids:
        return 0
    change = dict(update) if isinstance(update, Mapping) else list(update)
    statement = {"q": {**also, "_id": {"$in": list(ids)}}, "u": change, "multi": True}
    reply = await session.command({"update": collection, "updates": [statement]})
    return int(reply["nModified"])


def is_update(update: object) -> bool:
    """Tell whether this can be operators or stages: what a server takes for many documents at once."""
    words: Sequence[object] = [update] if is_mapping(update) else update if is_ordered(update) else ()
    return bool(words) and all(
        is_mapping(word) and word and all(str(name)[:1] == "$" for name in word) for word in words
    )


def positional(update: Update | None) -> str | None:
    """Return a path that leads to the items of an array that a query finds; ids find none."""
    if not is_mapping(update):
        return None
    paths = [path for word in update.values() if is_mapping(word) for path in word]
    return next((path for path in paths if any(_chosen(name) for name in path.split("."))), None)


def _chosen(name: str) -> bool:
    return name == "$" or (name.startswith("$[") and name != "$[]")


def hides_its_documents(update: Update, matching: Mapping[str, Any]) -> bool:
    """Tell whether an update changes a field that a filter looks at, or may do so: then the filter is no way back."""
    looked_at, changed = _looked_at(matching), _changed(update)
    if not matching:
        return False
    if looked_at is None or changed is None:
        return True
    return any(_overlap(one, other) for one in looked_at for other in changed)


def _looked_at(matching: Mapping[str, Any]) -> set[str] | None:
    """Return the fields that a filter looks at; None if that is not clear."""
    fields: set[str] = set()
    for name, value in matching.items():
        if name in {"$and", "$or", "$nor"}:
            for part in value:
                inner = _looked_at(part)
                if inner is None:
                    return None
                fields |= inner
        elif name.startswith("$"):
            return None
        else:
            fields.add(name)
    return fields


def _changed(update: Update) -> set[str] | None:
    """Return the fields that an update changes; None if that is not clear."""
    if isinstance(update, Mapping):
        renamed = {str(new) for new in update.get("$rename", {}).values()}
        return renamed | {path.partition("$")[0].rstrip(".") for paths in update.values() for path in paths}
    fields: set[str] = set()
    for stage in update:
        for word, value in stage.items():
            if word not in _STAGES:
                return None
            fields |= set(_listed(value))
    return fields


def _listed(value: Any) -> Iterator[str]:
    return iter([value] if isinstance(value, str) else value)


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _names(value: Any) -> str:
    """Return the names of the fields that an operator or a stage has; a stage of an expression has none to show."""
    if isinstance(value, str):
        return value
    return ", ".join(name for name in value if not name.startswith("$"))
