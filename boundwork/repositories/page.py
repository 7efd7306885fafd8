"""A page of a result, and how it is fetched: by the values where it begins, never by counting.

So pages stay right while documents come and go: what was inserted before the position moves nothing, and a page costs
the same wherever it lies. One document more than the page is asked for, to know whether there is another page.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from boundwork.models.bson_types import decode_all
from boundwork.models.mapper import Mapper
from boundwork.repositories import tokens
from boundwork.repositories.keyset import Order, after, check_sortable, position_of
from boundwork.repositories.tokens import Position
from boundwork.uow.commands import Options

ItemT = TypeVar("ItemT")
ID = "_id"


@dataclass(frozen=True, slots=True, repr=False)
class Page(Generic[ItemT]):
    """A part of a result: `items`, and the tokens of the `next` and the `previous` page, None where there is none."""

    items: list[ItemT]
    next: str | None
    previous: str | None

    def __iter__(self) -> Iterator[ItemT]:
        """Iterate over the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    def __repr__(self) -> str:
        """Show how much there is, and no contents."""
        more = [name for name, token in (("next", self.next), ("previous", self.previous)) if token is not None]
        return f"<Page of {len(self.items)}{', has ' + ' and '.join(more) if more else ''}>"


class PageRequest:
    """What is asked for one page: the order, the filter for its beginning, and the tokens that its documents give."""

    def __init__(self, model: type[BaseModel], collection: str, order: Order, *, key: bytes | str | None) -> None:
        """Take a sort, made total by `_id`; TypeError for a field that a page cannot follow."""
        for path, _ in order:
            check_sortable(model, path)
        self._order = _total(order)
        self._mark = tokens.mark_of(collection, self._order)
        self._key = tokens.key_of(key)
        self._start: Position | None = None

    def begin_at(self, token: object) -> None:
        """Begin where a token says; InvalidPageToken if it is none of this query."""
        self._start = tokens.read(token, self._mark, len(self._order), self._key)

    @property
    def order(self) -> Order:
        """The order in which documents are asked for."""
        return tokens.in_reverse(self._order) if self._back else self._order

    @property
    def paths(self) -> tuple[str, ...]:
        """The stored paths that a token is made of."""
        return tuple(path for path, _ in self._order)

    @property
    def condition(self) -> dict[str, object]:
        """The filter for what comes after the beginning; {} for the first page."""
        if self._start is None:
            return {}
        return after(self.order, self._start.values, inclusive=self._start.inclusive)

    @property
    def _back(self) -> bool:
        return self._start is not None and self._start.back

    def page(self, size: int, found: Sequence[bytes], made: Callable[[Sequence[bytes]], list[ItemT]]) -> Page[ItemT]:
        """Return the page of stored documents in the order that they came, of which one may be more than its size."""
        kept = found[:size]
        onward = self._token_at(kept[-1], back=self._back) if len(found) > size else None
        behind = self._behind(kept)
        if self._back:
            return Page(made(kept[::-1]), next=behind, previous=onward)
        return Page(made(kept), next=onward, previous=behind)

    def _behind(self, kept: Sequence[bytes]) -> str | None:
        """Return the token for where the page was come from; an empty page is left the way it was entered."""
        start = self._start
        if start is None:
            return None
        if kept:
            return self._token_at(kept[0], back=not start.back)
        return self._written(Position(start.values, back=not start.back, inclusive=not start.inclusive))

    def _token_at(self, stored: bytes, *, back: bool) -> str:
        document = decode_all(stored)[0]
        return self._written(Position(tuple(position_of(document, self._order)), back=back))

    def _written(self, position: Position) -> str:
        return tokens.written(position, self._mark, self._key)


def _total(order: Order) -> Order:
    """Return an order in which no two documents are equal: nothing matters behind `_id`, which is unique."""
    paths = [path for path, _ in order]
    if ID in paths:
        return tuple(order[: paths.index(ID) + 1])
    return (*order, (ID, order[-1][1] if order else 1))


def refuse_collation(mapper: Mapper[Any], options: Options) -> None:
    """Raise ValueError where a collation could make two ids equal: then `_id` does not end the order."""
    if options.collation is not None and "str" in mapper.codec.by_name["id"].shape.kinds:
        raise ValueError("page and collation do not go together where ids are text: two of them may be equal in it.")
