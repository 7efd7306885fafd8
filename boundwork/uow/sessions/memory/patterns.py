r"""How a server's regular expression becomes one of Python's.

The server's are PCRE: classes like \w mean ASCII, and some escapes exist on one side only. What has the same
meaning is translated; what has not is refused by name.
"""

import re
from typing import Final

from bson import Regex

from boundwork.uow.sessions.memory.ordering import regex_letters
from boundwork.uow.sessions.memory.refusals import INVALID_PATTERN, refused, server_refusal

_WHERE: Final = "regular expressions"
_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_IN_CLASS: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": r" \t\n\r\f\v"}
_SAME_ESCAPES: Final = "Anrtfa0123456789"
_HEXADECIMAL: Final = len(r"\x61")
_SAME_GROUPS: Final = ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<", "(?P=")
_PIECE: Final = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|\(\?(?:P[<=]|<?[=!]|.)|\(\*|\{,|.", re.DOTALL)
_CLASS_PIECE: Final = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|\[:|--|.", re.DOTALL)


def compiled(pattern: str, options: str) -> re.Pattern[str]:
    """Compile a pattern with the server's option letters; raise SessionFailure if it cannot be."""
    flags = 0
    for letter in options:
        if letter not in _FLAGS:
            raise refused(f"the option {letter!r}", _WHERE)
        flags |= _FLAGS[letter]
    try:
        return re.compile(_translated(pattern, multiline="m" in options), flags)
    except re.error as error:
        raise server_refusal(INVALID_PATTERN, "the regular expression is invalid") from error


def compiled_value(value: "Regex[str]") -> re.Pattern[str]:
    """Compile a pattern that stands as a value in a filter."""
    return compiled(value.pattern, regex_letters(int(value.flags)))


def _translated(pattern: str, *, multiline: bool) -> str:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            text, position = _class(pattern, position)
            parts.append(text)
            continue
        match = _PIECE.match(pattern, position)
        piece = match[0] if match else pattern[position]
        parts.append(_outside_class(piece, multiline=multiline))
        position += len(piece)
    return "".join(parts)


def _outside_class(piece: str, *, multiline: bool) -> str:
    if multiline and piece == "^":
        # PCRE's ^ does not match after a line break that ends the text.
        return r"(?:\A|^(?!\Z))"
    if piece in ("{,", "(*") or (piece.startswith("(?") and piece not in _SAME_GROUPS):
        raise refused(piece, _WHERE)
    if piece[0] != "\\" or len(piece) == 1:
        return piece
    letter = piece[1]
    if letter in "dDwWsSbB":
        return f"(?a:{piece})"
    if letter in "zZ":
        return r"\Z" if letter == "z" else r"(?=\n?\Z)"
    return _same_escape(piece)


def _class(pattern: str, start: int) -> tuple[str, int]:
    """Translate the character class that begins at `start`; return it and where it ends."""
    position = start + 1
    parts = ["["]
    if pattern[position : position + 1] == "^":
        parts.append("^")
        position += 1
    if pattern[position : position + 1] == "]":
        parts.append(r"\]")
        position += 1
    while position < len(pattern) and pattern[position] != "]":
        match = _CLASS_PIECE.match(pattern, position)
        piece = match[0] if match else pattern[position]
        parts.append(_inside_class(piece))
        position += len(piece)
    if position >= len(pattern):
        raise server_refusal(INVALID_PATTERN, "the regular expression is invalid")
    return "".join((*parts, "]")), position + 1


def _inside_class(piece: str) -> str:
    if piece in ("[:", "--"):
        raise refused(f"{piece} in a character class", _WHERE)
    if piece in ("[", "&", "|", "~"):
        return "\\" + piece
    if piece[0] != "\\" or len(piece) == 1:
        return piece
    letter = piece[1]
    if letter in _IN_CLASS:
        return _IN_CLASS[letter]
    if letter == "b":
        return r"\x08"
    if letter in "Az":
        raise refused(piece, _WHERE)
    return _same_escape(piece)


def _same_escape(piece: str) -> str:
    if piece[1].isalnum() and piece[1] not in _SAME_ESCAPES and len(piece) != _HEXADECIMAL:
        raise refused(piece, _WHERE)
    return piece
