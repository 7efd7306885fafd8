"""What the text of a driver's error says: what happened, and none of the values that it happened to.

The texts of servers and of the encoder quote keys, whole documents and commands, and a printed traceback prints them
with the cause. So the text is replaced before the error becomes a cause. Its class, code, labels and `details` stay: there
a program finds all that the server said.
"""

from collections.abc import Iterator

from bson.errors import BSONError
from pymongo.errors import InvalidOperation, OperationFailure


def unquoted(error: BaseException) -> None:
    """Take the quoting texts out of an error and of those that it came from."""
    for each in _chain(error):
        if isinstance(each, OperationFailure):
            each.args = (_said(each),)
        elif isinstance(each, UnicodeEncodeError):
            each.object, each.args = "", (each.encoding, "", each.start, each.end, each.reason)
        elif isinstance(each, BSONError | TypeError | OverflowError) and not isinstance(each, InvalidOperation):
            each.args = (f"A value could not be encoded ({type(each).__name__}).",)


def _said(error: OperationFailure) -> str:
    details = error.details if isinstance(error.details, dict) else {}
    name = details.get("codeName")
    code = f"code {error.code}" if error.code is not None else "no code"
    named = f"{name}, {code}" if isinstance(name, str) else code
    return f"The server refused a command ({named}). What it said is in `details`, with the values that it quotes."


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        inner = getattr(each, "error", None)  # of a bulk over several collections
        waiting.append(inner if isinstance(inner, BaseException) else None)
