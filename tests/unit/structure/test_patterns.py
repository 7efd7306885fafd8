"""Patterns of pydantic become patterns of the server, or are named as what cannot be carried over."""

import pytest

from boundwork.models.stored_schema.patterns import Uncarried, carried


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^abc$", r"^abc\z"),
        (r"a{2,3}?b*", "a{2,3}?b*"),
        (r"(?P<year>\-[a-z]+)|x", r"(?:\-[a-z]+)|x"),
        (r"[^a-c.]", "[^a-c.]"),
        (r"\D", r"[^\p{Nd}]"),
        (r"[\d]", r"[\p{Nd}\p{Cn}]"),
        (r"[^\d]", r"[^\p{Nd}]"),
        (r"\pL\p{Lu}", r"[\p{L}\p{Cn}][\p{Lu}\p{Cn}]"),
        (r"é\u00e9\x41\v", r"é\x{00e9}\x{41}\x0b"),
        ("a\0", r"a\x00"),
        (r"\A\z", r"\A\z"),
    ],
)
def test_a_pattern_means_the_same_in_the_dialect_of_the_server(pattern: str, expected: str) -> None:
    assert carried(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        (r"(?i)a", "(?i"),
        (r"a(?=b)", "(?="),
        (r"\bword", r"\b"),
        (r"a*+", "+"),
        (r"^*", "*"),
        (r"[a[b]]", "[b"),
        (r"[a&&b]", "&&"),
        (r"[]a]", "[]"),
        (r"[a", "["),
        (r"a{,3}", "{,3"),
        (r"\p{Greek}", "{Gre"),
        (r"\<", r"\<"),
        (r"[\W]", r"\W"),
        ("a\\", "\\"),
    ],
)
def test_a_pattern_with_another_meaning_on_the_server_is_not_carried_over(pattern: str, part: str) -> None:
    with pytest.raises(Uncarried) as caught:
        carried(pattern)
    assert part.strip("\\") in str(caught.value)
