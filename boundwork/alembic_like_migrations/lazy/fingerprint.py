"""What an upcast means, as a short text: the ledger keeps it, so that a finisher notices that the upcast was changed.

The checksum of a revision file does not cover what the file imports, and the upcast is imported. Functions count by their
source, without comments and formatting, where it can be read.
"""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from bson import encode

from boundwork.alembic_like_migrations.checksum import checksum
from boundwork.models.upcasts.upcast import OPTIONS, Upcast

DIGITS = 16


def fingerprint(upcast: Upcast) -> str:
    """Return the same text for upcasts that mean the same, in every process."""
    digest = hashlib.sha256(str(upcast.to).encode())
    for title, values, functions in upcast.facts():
        digest.update(title.encode() + encode(values, codec_options=OPTIONS))
        for function in functions:
            digest.update(_meaning(function).encode())
    return digest.hexdigest()[:DIGITS]


def _meaning(function: Callable[..., Any]) -> str:
    try:
        return checksum(ast.parse(textwrap.dedent(inspect.getsource(function))))
    except (OSError, TypeError, SyntaxError):
        return getattr(function, "__qualname__", type(function).__qualname__)
