"""Which databases migrations take: what does not fit is named by the word that the program has used."""

from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from boundwork import connect
from boundwork.alembic_like_migrations import AsyncInstance, AsyncMigrator, Instance, MigrationError, Migrator


def test_a_database_of_the_other_colour_is_refused_with_the_word_that_takes_it() -> None:
    blue = MongoClient[dict[str, Any]](connect=False)["shop"]
    red = AsyncMongoClient[dict[str, Any]](connect=False)["shop"]
    with pytest.raises(TypeError, match=r"^Migrator needs a pymongo Database.* use AsyncMigrator\.$"):
        Migrator(red, [])
    with pytest.raises(TypeError, match=r"^AsyncMigrator needs a pymongo AsyncDatabase.* use Migrator\.$"):
        AsyncMigrator(blue, [])
    with pytest.raises(TypeError, match=r"^Instance needs a pymongo Database.* use AsyncInstance\.$"):
        Instance(red, "web", "base")
    with pytest.raises(TypeError, match=r"^AsyncInstance needs a pymongo AsyncDatabase.* use Instance\.$"):
        AsyncInstance(blue, "web", "base")


def test_a_database_in_memory_says_that_it_knows_no_migrations() -> None:
    with connect("memory://") as database, pytest.raises(MigrationError, match="does not know find in migrations"):
        Migrator(database, []).standing()
