"""What the database in memory keeps of a declared structure: its collections and plain unique indexes.

Other indexes would change nothing a test can see, and validators are not checked here; all of that is named in the
report, so that nobody takes it for kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from boundwork.models.structure.declared import DeclaredCollection, DeclaredIndex, StoredOptions
from boundwork.uow.sessions.memory.refusals import refused

if TYPE_CHECKING:
    from boundwork.uow.sessions.memory.store import MemoryDatabase


class MemoryStructure:
    """A `StructureSession` of a `MemoryDatabase`."""

    def __init__(self, database: "MemoryDatabase") -> None:
        """Ask this database."""
        self._store = database

    def kept(self, declared: DeclaredCollection) -> tuple[DeclaredCollection, tuple[str, ...]]:
        """Return the collection with its plain unique indexes, and the paths of what is left out."""
        plain = StoredOptions()
        options = [name for name in plain.__slots__ if getattr(declared.options, name) != getattr(plain, name)]
        left = [f"{declared.name}.options.{name}" for name in options]
        left += [f"{declared.name}.indexes.{index.name}" for index in declared.indexes if not _is_kept(index)]
        indexes = tuple(_as_kept(index) for index in declared.indexes if _is_kept(index))
        return replace(declared, options=plain, indexes=indexes), tuple(left)

    async def command(self, command: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out one of the commands that `ensure` sends."""
        match next(iter(command)):
            case "listCollections":
                names: Sequence[str] = command["filter"]["name"]["$in"]
                return _batch([{"name": name} for name in names if self._store.was_created(name)])
            case "listIndexes":
                return _batch([_listed(key) for key in self._store.unique_keys(command["listIndexes"])])
            case "create":
                self._store.create(command["create"])
                return {}
            case "createIndexes":
                for index in command["indexes"]:
                    self._store.create_unique_index(
                        command["createIndexes"], *index["key"], sparse=index.get("sparse", False), name=index["name"]
                    )
                return {}
            case word:
                raise refused(word, "migrations")


def _is_kept(index: DeclaredIndex) -> bool:
    plain = all(isinstance(kind, int) and "$**" not in path for path, kind in index.keys)
    return index.unique and plain and index.where is None and index.collation is None


def _as_kept(index: DeclaredIndex) -> DeclaredIndex:
    """Forget direction and the like: they do not matter to uniqueness."""
    keys = tuple((path, 1) for path, _ in index.keys)
    return DeclaredIndex(name=index.name, keys=keys, unique=True, sparse=index.sparse)


def _listed(key: Any) -> dict[str, Any]:
    return {"name": key.name, "key": dict.fromkeys(key.paths, 1), "unique": True, "sparse": key.sparse}


def _batch(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cursor": {"id": 0, "firstBatch": entries}}
