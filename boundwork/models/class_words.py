"""What is said of a keyword that the class statement of a model does not know.

Type checkers let every keyword pass, since metaclasses and mixins may take some, and Python's own error names none.
"""

import difflib
from inspect import Parameter, signature
from typing import Any


def unknown_word(model: type[Any], word: str) -> TypeError:
    """Return the error for a keyword that nobody took; it names the nearest one that the class does take, or all."""
    takers: list[Any] = [getattr(vars(base).get("__init_subclass__"), "__func__", None) for base in model.__mro__]
    written = [taker for taker in takers if taker is not None]  # that of Generic is built in from Python 3.12 on
    parameters = [parameter for taker in written for parameter in signature(taker).parameters.values()]
    known = sorted({each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY})
    nearest = difflib.get_close_matches(word, known, n=1)
    own = f"{', '.join(known)}, and " if known else ""
    advice = f"Did you mean {nearest[0]!r}?" if nearest else f"It takes {own}what pydantic takes, as frozen."
    return TypeError(f"{model.__name__}: its class statement does not take {word!r}. {advice}")
