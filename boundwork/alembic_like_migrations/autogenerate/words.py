"""A word of `op` with its arguments, and a change: words that belong together, with what is to be said about them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from boundwork.alembic_like_migrations.autogenerate.differences import Difference


@dataclass(frozen=True, slots=True)
class Word:
    """One call: `op.name(*positional, **named)`."""

    name: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Words that end some differences; none where the server cannot do it, which `risk` then says.

    `drops` is for what is only proposed: it is written as a comment.
    """

    ends: tuple[Difference, ...]
    words: tuple[Word, ...]
    risk: str | None = None
    drops: bool = False
    about_view: bool = False
    wanted: bool = False

    @property
    def only_proposed(self) -> bool:
        """Tell whether the words are written as a comment."""
        return self.drops and not self.wanted

    def asked(self) -> "Change":
        """Return the same change as somebody wants it."""
        return replace(self, wanted=True)
