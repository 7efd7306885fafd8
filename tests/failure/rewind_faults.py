"""Faults to plant in the library, each of which lets objects lie after a rollback or a reading.

They show that the programs of the rewind tests find such faults.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from pytest import MonkeyPatch  # noqa: PT013 - a type here, and nothing else of pytest

from boundwork.models import encoders, mapper, restore, touched
from boundwork.models.restore import ModelState, Record
from boundwork.models.tracking import Tracker
from boundwork.uow import pending, savepoints, unit
from boundwork.uow.identity_map import IdentityMap
from boundwork.uow.pending import Pending
from boundwork.uow.workspace import Workspace
from tests.failure.rewind_planting import FAULTS, fault, instead, nothing, skipping, without

Changes = touched.Changes
__all__ = ["FAULTS", "SOON_FOUND"]
SOON_FOUND = (
    "the names of fields that were set stay",
    "private values stay",
    "lists stay",
    "embedded models stay",
    "lists are replaced by equal ones",
    "stored fields that a model does not know are lost",
    "added documents stay known",
    "a reading moves all there is to go back to",
)
"""The faults that the tests plant in each run: a few programs find each."""


def _no_fields(_: Any) -> dict[str, Any]:
    return {}


def _first(first: Any, _: Any) -> Any:
    return first


def _second(_: Any, second: Any) -> Any:
    return second


# What an object was


@fault
def _the_names_of_fields_that_were_set_stay(patch: MonkeyPatch) -> None:
    without(patch, "restore", "names")


@fault
def _private_values_stay(patch: MonkeyPatch) -> None:
    without(patch, "restore", "private")


@fault
def _extra_values_stay(patch: MonkeyPatch) -> None:
    without(patch, "restore", "extra")


@fault
def _what_is_in_private_values_stays(patch: MonkeyPatch) -> None:
    def make(begin: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any) -> None:
            begin(self)
            self._rest = ()

        return faulty

    instead(patch, Changes, "_begin", make)


@fault
def _private_values_of_parts_stay(patch: MonkeyPatch) -> None:
    instead(patch, restore, "_restore_model", lambda _: _values_only)


def _values_only(model: Any, contents: Any) -> None:
    values = contents.values if isinstance(contents, ModelState) else contents
    model.__dict__.clear()
    model.__dict__.update(values)


@fault
def _lists_stay(patch: MonkeyPatch) -> None:
    skipping(patch, lambda value: type(value) is list)


@fault
def _lists_in_lists_and_dicts_stay(patch: MonkeyPatch) -> None:
    def make(note: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any, values: Iterable[Any]) -> None:
            if not (self._seen and type(self._seen[-1]) in {list, dict}):
                note(self, values)

        return faulty

    instead(patch, Record, "_note", make)


@fault
def _sets_stay(patch: MonkeyPatch) -> None:
    skipping(patch, lambda value: type(value) is set)


@fault
def _embedded_models_stay(patch: MonkeyPatch) -> None:
    skipping(patch, lambda value: hasattr(value, "model_fields_set"))


@fault
def _deleted_keys_of_a_dict_do_not_come_back(patch: MonkeyPatch) -> None:
    def make(restored: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any) -> None:
            dicts: list[Any] = [value for value in self._seen[::2] if type(value) is dict]
            left: list[set[Any]] = [set(value) for value in dicts]
            restored(self)
            for value, keys in zip(dicts, left, strict=True):
                for key in value.keys() - keys:
                    del value[key]

        return faulty

    instead(patch, Record, "restore", make)


@fault
def _lists_are_replaced_by_equal_ones(patch: MonkeyPatch) -> None:
    def make(put_back: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any) -> None:
            put_back(self)
            values: dict[str, Any] = self.document.__dict__
            lists: dict[str, list[Any]] = {name: value for name, value in values.items() if type(value) is list}
            values.update({name: value.copy() for name, value in lists.items()})

        return faulty

    instead(patch, Changes, "_put_back", make)


@fault
def _a_part_that_two_documents_share_stays(patch: MonkeyPatch) -> None:
    def make(rewind: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Tracker, *kept: Any) -> None:
            parts: list[Any] = [vars(changes.document).get("part") for changes in self.touched.values()]
            shared: list[Any] = [part for part in parts if part and sum(part is other for other in parts) > 1]
            left: list[dict[str, Any]] = [{**part.__dict__} for part in shared]
            rewind(self, *kept)
            for part, values in zip(shared, left, strict=True):
                part.__dict__.update(values)

        return faulty

    instead(patch, Tracker, "rewind", make)


@fault
def _a_commit_is_no_point_to_go_back_to(patch: MonkeyPatch) -> None:
    patch.setattr(Changes, "mark", nothing)


@fault
def _a_flush_becomes_the_point_to_go_back_to(patch: MonkeyPatch) -> None:
    def make(flushed: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any) -> None:
            flushed(self)
            self.mark()

        return faulty

    instead(patch, Changes, "flushed", make)


@fault
def _what_was_stored_is_not_put_back_with_the_object(patch: MonkeyPatch) -> None:
    patch.setattr(Changes, "accept", nothing)


@fault
def _stored_fields_that_a_model_does_not_know_are_lost(patch: MonkeyPatch) -> None:
    patch.setattr(encoders, "unknown_fields", _no_fields)


@fault
def _a_part_held_from_before_is_not_watched(patch: MonkeyPatch) -> None:
    patch.setattr(pending, "is_held", nothing)


# Documents that come and go


@fault
def _added_documents_stay_known(patch: MonkeyPatch) -> None:
    def make(rewind: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any) -> None:
            with MonkeyPatch.context() as inner:
                inner.setattr(IdentityMap, "forget", nothing)
                rewind(self)

        return faulty

    instead(patch, Workspace, "rewind", make)


@fault
def _added_documents_stay_attached(patch: MonkeyPatch) -> None:
    patch.setattr(Tracker, "detach", nothing)


@fault
def _removed_documents_stay_removed(patch: MonkeyPatch) -> None:
    patch.setattr(Pending, "missed", _no_fields)


@fault
def _withdrawn_documents_are_forgotten(patch: MonkeyPatch) -> None:
    def make(withdraw: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any, document: Any) -> Any:
            known = withdraw(self, document)
            self.withdrawn.pop(id(document), None)
            self.born.pop(id(document), None)
            return known

        return faulty

    instead(patch, Pending, "withdraw", make)


# Savepoints


@fault
def _edits_in_a_savepoint_are_not_undone(patch: MonkeyPatch) -> None:
    patch.setattr(Changes, "restore", nothing)


@fault
def _documents_first_touched_in_a_savepoint_are_not_undone(patch: MonkeyPatch) -> None:
    def make(rewind: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(work: Any, savepoint: Any) -> None:
            with MonkeyPatch.context() as inner:
                inner.setattr(Changes, "rewind", nothing)
                rewind(work, savepoint)

        return faulty

    instead(patch, savepoints, "_rewind", make)


@fault
def _what_was_stored_at_a_savepoint_is_not_put_back(patch: MonkeyPatch) -> None:
    def make(restored: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any, frame: Any) -> None:
            baseline = self.baseline
            restored(self, frame)
            self.baseline = baseline

        return faulty

    instead(patch, Changes, "restore", make)


@fault
def _what_a_savepoint_added_and_removed_stays_pending(patch: MonkeyPatch) -> None:
    def make(rewind: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(work: Any, savepoint: Any) -> None:
            with MonkeyPatch.context() as inner:
                inner.setattr(Pending, "take", nothing)
                rewind(work, savepoint)

        return faulty

    instead(patch, savepoints, "_rewind", make)


@fault
def _what_a_savepoint_sent_is_not_undone(patch: MonkeyPatch) -> None:
    def make(undo: Callable[..., Any]) -> Callable[..., Any]:
        async def faulty(core: Any, savepoint: Any) -> Any:
            savepoint.recorded = len(core.workspace.log.records)
            return await undo(core, savepoint)

        return faulty

    instead(patch, unit, "undo", make)


@fault
def _a_removal_that_is_undone_leaves_a_document_unguarded(patch: MonkeyPatch) -> None:
    def make(know: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(work: Any, entry: Any, present: Any, **_: Any) -> None:
            know(work, entry, present, unread=False)

        return faulty

    instead(patch, savepoints, "_know", make)


# Readings


@fault
def _a_reading_moves_all_there_is_to_go_back_to(patch: MonkeyPatch) -> None:
    def faulty(self: ModelState, _: ModelState, then: ModelState) -> frozenset[str]:
        self.private = then.private
        return frozenset({*self.values, restore.EXTRA, restore.NAMES})

    patch.setattr(ModelState, "reread", faulty)
    patch.setattr(Record, "keeping", _first)


@fault
def _a_part_in_a_changed_field_goes_back_to_its_reading(patch: MonkeyPatch) -> None:
    patch.setattr(Record, "keeping", _first)


@fault
def _a_reading_moves_nothing_to_go_back_to(patch: MonkeyPatch) -> None:
    def faulty(self: Any, _: Any) -> None:
        self.accept()

    patch.setattr(Changes, "renew", faulty)


@fault
def _a_reading_cuts_off_what_is_held(patch: MonkeyPatch) -> None:
    patch.setattr(mapper, "renewed", _second)


@fault
def _a_reading_cuts_off_extra_values_that_are_held(patch: MonkeyPatch) -> None:
    patch.setattr(mapper, "renewed_extra", _second)


@fault
def _a_reading_forgets_private_values(patch: MonkeyPatch) -> None:
    def make(reload: Callable[..., Any]) -> Callable[..., Any]:
        def faulty(self: Any, document: Any, *arguments: Any, **words: Any) -> None:
            reload(self, document, *arguments, **words)
            with suppress(AttributeError):
                document.__pydantic_private__.clear()

        return faulty

    instead(patch, mapper.Mapper, "reload", make)
