import ast
import warnings

import pytest

from boundwork.alembic_like_migrations.checksum import checksum

BODY = '''
"""Split name."""
import re

revision, down_revision = "b2", "a1"


def up() -> None:
    """Split it."""
    for one in range(10):  # ten of them
        op.set_field("users", {"n": one}, where={"a": None, "b": [1, 2.5, True]})


async def down(*rest, key=None, **more):
    return f"{key!r:>{10}} and {more['a']}" "!"
'''
# Made on Python 3.11; every other Python must find the same. A new one means that all applied files look tampered with.
EVERYTHING = r'''
"""All of the syntax that a file may use on every Python."""
from __future__ import annotations
from . import near
import os.path as p, sys
a = 1; b: int = 0xFFFF_FFFF_FFFF; c = 1.5e300; d = 1e999; e = 3j; f = b"\x00\xff"; g = ...; h = u"\u00fc\ud800\N{EM DASH}"
i, *j = [*range(3)], {**{}}, {1, 2}, (not None), -a ** b // c @ d
k = [x async for x in y if x if z] if w else (lambda q, /, r=1, *, s: (yield))
l = f"a{b!r}{{}}{c:>{d}.{e}f}\n" 'x' f"{f=} {g = !s:} {'h'}" rf"\d{h:%H:%M}" f"" f"{i:}"
m = a < b <= c is not d not in e and f or g
n[1:2, ::3, ...] = o.p.q = (r := 5)
del s, t[0]; u += 1
class C(D, metaclass=E):
    """Doc."""
    x: int
@decorated(1)
async def up(a, /, b: int = 1, *c, d, e=2, **f) -> None:
    global g
    async with x as y, z: await y
    async for _ in z: break
    else: pass
def down():
    """Doc."""
    nonlocal_ = 1
    def inner():
        nonlocal nonlocal_
        yield from nonlocal_
    while True: continue
    try: raise X from Y
    except* (A, B) as e: ...
    try: assert z, "why"
    except A: return
    finally: return lambda: 1
    match v:
        case {"a": 1, **rest} | [1, *_] if rest: pass
        case C(x=1, y=(2 | 3) as z) | None: pass
        case "a" | -1.0 | a.b: pass
        case _: pass
'''
EVERYTHING_SUM = "v1:f50f74e691fa81812f67b6f4c349794b1cea8f04a0caefe765fedd68973a0b15"


def of(text: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return checksum(ast.parse(text))


def changed(old: str, new: str) -> str:
    assert old in BODY
    return of(BODY.replace(old, new))


def test_every_python_finds_the_same_number() -> None:
    assert of(EVERYTHING) == EVERYTHING_SUM


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  # ten of them", ""),
        ("\n\n\n", "\n# a comment\n\n"),
        ('"""Split name."""', '"""Cut the name in two."""'),
        ('    """Split it."""\n', ""),
        ('"b2", "a1"', "('b2'), '''a1'''"),
        ("range(10)", "range(\n        0xA,\n    )"),
        ('" "!"', '!"'),
        ("    ", "  "),
        ('"users"', '"us" u"ers"'),
        ("2.5", "25e-1"),
    ],
)
def test_comments_formatting_and_docstrings_do_not_count(old: str, new: str) -> None:
    assert changed(old, new) == of(BODY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"a1"', '"a2"'),
        ('"a1"', 'b"a1"'),
        ('"b2", "a1"', '"a1", "b2"'),
        ("range(10)", "range(11)"),
        ("range(10)", "range(10.0)"),
        ("True", "1"),
        ("2.5", "2.50001"),
        ("None, ", "False, "),
        ("[1, 2.5, True]", "(1, 2.5, True)"),
        ('{"n": one}', '{"n", one}'),
        ("where=", "wher="),
        ("up()", "up2()"),
        ("-> None", ""),
        ("async def", "def"),
        ("*rest, key", "rest, *, key"),
        ("key=None", "key=0"),
        ("!r", "!s"),
        (">{10}", ">{11}"),
        (" and ", " or "),
        ("more['a']", "more.a"),
        ("    for", "    pass\n    for"),
        ("import re", "import re as r"),
        ("import re", "from re import *"),
        ("return f", "yield f"),
        ('f"{key', '"{key'),
        ("op.", "not op."),
    ],
)
def test_every_change_of_meaning_counts(old: str, new: str) -> None:
    assert changed(old, new) != of(BODY)


def test_where_a_python_cuts_the_texts_of_an_f_string_does_not_count() -> None:
    whole = ast.parse("f'ab{c}'")
    (statement,) = whole.body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.JoinedStr)
    before = checksum(whole)
    statement.value.values[:1] = [ast.Constant("a"), ast.JoinedStr([ast.Constant("b"), ast.Constant("")])]
    assert checksum(whole) == before


def test_texts_cannot_pass_for_syntax() -> None:
    assert of("f('a', 'b')") != of("f('a\\', \\'b')")
    assert of("f(')', x)") != of("f(') x')")
    assert of("x = 'a'") != of("x = a")


def test_only_the_first_statement_can_be_a_docstring() -> None:
    assert of("def f():\n    x()\n    'a'") != of("def f():\n    x()")
    assert of("def f():\n    'a'\n    x()") == of("def f():\n    x()")


def test_an_expression_of_any_depth_has_a_number() -> None:
    def deep(last: int) -> str:
        return "x = " + "+".join(["1"] * 900 + [str(last)])

    assert of(deep(1)) != of(deep(2))


def test_a_number_of_any_length_has_a_number() -> None:
    assert of(f"x = 0x{'f' * 5000}") != of(f"x = 0x{'f' * 5001}")
