"""How a database that has all of what a squash replaces notes the squash as applied: in one fenced transaction.

Nothing is run. The records of what was replaced stay as history and name the squash; from then on only it counts. A
crash leaves all of this or nothing.
"""

from collections.abc import Mapping
from dataclasses import replace

from boundwork.alembic_like_migrations.engine.ledger import Ledger, Record
from boundwork.alembic_like_migrations.engine.server import Server
from boundwork.alembic_like_migrations.graph import Graph


def seen_by(graph: Graph, records: Mapping[str, Record]) -> Graph:
    """Return a graph as the database of these records sees it. Raises PartlyReplaced."""
    applied = frozenset(revision for revision, record in records.items() if record.applied)
    begun = frozenset(revision for revision, record in records.items() if record.direction is not None)
    return graph.seen_by(applied, begun)


def replaced_by(records: Mapping[str, Record]) -> dict[str, str]:
    """Return the squash of each revision that stays as history, by id."""
    return {name: record.replaced_by for name, record in records.items() if record.replaced_by is not None}


def adopted(seen: Graph, records: Mapping[str, Record]) -> dict[str, Record]:
    """Return the records as they are once the squashes are noted that stand for what is applied."""
    after = dict(records)
    for squash in seen.view.adopting:
        one = seen.everything[squash]
        older = [name for name, by in replaced_by(after).items() if by in one.replaces]
        for revision in (*one.replaces, *older):
            after[revision] = replace(after[revision], replaced_by=squash)
        left = tuple(step for name in one.replaces for step in after[name].finish)
        made = tuple(dict.fromkeys(name for replaced in one.replaces for name in after[replaced].made))
        pruned = any(after[name].pruned for name in one.replaces)
        after[squash] = Record(squash, "applied", one.checksum, finish=left, made=made, pruned=pruned)
    return after


async def adopt(server: Server, seen: Graph, records: Mapping[str, Record]) -> dict[str, Record]:
    """Note these squashes, all or nothing, and return the records as they are then."""
    after = adopted(seen, records)
    changed = [record for name, record in after.items() if record is not records.get(name)]
    if changed:
        await Ledger(server).put(*changed)
    return after
