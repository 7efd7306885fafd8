"""The base of all errors of boundwork: text and facts, pickled together."""

from typing import Any


class BoundworkError(Exception):
    """Base of all errors of boundwork."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle text and attributes, whatever the signature of the class."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[BoundworkError], args: tuple[Any, ...], facts: dict[str, Any]) -> BoundworkError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(facts)
    return error
