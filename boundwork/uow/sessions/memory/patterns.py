r"""How a server's regular expression becomes one of Python's.

The server's are PCRE: classes like \w mean ASCII, and some escapes exist on one side only. What has the same
meaning is translated; what has not is refused by name.
"""

import re
from collections.abc import Callable
from typing import Final

from bson import Regex

from boundwork.uow.sessions.memory.ordering import regex_letters
from boundwork.uow.sessions.memory.refusals import BAD_VALUE, INVALID_PATTERN, refused, server_refusal

_WHERE: Final = "regular expressions"
_FLAGS: Final = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}
_IN_CLASS: Final = {"d": "0-9", "w": "_A-Za-z0-9", "s": r" \t\n\r\f\v"}
_NO_WORD: Final = r"(?:(?!(?a:\w))(?s:.))"
# Not as (?a:\W) and the like: Python looks for where they can begin by the meaning that they have in Unicode.
_SHORT: Final = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": r"(?a:\w)",
    "W": _NO_WORD,
    "s": r"[ \t\n\r\f\v]",
    "S": r"[^ \t\n\r\f\v]",
    "b": r"(?a:\b)",
    "B": r"(?!(?a:\b))",
}
_SAME_ESCAPES: Final = "Anrtfa0123456789"
_HEXADECIMAL: Final = len(r"\x61")
_SAME_GROUPS: Final = ("(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<", "(?P=")
_PIECE: Final = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|\(\?(?:P[<=]|<?[=!]|.)|\(\*|\{,|.", re.DOTALL)
_ANCHORS: Final = ("^", r"\b", r"\B", r"\A", r"\z", r"\Z")
_LIMITS: Final = ("look-behind", "group reference", "cannot refer")
_TYPES: Final = re.compile(r"\\[dDwWsS]")
_REPETITION: Final = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")
_WITHOUT_CASE: Final = str.maketrans({"\u0130": "\ue000", "\u0131": "\ue001"})
"""The Turkish i with and without its dot: to PCRE they are no i, whatever its case, and to Python they are."""
_CLASS_PIECE: Final = re.compile(r"\\x[0-9A-Fa-f]{2}|\\.|\[:|--|.", re.DOTALL)


def compiled(pattern: str, options: str) -> re.Pattern[str]:
    """Compile a pattern with the server's option letters; raise SessionFailure if it cannot be."""
    if "\0" in pattern:
        raise server_refusal(BAD_VALUE, "a regular expression cannot hold a null byte")
    flags = 0
    for letter in options:
        if letter not in _FLAGS:
            raise refused(f"the option {letter!r}", _WHERE)
        flags |= _FLAGS[letter]
    if "x" in options and "#" in pattern:
        raise refused("# with the option 'x'", _WHERE)
    try:
        return re.compile(_translated(pattern, options), flags)
    except re.error as error:
        if any(limit in error.msg for limit in _LIMITS):
            raise refused(f"what Python does not: {error.msg}", _WHERE) from error
        raise server_refusal(INVALID_PATTERN, "the regular expression is invalid") from error


def compiled_value(value: "Regex[str]") -> Callable[[str], bool]:
    """Compile a pattern that stands as a value in a filter into a test of a text."""
    options = regex_letters(int(value.flags))
    if "i" not in options:
        matcher = compiled(value.pattern, options)
        return lambda text: matcher.search(text) is not None
    caseless = compiled(value.pattern.translate(_WITHOUT_CASE), options)
    return lambda text: caseless.search(text.translate(_WITHOUT_CASE)) is not None


def _translated(pattern: str, options: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            text, position = _class(pattern, position, caseless="i" in options)
            parts.append(text)
            continue
        match = _PIECE.match(pattern, position)
        piece = match[0] if match else pattern[position]
        parts.append(_outside_class(piece, multiline="m" in options))
        position += len(piece)
        if piece in _ANCHORS and _REPETITION.match(pattern, position):
            raise server_refusal(INVALID_PATTERN, "the regular expression repeats what cannot be repeated")
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
    if letter in _SHORT:
        return _SHORT[letter]
    if letter in "zZ":
        return r"\Z" if letter == "z" else r"(?=\n?\Z)"
    return _same_escape(piece)


def _class(pattern: str, start: int, *, caseless: bool) -> tuple[str, int]:
    """Translate the character class that begins at `start`; return it and where it ends."""
    position = start + 1
    negated = pattern[position : position + 1] == "^"
    position += negated
    pieces: list[str] = []
    if pattern[position : position + 1] == "]":
        pieces.append(r"\]")
        position += 1
    while position < len(pattern) and pattern[position] != "]":
        match = _CLASS_PIECE.match(pattern, position)
        pieces.append(match[0] if match else pattern[position])
        position += len(pieces[-1])
    if position >= len(pattern):
        raise server_refusal(INVALID_PATTERN, "the regular expression is invalid")
    _refuse_odd_hyphens(pieces)
    # Which letters are of a word does not depend on their case, and with a range it would.
    words = caseless and r"\w" in pieces
    inner = "".join(_inside_class(piece) for piece in pieces if not words or piece != r"\w")
    text = f"[{'^' * negated}{inner}]"
    if words and negated:
        text = rf"(?:(?!(?a:\w)){text})" if inner else _NO_WORD
    elif words:
        text = rf"(?:(?a:\w)|{text})" if inner else r"(?a:\w)"
    return text, position + 1


def _refuse_odd_hyphens(pieces: list[str]) -> None:
    for before, piece, after in zip(pieces, pieces[1:], pieces[2:], strict=False):
        if piece == "-" and (_TYPES.fullmatch(before) or _TYPES.fullmatch(after)):
            raise refused(f"{before}-{after} in a character class", _WHERE)


def _inside_class(piece: str) -> str:
    if piece in ("[:", "--"):
        raise refused(f"{piece} in a character class", _WHERE)
    if piece in ("[", "&", "|", "~", "^"):
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
