"""Reads of documents of several versions, as commands for what is stored, and what comes back as it would be."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from boundwork.models.kinds import is_array, is_document
from boundwork.models.upcasts.lineage import Lineage
from boundwork.uow.batches import cut
from boundwork.uow.commands import Count, Distinct, Find, Options
from boundwork.uow.sessions.memory.encoding import as_stored, decode
from boundwork.uow.sessions.memory.ordering import order_key
from boundwork.uow.sessions.memory.projecting import compile_projection
from boundwork.uow.sessions.memory.querying import sort_key
from boundwork.uow.upcasting.documents import Opened, encoded, opened
from boundwork.uow.upcasting.filters import Condition, translated
from boundwork.uow.upcasting.places import Untranslatable
from boundwork.uow.upcasting.portions import Place, both, filtered, places, portions, touches

NEAR = frozenset({"$near", "$nearSphere", "$geoNear"})


def finds(command: Find, lineage: Lineage, *, collated: bool) -> list[Find]:
    """Return the finds whose results together hold what is asked for. Raises Untranslatable."""
    condition = as_stored(command.filter)
    parts = portions(condition, command.sort, lineage)
    projection = None if needs_whole(command, lineage) else command.projection
    if len(parts) == 1:
        if parts[0].condition is condition:
            return [replace(command, projection=projection)]
        check(condition, command.options, collated=collated)
        return [replace(command, filter=parts[0].condition, projection=projection)]
    check(condition, command.options, collated=collated)
    limit = command.skip + command.limit if command.limit else 0
    return [
        replace(command, filter=part.condition, sort=part.sort, skip=0, limit=limit, projection=None) for part in parts
    ]


def single(asked: Sequence[Find]) -> Find:
    """Return the only find. Raises Untranslatable for several."""
    if len(asked) > 1:
        raise Untranslatable("a stream cannot be sorted by what an upcast changes")
    return asked[0]


def counted(command: Count, lineage: Lineage, *, collated: bool) -> Count:
    """Return the count of documents of all versions. Raises Untranslatable."""
    return replace(command, filter=matching(command.filter, command.options, lineage, collated=collated))


def matching(given: Condition, options: Options, lineage: Lineage, *, collated: bool) -> Condition:
    """Return the filter for documents of all versions. Raises Untranslatable."""
    condition = as_stored(given)
    found = filtered(condition, lineage)
    if found is condition:
        return given
    check(condition, options, collated=collated)
    return found


def distincts(command: Distinct, lineage: Lineage, *, collated: bool) -> list[tuple[Place, Distinct]]:
    """Return the reads of a path's values in documents of all versions. Raises Untranslatable."""
    if not touches(command.path, lineage):
        found = matching(command.filter, command.options, lineage, collated=collated)
        return [(Place(command.path), replace(command, filter=found))]
    condition = as_stored(command.filter)
    check(condition, command.options, collated=collated)
    parts = [(Place(command.path), both(lineage.current, condition))]
    for version in lineage.old:
        upcasts = lineage.since(version)
        old = both(lineage.stored_in(version), translated(condition, upcasts))
        parts += [(place, both(old, place.condition)) for place in places(command.path, upcasts)]
    return [(place, replace(command, path=place.path or "_id", filter=part)) for place, part in parts]


def check(condition: Condition, options: Options, *, collated: bool) -> None:
    """Refuse what would not mean the same in the alternatives of several versions."""
    if collated or options.collation is not None:
        raise Untranslatable("texts are compared by the rules of a language")
    if options.hint is not None:
        raise Untranslatable("an index is named, which may not know documents of old versions")
    if NEAR & set(names_in(condition)):
        raise Untranslatable("the server looks for what is near in one form of documents only")


def names_in(condition: Any) -> Iterator[str]:
    """Yield all names in a filter."""
    if is_document(condition):
        for name, part in condition.items():
            yield name
            yield from names_in(part)
    elif is_array(condition):
        for part in condition:
            yield from names_in(part)


def needs_whole(command: Find, lineage: Lineage) -> bool:
    """Tell whether old documents are needed whole before a projection can be made."""
    projection = command.projection
    if not projection:
        return True
    excludes = any(not value for path, value in projection.items() if path != "_id")
    return lineage.computes or excludes or any(touches(path, lineage) for path in projection)


def read(batches: Sequence[bytes], collection: str, lineage: Lineage) -> list[Opened]:
    """Return stored documents as those of the present version."""
    return [opened(collection, lineage, decode(document)) for document in cut(batches)]


def arranged(command: Find, found: Sequence[Opened]) -> list[bytes]:
    """Return documents of several portions in order, and of those the part that was asked for."""
    key: Any = sort_key(command.sort)
    in_order = [one.fields for one in sorted(found, key=key)]
    return closed(command, in_order[command.skip : command.skip + command.limit if command.limit else None])


def closed(command: Find, found: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return documents as a reply, with the fields that were asked for."""
    if command.projection:
        project = compile_projection(command.projection)
        found = [project(fields) for fields in found]
    return [b"".join(map(encoded, found))] if found else []


def listed(values: Sequence[Any]) -> list[bytes]:
    """Return values as the reply of a distinct, each once."""
    once = {order_key(value): value for value in reversed(values)}
    return [encoded({"v": value}) for value in once.values()]
