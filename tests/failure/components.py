"""Cycles in a directed graph: strongly connected components after Tarjan, without recursion, and reachability."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

Graph = Mapping[int, AbstractSet[int]]


def components(graph: Graph) -> list[set[int]]:
    """Return the strongly connected components of more than one node."""
    walk = _Walk(graph)
    for root in graph:
        walk.from_root(root)
    return walk.found


def reaches(graph: Graph, start: int, goal: int) -> bool:
    """Tell whether a path leads from one node to another."""
    seen = {start}
    front = [start]
    while front and goal not in seen:
        fresh = graph.get(front.pop(), set()) - seen
        seen |= fresh
        front += fresh
    return goal in seen


class _Walk:
    """Tarjan's walk: nodes in the order of their discovery, and the earliest that each can go back to."""

    def __init__(self, graph: Graph) -> None:
        self.found: list[set[int]] = []
        self._graph = graph
        self._order: dict[int, int] = {}
        self._lowest: dict[int, int] = {}
        self._path: list[int] = []
        self._on_path: set[int] = set()
        self._entered: list[tuple[int, Iterator[int]]] = []

    def from_root(self, root: int) -> None:
        if root not in self._order:
            self._enter(root)
        while self._entered:
            node, successors = self._entered[-1]
            for successor in successors:
                if successor not in self._order:
                    self._enter(successor)
                    break
                if successor in self._on_path:
                    self._lowest[node] = min(self._lowest[node], self._order[successor])
            else:
                self._leave(node)

    def _enter(self, node: int) -> None:
        self._order[node] = self._lowest[node] = len(self._order)
        self._path.append(node)
        self._on_path.add(node)
        self._entered.append((node, iter(self._graph.get(node, ()))))

    def _leave(self, node: int) -> None:
        self._entered.pop()
        if self._entered:
            parent = self._entered[-1][0]
            self._lowest[parent] = min(self._lowest[parent], self._lowest[node])
        if self._lowest[node] == self._order[node]:
            place = self._path.index(node)
            component = set(self._path[place:])
            del self._path[place:]
            self._on_path -= component
            if len(component) > 1:
                self.found.append(component)
