"""What one touched document was: stored forms to compare with, and Python state to return to.

Stored forms follow the database: a flush renews them. Python state follows the rollback: it is that of the first
touch or of the last commit, whichever came last, and of what a reading has changed since, that of the reading.
"""

from dataclasses import field
from typing import TYPE_CHECKING, Any

from boundwork.models.as_noted import UNSTORABLE, AsNoted, encoded, noted
from boundwork.models.bson_types import MISSING, NATIVE, CannotStore, encode_key, encode_value
from boundwork.models.codec import Codec, codec_of
from boundwork.models.data import data
from boundwork.models.difference import Changed, Update, compare, same
from boundwork.models.fields import StoredField
from boundwork.models.kinds import is_array, is_dict
from boundwork.models.problems import cannot_store, id_changed
from boundwork.models.restore import EXTRA, NAMES, ModelState, Record
from boundwork.models.slots import STATE, SharedNames, Tracked

if TYPE_CHECKING:
    from boundwork.models.tracking import Tracker


_NO_NAMES: frozenset[str] = frozenset()  # Python makes a new one at each call, which the collector would visit


@data(frozen=True, slots=True)
class Frame:
    """What a touched document was at some moment: all its contents, and the baselines it was compared with."""

    contents: Record
    baseline: dict[str, Any] = field(repr=False)
    whole: frozenset[str]
    extra: dict[str, Any] = field(repr=False)
    readings: int


class Changes:
    """What one touched document was."""

    __slots__ = (
        "_readings",
        "_records",
        "_rest",
        "_sent",
        "_sent_extra",
        "_state",
        "baseline",
        "codec",
        "document",
        "extra",
        "handed_out",
        "tracker",
        "whole",
    )

    def __init__(self, document: Tracked, tracker: "Tracker") -> None:
        """Note the document before its first change."""
        self.document = document
        self.tracker = tracker
        self.codec: Codec = codec_of(type(document))
        self.baseline: dict[str, Any] = {}
        self.whole = _NO_NAMES
        self._records: dict[str, Record] = {}
        self._sent: dict[str, Any] = {}
        self._readings: tuple[frozenset[str], ...] = ()
        self.handed_out = False  # a private or extra value was, so that it may change behind the document's back
        self._begin()
        self.extra = self._sent_extra = _encoded_extra(self._state.extra)

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
        if field.shape.mutable and name not in self._records:
            record = self._records[name] = Record(value)
            if field.whole or record.partial or name not in document.__pydantic_fields_set__:
                self.whole |= {name}
            self.baseline[name] = noted(field, value, record)
        else:
            self.baseline[name] = encoded(field, value)

    def note_all(self) -> None:
        """Note every field."""
        for name in self.codec.by_name:
            if name not in self.baseline:
                self.note(name)

    def update(self) -> Update | None:
        """Give what turns the stored document into the present one; None if they are equal."""
        changed = Changed()
        names: list[str] = []
        count = 0
        self._sent = {}
        for name, before in list(self.baseline.items()):
            self._compare(name, before, changed)
            if (after := len(changed)) > count:
                names.append(name)
                count = after
        if self.codec.extra:
            names += self._compare_extra(changed)
        if not names:
            return None
        return Update(changed.set, tuple(changed.unset), changed.push, tuple(names))

    def _compare(self, name: str, before: Any, changed: Changed) -> None:
        field, value = self.codec.by_name[name], self.document.__dict__.get(name, MISSING)
        if type(before) is AsNoted:
            later = None if name in self.whole else before.compare(value, changed)
            if later is not None:
                self._sent[name] = later
                return
            before = self.baseline[name] = before.stored()
        now = self._sent[name] = self._now(field, value)
        if now is before:
            return
        if name == "id":
            self.check_id()
        elif name not in self.whole or now is MISSING:
            compare(field.stored, before, now, changed)
        elif not same(before, now):
            changed.set[field.stored] = now

    def sent(self, name: str) -> Any:
        """Give the stored form of a changed field that the last `update()` saw; MISSING if it is not known."""
        stored = self._sent.get(name, MISSING)
        return MISSING if type(stored) is AsNoted else stored

    def _now(self, field: StoredField, value: Any) -> Any:
        if type(value) in NATIVE or value is MISSING:
            return value
        try:
            return field.shape.encode(value)
        except CannotStore as error:
            raise cannot_store(self.document, error.inside(field.name)) from None

    def check_id(self) -> None:
        """Raise InvalidDocument if the id is not what it was."""
        before = self.baseline.get("id", MISSING)
        now = self._now(self.codec.by_name["id"], self.document.__dict__.get("id", MISSING))
        if before is not MISSING and not same(before, now):
            raise id_changed(self.document, before)

    def _compare_extra(self, changed: Changed) -> list[str]:
        try:
            now = _extra_form(self.document.__pydantic_extra__)
        except CannotStore as error:
            raise cannot_store(self.document, error) from None
        self._sent_extra = now
        names: list[str] = []
        for name in {**self.extra, **now}:
            before, after = self.extra.get(name, MISSING), now.get(name, MISSING)
            if not same(before, after):
                self._check_extra(name)
                names.append(name)
                if after is MISSING:
                    changed.unset.append(name)
                else:
                    changed.set[name] = after
        return names

    def _check_extra(self, name: str) -> None:
        """Refuse a name that an update would read as an operator, or as the path of a declared field."""
        taken = any(field.stored == name for field in self.codec.fields)
        if taken or not name or name[0] == "$" or "." in name:
            problem = CannotStore(
                "an update would not write a field of this name: it is taken, empty, or holds '.' or '$'"
            )
            raise cannot_store(self.document, problem.inside(name))

    def accept(self) -> None:
        """Take the present state as the stored baseline; scalars need no watching until they are written again.

        An id that was changed is never taken: the document goes on standing for the id that it had.
        """
        values, self._sent = self.document.__dict__, {}
        baseline: dict[str, Any] = {}
        for name, before in self.baseline.items():
            field = self.codec.by_name[name]
            if field.shape.mutable:
                baseline[name] = encoded(field, values.get(name, MISSING))
            elif name == "id" and not same(encoded(field, values.get(name, MISSING)), before):
                baseline[name] = before
        self.baseline = baseline
        self.extra = self._sent_extra = _encoded_extra(self.document.__pydantic_extra__)

    def inserting(self, stored: dict[str, Any]) -> None:
        """Take note of the whole stored form that is about to be sent, as `update()` does of changed fields."""
        self._sent = {name: stored.get(self.codec.by_name[name].stored, MISSING) for name in self.baseline}
        self._sent_extra = _encoded_extra(self.document.__pydantic_extra__)

    def flushed(self) -> None:
        """Take what `update()` or `inserting()` saw as stored; what was changed since then is still to be written."""
        values, sent, self._sent = self.document.__dict__, self._sent, {}
        for name in list(self.baseline):  # in place, or what another thread touches meanwhile would be lost
            if name not in sent:
                continue
            field, stored = self.codec.by_name[name], sent[name]
            now = values.get(name, MISSING)
            watched = field.shape.mutable or self.tracker.shared
            if watched or (now is not stored and not same(encoded(field, now), stored)):
                self.baseline[name] = stored
            else:
                del self.baseline[name]
        self.extra = self._sent_extra

    def advance(self, name: str, value: int) -> None:
        """Give a field a value that is about to be stored with an update."""
        values: Any = self.document.__dict__
        values[name] = value
        if name in self.baseline:
            self.baseline[name] = value
        if type(self.document.__pydantic_fields_set__) is not SharedNames:
            self.document.__pydantic_fields_set__.add(name)

    def first(self, name: str) -> Any:
        """Give the value that a rollback would restore to a scalar field."""
        return self._state.values.get(name, MISSING)

    def rewind(self) -> None:
        """Put the document back to what it was at the first touch or the last mark, in place.

        It is untouched then, unless a mutable value was handed out: that one is still watched.
        """
        self._put_back()
        watched = self.baseline or (self.handed_out and any(record.more for record in self._rest))
        if not watched and not self.tracker.closed:
            self.tracker.touched.pop(id(self.document), None)
            STATE.__set__(self.document, self.tracker)

    def _put_back(self) -> None:
        self._sent = {}
        self._state.restore(self.document)
        for record in (*self._records.values(), *self._rest):
            record.restore()
        self.accept()

    def is_as_it_was(self) -> bool:
        """Tell whether the document is in the state to rewind to."""
        records = (*self._records.values(), *self._rest)
        return self._state.holds(self.document) and all(record.holds() for record in records)

    def mark(self) -> None:
        """Make the present state the one to rewind to."""
        values = self.document.__dict__
        self._begin()
        self._records = {name: Record(values.get(name, MISSING)) for name in self._records}

    def renew(self, before: ModelState) -> None:
        """Take the fields as untouched, since they were read again; what differs from `before` is rewound to this.

        What was handed out since the document was first touched is still watched: it has the new contents now.
        """
        then, records = self._state, self._records
        self._state = ModelState(self.document)
        changed = self._state.reread(before, then)
        if EXTRA in changed:
            self._rest = (*self._rest, *(Record(value) for value in (self._state.extra or {}).values()))
        self._records, self._sent, self.baseline, self.whole = {}, {}, {}, _NO_NAMES
        self.extra = self._sent_extra = _encoded_extra(self.document.__pydantic_extra__)
        self._readings = (*self._readings, changed)
        for name, record in records.items():
            self.note(name)
            self._records[name] = self._records[name].keeping(record) if name in changed else record

    def frame(self) -> Frame:
        """Give a frame of the present state, to be restored later."""
        return Frame(Record(self.document), dict(self.baseline), self.whole, dict(self.extra), len(self._readings))

    def restore(self, frame: Frame) -> None:
        """Put the document back to what it was in a frame, in place; values handed out since are still watched."""
        self._sent = {}
        frame.contents.restore()
        read = frozenset[str]().union(*self._readings[frame.readings :])
        if read:
            self._restore_read(frame, read)
        since = (self.baseline.keys() - frame.baseline.keys()) | (self.baseline.keys() & read)
        self.whole = frame.whole | (self.whole & since)
        self.extra = dict(frame.extra) if EXTRA not in read else _encoded_extra(self.document.__pydantic_extra__)
        noted, self.baseline = (
            self.baseline,
            {name: value for name, value in frame.baseline.items() if name not in read},
        )
        for name in noted.keys() & since:
            field = self.codec.by_name[name]
            if field.shape.mutable:
                self.baseline[name] = encoded(field, self.document.__dict__.get(name, MISSING))

    def _restore_read(self, frame: Frame, read: frozenset[str]) -> None:
        """Put back what was read again since a frame, which no frame has."""
        now, values = ModelState(self.document), self._state.values
        now.values.update((name, values[name]) for name in values.keys() & read)
        if EXTRA in read:
            now.extra = self._state.extra
        if NAMES in read:
            now.names = self._state.names
        now.restore(self.document)
        for name in self._records.keys() & read:
            self._records[name].keeping(frame.contents).restore()
        if EXTRA in read:
            for record in self._rest:
                record.restore()

    def before(self, path: str) -> Any:
        """Give the stored baseline at a dotted path of stored names; MISSING where there is nothing."""
        head, *rest = path.split(".")
        field = next((field for field in self.codec.fields if field.stored == head), None)
        if field is None:
            value = self.extra.get(head, MISSING)
        elif field.name in self.baseline:
            value = self.baseline[field.name]
            if type(value) is AsNoted:
                value = self.baseline[field.name] = value.stored()
        else:
            value = encoded(field, self.document.__dict__.get(field.name, MISSING))
        for part in rest:
            value = _step(value, part)
        return MISSING if value is UNSTORABLE else value


def _step(value: Any, part: str) -> Any:
    if is_dict(value):
        return value.get(part, MISSING)
    if is_array(value) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return MISSING


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
    except (CannotStore, RecursionError):
        return dict.fromkeys(extra, UNSTORABLE)
