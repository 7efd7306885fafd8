"""What was touched in a unit, and what it was before.

A document has one slot of state: nothing (as validated), MODIFIED (nobody tracks it, and it was read or written since),
a `Tracker` (attached, untouched) or its `Changes` (touched). Attaching writes the slot; the first read of a mutable
field, or the first write of any, notes what is needed to compare and to rewind. Untouched documents cost nothing.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from boundwork.models.bson_types import MISSING, NATIVE, CannotStore, encode_key, encode_value
from boundwork.models.codec import Codec, codec_of
from boundwork.models.difference import Changed, Update, compare, same
from boundwork.models.fields import StoredField
from boundwork.models.kinds import is_array, is_dict
from boundwork.models.problems import cannot_store, id_changed
from boundwork.models.restore import ModelState, Record
from boundwork.models.slots import STATE, Tracked


class _Modified:
    __slots__ = ()

    def __repr__(self) -> str:
        return "MODIFIED"


MODIFIED: Any = _Modified()
"""State of an untracked document that was touched since it was validated."""

_UNSTORABLE: Any = object()
_read_state, _write_state, _drop_state = STATE.__get__, STATE.__set__, STATE.__delete__


def state_of(document: Tracked) -> Any:
    """Give the state of a document; None for one that is as it was validated."""
    try:
        return _read_state(document)
    except AttributeError:
        return None


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
    """One unit's record of touched documents; it holds no reference to untouched ones."""

    __slots__ = ("__weakref__", "closed", "touched")

    def __init__(self) -> None:
        """Begin with nothing touched."""
        self.touched: dict[int, Changes] = {}
        self.closed = False

    def attach(self, document: Tracked) -> None:
        """Note the first touch of a document from now on; one that is attached here already stays as it is."""
        state = state_of(document)
        if not isinstance(state, Changes) or state.tracker is not self:
            _write_state(document, self)

    def attach_all(self, documents: Iterable[Tracked]) -> None:
        """Attach documents that nobody tracks."""
        deque[None](map(_write_state, documents, repeat(self)), maxlen=0)

    def renew(self, document: Tracked) -> None:
        """Take a document of this tracker as untouched, since it was read again and nothing of it is pending."""
        self.touched.pop(id(document), None)
        _write_state(document, self)

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

    def close(self) -> None:
        """Detach every document; the untouched ones are not visited."""
        self.closed = True
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


def touch_all(document: Tracked) -> None:
    """Note that every field is about to be written or handed out."""
    changes = touch(document)
    if changes is not None:
        changes.note_all()


@dataclass(frozen=True, slots=True)
class Frame:
    """What a touched document was at some moment: all its contents, and the baselines it was compared with."""

    contents: Record
    baseline: dict[str, Any]
    whole: frozenset[str]
    extra: dict[str, Any]


class Changes:
    """What one touched document was: stored forms to compare with, and Python state to return to."""

    __slots__ = ("_records", "_rest", "_sent", "_state", "baseline", "codec", "document", "extra", "tracker", "whole")

    def __init__(self, document: Tracked, tracker: Tracker) -> None:
        """Note the document before its first change."""
        self.document = document
        self.tracker = tracker
        self.codec: Codec = codec_of(type(document))
        self.baseline: dict[str, Any] = {}
        self.whole: frozenset[str] = frozenset()
        self._records: dict[str, Record] = {}
        self._sent: dict[str, Any] = {}
        self._begin()
        self.extra = _encoded_extra(self._state.extra)

    def _begin(self) -> None:
        self._state = ModelState(self.document)
        self._rest = tuple(Record(value) for value in self._state.inner()) if self._state.more else ()

    def note(self, name: str) -> None:
        """Note one field before it is touched."""
        field = self.codec.by_name.get(name)
        if field is None:
            return
        document = self.document
        value = document.__dict__.get(name, MISSING)
        self.baseline[name] = _encoded(field, value)
        if field.shape.mutable and name not in self._records:
            record = self._records[name] = Record(value)
            if field.whole or record.partial or name not in document.__pydantic_fields_set__:
                self.whole |= {name}

    def note_all(self) -> None:
        """Note every field."""
        for name in self.codec.by_name:
            if name not in self.baseline:
                self.note(name)

    def update(self) -> Update | None:
        """Give what turns the stored document into the present one; None if they are equal."""
        changed = Changed()
        values = self.document.__dict__
        names: list[str] = []
        self._sent = {}
        for name, before in self.baseline.items():
            field = self.codec.by_name[name]
            now = self._sent[name] = self._now(field, values.get(name, MISSING))
            if now is before:
                continue
            if name == "id":
                self._check_id(before, now)
                continue
            count = len(changed)
            if name not in self.whole or now is MISSING:
                compare(field.stored, before, now, changed)
            elif not same(before, now):
                changed.set[field.stored] = now
            if len(changed) > count:
                names.append(name)
        if self.codec.extra:
            names += self._compare_extra(changed)
        if not names:
            return None
        return Update(changed.set, tuple(changed.unset), changed.push, tuple(names))

    def sent(self, name: str) -> Any:
        """Give the stored form of a changed field that the last `update()` saw; MISSING if it has none."""
        return self._sent.get(name, MISSING)

    def _now(self, field: StoredField, value: Any) -> Any:
        if type(value) in NATIVE or value is MISSING:
            return value
        try:
            return field.shape.encode(value)
        except CannotStore as error:
            raise cannot_store(self.document, error.inside(field.name)) from None

    def _check_id(self, before: Any, now: Any) -> None:
        if not same(before, now):
            raise id_changed(self.document, before)

    def _compare_extra(self, changed: Changed) -> list[str]:
        try:
            now = _extra_form(self.document.__pydantic_extra__)
        except CannotStore as error:
            raise cannot_store(self.document, error) from None
        names: list[str] = []
        for name in {**self.extra, **now}:
            before, after = self.extra.get(name, MISSING), now.get(name, MISSING)
            if not same(before, after):
                names.append(name)
                if after is MISSING:
                    changed.unset.append(name)
                else:
                    changed.set[name] = after
        return names

    def accept(self) -> None:
        """Take the present state as the stored baseline; scalars need no watching until they are written again."""
        values, sent, self._sent = self.document.__dict__, self._sent, {}
        baseline: dict[str, Any] = {}
        for name in self.baseline:
            field = self.codec.by_name[name]
            if field.shape.mutable:
                baseline[name] = sent[name] if name in sent else _encoded(field, values.get(name, MISSING))
        self.baseline = baseline
        self.extra = _encoded_extra(self.document.__pydantic_extra__)

    def rewind(self) -> None:
        """Put the document back to what it was at the first touch or the last mark, in place.

        It is untouched then, unless a mutable value was handed out: that one is still watched.
        """
        self._sent = {}
        self._state.restore(self.document)
        for record in (*self._records.values(), *self._rest):
            record.restore()
        self.accept()
        handed_out = self.baseline or any(type(value) not in NATIVE for value in self.extra.values())
        if not handed_out and not self.tracker.closed:
            self.tracker.touched.pop(id(self.document), None)
            _write_state(self.document, self.tracker)

    def mark(self) -> None:
        """Make the present state the one to rewind to."""
        values = self.document.__dict__
        self._begin()
        self._records = {name: Record(values.get(name, MISSING)) for name in self._records}

    def frame(self) -> Frame:
        """Give a frame of the present state, to be restored later."""
        return Frame(Record(self.document), dict(self.baseline), self.whole, dict(self.extra))

    def restore(self, frame: Frame) -> None:
        """Put the document back to what it was in a frame, in place; values handed out since are still watched."""
        self._sent = {}
        frame.contents.restore()
        since = self.baseline.keys() - frame.baseline.keys()
        self.baseline = dict(frame.baseline)
        self.whole = frame.whole | (self.whole & since)
        self.extra = dict(frame.extra)
        for name in since:
            field = self.codec.by_name[name]
            if field.shape.mutable:
                self.baseline[name] = _encoded(field, self.document.__dict__.get(name, MISSING))

    def before(self, path: str) -> Any:
        """Give the stored baseline at a dotted path of stored names; MISSING where there is nothing."""
        head, *rest = path.split(".")
        field = next((field for field in self.codec.fields if field.stored == head), None)
        if field is None:
            value = self.extra.get(head, MISSING)
        elif field.name in self.baseline:
            value = self.baseline[field.name]
        else:
            value = _encoded(field, self.document.__dict__.get(field.name, MISSING))
        for part in rest:
            value = _step(value, part)
        return MISSING if value is _UNSTORABLE else value


def _step(value: Any, part: str) -> Any:
    if is_dict(value):
        return value.get(part, MISSING)
    if is_array(value) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return MISSING


def _encoded(field: StoredField, value: Any) -> Any:
    if type(value) in NATIVE or value is MISSING:
        return value
    try:
        return field.shape.encode(value)
    except CannotStore:  # reading an attribute must not fail; writing the document will say it
        return _UNSTORABLE


def _extra_form(extra: dict[str, Any] | None) -> dict[str, Any]:
    stored: dict[str, Any] = {}
    for name, value in (extra or {}).items():
        try:
            stored[encode_key(name)] = encode_value(value)
        except CannotStore as error:
            raise error.inside(name) from None
    return stored


def _encoded_extra(extra: dict[str, Any] | None) -> dict[str, Any]:
    if not extra:
        return {}
    try:
        return _extra_form(extra)
    except CannotStore:
        return dict.fromkeys(extra, _UNSTORABLE)
