import tomllib
from pathlib import Path

import pytest

from boundwork.alembic_like_migrations import SettingsWrong
from boundwork.alembic_like_migrations.settings import Section, find_settings, write_settings


@pytest.mark.parametrize("before", [None, "", "[project]\nname = 'shop'", "[project]\nname = 'shop'\n\n"])
def test_what_was_written_is_found_from_every_folder_of_the_project(tmp_path: Path, before: str | None) -> None:
    if before is not None:
        (tmp_path / "pyproject.toml").write_text(before)
    section = Section(folder="db/steps", models="shop.models:Shop", url_variable="SHOP_URL", file_name="${id}")
    written = write_settings(tmp_path, section)
    inner = tmp_path / "src" / "shop"
    inner.mkdir(parents=True)
    assert find_settings(inner) == written
    assert (written.section, written.folder) == (section, tmp_path / "db" / "steps")
    assert written.file.read_text().startswith(before or "")


def test_a_project_inside_of_a_project_may_leave_the_settings_to_the_outer_one(tmp_path: Path) -> None:
    outer = write_settings(tmp_path, Section())
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "pyproject.toml").write_text("[project]\nname = 'part'\n")
    assert find_settings(tmp_path / "part") == outer


def test_defaults_need_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.boundwork.migrations]\n")
    assert find_settings(tmp_path).section == Section("migrations", None, "MONGODB_URI", "${date}_${slug}_${id}")


def test_without_settings_it_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match="boundwork migrate init"):
        find_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[tool.boundwork]\nmigrations = 3", "must be a table"),
        ("[tool.boundwork.migrations]\nfolders = 'x'", "no setting folders. There are folder, models"),
        ("[tool.boundwork.migrations]\nfolder = 3", "folder must be a text"),
        ("[tool.boundwork.migrations]\nfile_name = ''", "file_name must be a text"),
        ("[tool.boundwork.migrations]\nmodels = 'shop.models.Shop'", 'as in "shop.models:Shop"'),
        ("[tool.boundwork.migrations", "is not TOML"),
    ],
)
def test_wrong_settings_are_named_with_their_file(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsWrong, match=why) as caught:
        find_settings(tmp_path)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)


@pytest.mark.parametrize("before", ["[tool.boundwork.migrations]\nfolder = 'x'\n", "tool = {}\n", "not toml"])
def test_a_file_that_cannot_be_added_to_is_left_as_it_is(tmp_path: Path, before: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(before)
    with pytest.raises(SettingsWrong, match=r"pyproject\.toml"):
        write_settings(tmp_path, Section())
    assert file.read_text() == before


def test_texts_are_quoted(tmp_path: Path) -> None:
    section = Section(folder='so "called" \\ \u00fc \U0001f600')
    text = write_settings(tmp_path, section).file.read_text("utf-8")
    assert tomllib.loads(text)["tool"]["boundwork"]["migrations"]["folder"] == section.folder


def test_the_url_comes_from_the_environment_and_its_variable_is_named(tmp_path: Path) -> None:
    found = write_settings(tmp_path, Section(url_variable="SHOP_URL"))
    assert found.database_url({"SHOP_URL": "memory://"}) == "memory://"
    for environment in ({}, {"SHOP_URL": ""}):
        with pytest.raises(SettingsWrong, match="SHOP_URL is not set"):
            found.database_url(environment)
