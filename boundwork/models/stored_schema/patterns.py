r"""Regular expressions of pydantic in the dialect of the server, or nothing.

pydantic matches with Rust's engine, the server with PCRE: `$` and `\d` mean different things, classes have another
grammar, and PCRE knows fewer characters. What is carried over accepts whatever Rust accepts: a class of letters also
takes the characters that PCRE's older tables do not know. What is not understood here is not carried over.
"""

import re

_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d{1,4}(?:,(?:\d{1,4})?)?\})\??")
_HEX = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[xuU]\{([0-9a-fA-F]{1,6})\}")
_CATEGORY = re.compile(r"[pP](?:([LMNPSZC])|\{([LMNPSZC][a-z]?)\})")
_GROUP = re.compile(r"\((?:\?:|\?P?<[A-Za-z_]\w*>)?(?!\?|\*)")
_CONTROLS = {"n": "\\n", "t": "\\t", "r": "\\r", "f": "\\f", "v": "\\x0b", "a": "\\x07"}
_PUNCTUATION = frozenset(r"\.+*?()|[]{}^$#&-~/:;,!%'\"@_` =")
_UNKNOWN = r"\p{Cn}"
_DIGIT = r"\p{Nd}"
_WORD = (
    r"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{200C}\x{200D}\x{24B6}-\x{24E9}"
    r"\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}"
)
_SPACE = r"\x09-\x0d\x20\x85\xa0\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}


class Uncarried(Exception):
    """A pattern has a part whose meaning differs, or is not known to be the same."""


def carried(pattern: str) -> str:
    """Return the pattern for the server; raise Uncarried naming the part that stands in the way."""
    return _Carrier(pattern).run()


class _Carrier:
    """Goes through a pattern once, from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.repeatable = False

    def run(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern):
            parts.append(self._part())
        return "".join(parts)

    def _part(self) -> str:
        char = self.pattern[self.at]
        if char in "*+?{":
            return self._quantifier()
        self.repeatable = char not in "(|^$"
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        self.at += 1
        return r"\z" if char == "$" else _literal(char)

    def _quantifier(self) -> str:
        found = _QUANTIFIER.match(self.pattern, self.at)
        if found is None or not self.repeatable:
            raise Uncarried(self.pattern[self.at : self.at + 3])
        self.repeatable = False  # PCRE takes a second one for possessive
        self.at = found.end()
        return found[0]

    def _group(self) -> str:
        found = _GROUP.match(self.pattern, self.at)
        if found is None:
            raise Uncarried(self.pattern[self.at : self.at + 3])
        self.at = found.end()
        return "(?:"

    def _take(self, expression: "re.Pattern[str]") -> "re.Match[str] | None":
        found = expression.match(self.pattern, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def _escape(self) -> str:
        """Carry an escape outside of a class."""
        self.at += 1
        char = self.pattern[self.at : self.at + 1]
        if char.lower() in _CLASSES and char:
            self.at += 1
            inner = _CLASSES[char.lower()]
            return f"[^{inner}]" if char.isupper() else f"[{_with_unknown(char, inner)}]"
        if char in {"A", "z"}:
            self.at += 1
            self.repeatable = False
            return f"\\{char}"
        if char in {"p", "P"}:
            category = self._category()
            return category if char == "P" else f"[{category}{_UNKNOWN}]"
        return self._character()

    def _category(self) -> str:
        found = self._take(_CATEGORY)
        if found is None:
            raise Uncarried(self.pattern[self.at - 1 : self.at + 6])
        return f"\\{found[0][0]}{{{found[1] or found[2]}}}"

    def _character(self) -> str:
        """Carry an escape that stands for one character; the backslash was read."""
        if found := self._take(_HEX):
            return f"\\x{{{found[1] or found[2] or found[3] or found[4]}}}"
        char = self.pattern[self.at : self.at + 1]
        self.at += 1
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char and char in _PUNCTUATION:
            return f"\\{char}"
        raise Uncarried(f"\\{char}")

    def _class(self) -> str:
        self.at += 1
        negated = self.pattern[self.at : self.at + 1] == "^"
        self.at += negated
        parts: list[str] = []
        if self.pattern[self.at : self.at + 1] in {"]", "-", "^"}:
            raise Uncarried("[" + self.pattern[self.at : self.at + 1])
        while (char := self.pattern[self.at : self.at + 1]) != "]":
            if not char or char == "[" or self.pattern[self.at : self.at + 2] in {"&&", "--", "~~"}:
                raise Uncarried(self.pattern[self.at : self.at + 2] or "[")
            parts.append(self._class_part(negated=negated))
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _class_part(self, *, negated: bool) -> str:
        char = self.pattern[self.at]
        if char != "\\":
            self.at += 1
            return "-" if char == "-" else _literal(char)
        self.at += 1
        char = self.pattern[self.at : self.at + 1]
        if char and char in _CLASSES:
            self.at += 1
            return _CLASSES[char] if negated else _with_unknown(char, _CLASSES[char])
        if char == "D":
            self.at += 1
            return r"\P{Nd}"
        if char in {"p", "P"}:
            category = self._category()
            return category if negated or char == "P" else category + _UNKNOWN
        return self._character()


def _with_unknown(char: str, inner: str) -> str:
    return inner if char == "s" else inner + _UNKNOWN


def _literal(char: str) -> str:
    return "\\x00" if char == "\0" else char
