"""What was touched in a unit.

A document has one slot of state: nothing (as validated), MODIFIED (nobody tracks it, and it was read or written since),
a `Tracker` (attached, untouched) or its `Changes` (touched). Attaching writes the slot; the first read of a mutable
field, or the first write of any, notes what is needed to compare and to rewind. Untouched documents cost nothing.
"""

from collections import deque
from collections.abc import Callable, Container, Iterable
from itertools import repeat
from typing import Any

from boundwork.models.slots import STATE, Tracked
from boundwork.models.touched import Changes


class _Modified:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MODIFIED"


MODIFIED: Any = _Modified()
"""State of an untracked document that was touched since it was validated."""

_read_state, _write_state, _drop_state = STATE.__get__, STATE.__set__, STATE.__delete__


def state_of(document: Tracked) -> Any:
    """Give the state of a document; None for one that is as it was validated, TypeError for what is none."""
    try:
        return _read_state(document)
    except AttributeError:
        return None
    except TypeError:
        raise TypeError(f"A unit takes documents, not {type(document).__name__}.") from None


def is_fresh(document: Tracked) -> bool:
    """Say whether a document is as it was validated and was never tracked."""
    return state_of(document) is None


def is_modified(document: Tracked) -> bool:
    """Say whether a document may differ from what was validated when it was built or loaded."""
    state = state_of(document)
    return state is MODIFIED or isinstance(state, Changes)


def mark_modified(document: Tracked) -> None:
    """Note that an untracked document holds values nobody validated."""
    _write_state(document, MODIFIED)


class Tracker:
    """One unit's record of touched documents; it holds no reference to untouched ones.

    `shared` says that one thread may change documents while another one sends them; `unsent` tells whether a document
    is new and not yet sent.
    """

    __slots__ = ("__weakref__", "closed", "shared", "touched", "unsent")

    def __init__(self) -> None:
        """Begin with nothing touched."""
        self.touched: dict[int, Changes] = {}
        self.closed = False
        self.shared = False
        self.unsent: Callable[[object], bool] | None = None

    def attach(self, document: Tracked) -> None:
        """Note the first touch of a document from now on; one that is attached here already stays as it is."""
        state = state_of(document)
        if not isinstance(state, Changes) or state.tracker is not self:
            _write_state(document, self)

    def attach_new(self, document: Tracked) -> None:
        """Attach a document that nobody tracks."""
        _write_state(document, self)

    def attach_all(self, documents: Iterable[Tracked]) -> None:
        """Attach documents that nobody tracks."""
        deque[None](map(_write_state, documents, repeat(self)), maxlen=0)

    def detach(self, document: Tracked) -> None:
        """Forget a document of this tracker."""
        state = state_of(document)
        if state is self:
            _drop_state(document)
        elif isinstance(state, Changes) and state.tracker is self:
            self.touched.pop(id(document), None)
            mark_modified(document)

    def resume(self, changes: "Changes") -> None:
        """Take up a touched document again that may have been detached meanwhile."""
        self.touched[id(changes.document)] = changes
        _write_state(changes.document, changes)

    def rewind(self, kept: Container[int] = ()) -> None:
        """Put back every touched document but those that are `kept`, by identity.

        The last one that was touched is the first: of a list that several documents hold the oldest record is right.
        """
        for identity, changes in reversed(list(self.touched.items())):
            if identity not in kept:
                changes.rewind()

    def mark(self) -> None:
        """Make the present state of every touched document the one to rewind to."""
        for changes in self.touched.values():
            changes.mark()

    def close(self) -> None:
        """Detach every document; the untouched ones are not visited."""
        self.closed = True
        self.unsent = None
        for changes in self.touched.values():
            mark_modified(changes.document)
        self.touched = {}

    @staticmethod
    def owner_of(document: Tracked) -> "Tracker | None":
        """Give the open tracker of a document."""
        state = state_of(document)
        tracker: Any = state.tracker if isinstance(state, Changes) else state
        return tracker if isinstance(tracker, Tracker) and not tracker.closed else None

    def changes_of(self, document: Tracked) -> "Changes | None":
        """Give the changes of a touched document of this tracker."""
        state = state_of(document)
        return state if isinstance(state, Changes) and state.tracker is self else None


def touch(document: Tracked) -> "Changes | None":
    """Note that a document is about to be touched; give its changes where it is tracked."""
    state = state_of(document)
    if type(state) is Changes:
        return state
    if type(state) is Tracker and not state.closed:
        changes = Changes(document, state)
        state.touched[id(document)] = changes
        _write_state(document, changes)
        return changes
    if state is not MODIFIED:
        mark_modified(document)
    return None


def touch_field(document: Tracked, name: str) -> None:
    """Note that a field is about to be written, or that its mutable value is about to be handed out."""
    changes = touch(document)
    if changes is not None and name not in changes.baseline:
        changes.note(name)


def touch_inside(document: Tracked) -> None:
    """Note that a private or an extra value is about to be handed out."""
    changes = touch(document)
    if changes is not None:
        changes.handed_out = True


def touch_all(document: Tracked) -> None:
    """Note that every value is about to be written or handed out."""
    changes = touch(document)
    if changes is not None:
        changes.note_all()
        changes.handed_out = True
