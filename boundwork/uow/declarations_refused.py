"""What may be told of a server's words when it refuses a collection, an index or a validator.

Words about a declaration quote that alone, and say what nothing else does. An index build reads documents, and what it
says quotes them; so does much else, so only codes that are known to speak of declarations are believed.
"""

from collections.abc import Mapping
from typing import Any

from boundwork.uow.failures import SessionFailure

OF_DECLARATIONS = frozenset({2, 9, 14, 67, 72, 73, 197, 40324})
"""BadValue, FailedToParse, TypeMismatch, CannotCreateIndex, InvalidOptions, InvalidNamespace, an index's option, a stage."""
INDEX_BUILD = "Index build failed"
ELSEWHERE = "What it said is in `details` of the cause, with the values that it quotes."


def what_it_said(failure: SessionFailure) -> str:
    """Return the server's words as a sentence on one line; where they may quote documents, where they are to be found."""
    details: Mapping[str, Any] = getattr(failure.__cause__, "details", None) or {}
    words = " ".join(str(details.get("errmsg", "")).split())
    if not words or failure.code not in OF_DECLARATIONS or words.startswith(INDEX_BUILD):
        return ELSEWHERE
    return f"{words.rstrip('.')}."
