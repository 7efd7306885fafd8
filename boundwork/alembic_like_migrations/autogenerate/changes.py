"""The words of `op` that turn the structure that is there into the one that is wanted: a pure function.

Each change names the differences that it ends, what it may destroy or refuse, and whether it is only proposed: nothing
is dropped because models do not speak of it, unless that was asked for. What the server cannot change is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from boundwork.alembic_like_migrations.autogenerate import written
from boundwork.alembic_like_migrations.autogenerate.differences import Difference, between
from boundwork.alembic_like_migrations.autogenerate.forms import Form, Structure
from boundwork.alembic_like_migrations.autogenerate.index_changes import create_index, index_changes
from boundwork.alembic_like_migrations.autogenerate.option_changes import option_changes
from boundwork.alembic_like_migrations.autogenerate.words import Change, Word


@dataclass(frozen=True, slots=True)
class _Pair:
    wanted: Form | None
    found: Form | None


def changes(wanted: Structure, found: Structure, *, drop: bool = False) -> tuple[Change, ...]:
    """Return the changes in an order that works: collections before views, what is dropped last."""
    names = sorted(wanted.keys() | found.keys())
    made = [change for name in names for change in _changes(_Pair(wanted.get(name), found.get(name)))]
    made.sort(key=lambda change: (change.drops, change.about_view))
    return tuple(change.asked() if drop else change for change in made)


def _changes(pair: _Pair) -> Iterator[Change]:
    wanted, found = pair.wanted, pair.found
    if wanted is None and found is not None:
        yield _dropped(found, tuple(between(None, found)))
    elif wanted is not None and found is None:
        yield from _created(wanted, tuple(between(wanted, None)))
    elif wanted is not None and found is not None:
        yield from _changed(wanted, found, tuple(between(wanted, found)))


def _created(wanted: Form, ends: tuple[Difference, ...]) -> Iterator[Change]:
    if wanted.kind == "view":
        yield _create_view(wanted, ends)
        return
    yield Change(ends, (Word("create_collection", (wanted.name,), written.options(wanted)),))
    words = [create_index(wanted, index) for _, index in sorted(wanted.indexes.items())]
    if words:
        yield Change((), tuple(words))


def _create_view(wanted: Form, ends: tuple[Difference, ...]) -> Change:
    if "collation" in wanted.options:
        why = f"The view {wanted.name} has a collation, for which op has no word: use op.execute()."
        return Change(ends, (), risk=why, about_view=True)
    view = _view(wanted)
    return Change(ends, (Word("create_view", (wanted.name, view["on"], view["pipeline"]), {}),), about_view=True)


def _view(form: Form) -> dict[str, Any]:
    return {"on": form.options["viewOn"], "pipeline": form.options.get("pipeline", [])}


def _dropped(found: Form, ends: tuple[Difference, ...]) -> Change:
    if found.kind == "view":
        word = Word("drop_view", (found.name,), {"was": _view(found)})
        return Change(ends, (word,), risk=f"Nothing declares the view {found.name}.", drops=True, about_view=True)
    was = written.options(found)
    if found.indexes:
        was["indexes"] = [written.specification(found, index) for _, index in sorted(found.indexes.items())]
    word = Word("drop_collection", (found.name,), {"was": was})
    risk = f"No model declares {found.name}. Dropping it loses its documents, and down() does not bring them back."
    return Change(ends, (word,), risk=risk, drops=True)


def _changed(wanted: Form, found: Form, ends: tuple[Difference, ...]) -> Iterator[Change]:
    if wanted.kind != found.kind:
        why = (
            f"{wanted.name} is a {found.kind} and should be a {wanted.kind}. The server cannot change that: make the new "
            "one under another name, move the documents, and rename it."
        )
        yield Change(ends, (), risk=why)
    elif wanted.kind == "view":
        yield from _changed_view(wanted, found, ends)
    else:
        yield from option_changes(wanted, found, tuple(one for one in ends if one.aspect != "index"))
        yield from index_changes(wanted, found, tuple(one for one in ends if one.aspect == "index"))


def _changed_view(wanted: Form, found: Form, ends: tuple[Difference, ...]) -> Iterator[Change]:
    if any(one.path == f"{wanted.name}.collation" for one in ends):
        why = f"The collation of the view {wanted.name} differs. The server cannot change it: drop the view and make it anew."
        yield Change(ends, (), risk=why, about_view=True)
    elif ends:
        view = _view(wanted)
        word = Word("change_view", (wanted.name, view["on"], view["pipeline"]), {"was": _view(found)})
        yield Change(ends, (word,), about_view=True)
