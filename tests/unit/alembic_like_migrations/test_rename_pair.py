"""A renaming written as two revisions: how it is named."""

import pytest

from boundwork.alembic_like_migrations.rollout.rename_pair import RenamePair, RenameUnclear


def test_a_collection_may_have_dots_in_its_name() -> None:
    assert RenamePair.parsed("shop.users.first:given") == RenamePair("shop.users", "first", "given")


def test_the_new_path_says_where_the_collection_ends() -> None:
    assert RenamePair.parsed("users.address.town:address.city") == RenamePair("users", "address.town", "address.city")
    assert RenamePair.parsed("shop.users.a.b.c:a.b.d") == RenamePair("shop.users", "a.b.c", "a.b.d")


WRONG = (
    *("users", "users.first", "first:given", "users.a:b.c", "users.a:a", "users.a:$b", "users.a:b:c", "users.:b"),
    *("users.a.b:c.b", "users.a.b:a.b", "users.a.b:a.", "users.a..b:a..c", "users.$a.b:$a.c", "a.b:a.c", "users.a:_id"),
)


@pytest.mark.parametrize("written", WRONG)
def test_what_is_no_renaming_is_refused(written: str) -> None:
    with pytest.raises(RenameUnclear, match="Write collection"):
        RenamePair.parsed(written)
