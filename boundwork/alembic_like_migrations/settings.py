"""Where a project keeps its migrations: the section `[tool.boundwork.migrations]` of its pyproject.toml.

One place, and one that most projects have. It never holds the URL of a database, which may hold a password; it names
the environment variable that does.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from boundwork.alembic_like_migrations.errors import SettingsWrong

FILE = "pyproject.toml"
SECTION = "tool.boundwork.migrations"
FILE_NAME = "${date}_${slug}_${id}"
URL_VARIABLE = "MONGODB_URI"
MODELS = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Section:
    """The section as it is written; `models` is `module:Definition`, `folder` is seen from the file."""

    folder: str = "migrations"
    models: str | None = None
    url_variable: str = URL_VARIABLE
    file_name: str = FILE_NAME

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if not (isinstance(value, str) and value) and not (field.name == "models" and value is None):
                raise SettingsWrong(f"[{SECTION}] {field.name} must be a text that is not empty.")
        if self.models is not None and not MODELS.fullmatch(self.models):
            raise SettingsWrong(f'[{SECTION}] models must be a module and a name in it, as in "shop.models:Shop".')

    def as_toml(self) -> str:
        """Return the section as TOML, with a line for each setting that is set."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value]
        return "\n".join([f"[{SECTION}]", *lines, ""])


@dataclass(frozen=True, slots=True)
class Settings:
    """The section of a project, and the file that it stands in."""

    file: Path
    section: Section

    @property
    def folder(self) -> Path:
        """The folder of the revision files."""
        return self.file.parent / self.section.folder

    def database_url(self, environment: Mapping[str, str]) -> str:
        """Return the URL of the database from the environment. Raises SettingsWrong if it is not there."""
        url = environment.get(self.section.url_variable)
        if not url:
            raise SettingsWrong(
                f"The environment variable {self.section.url_variable} is not set. Set it to the URL of the database, "
                f"or name another variable in [{SECTION}] url_variable of {self.file}."
            )
        return url


def find_settings(start: Path) -> Settings:
    """Return the settings of the project that a folder is in: of the nearest file that has the section.

    Raises SettingsWrong where there is none, and for settings that are wrong.
    """
    here = start.absolute()
    for folder in (here, *here.parents):
        file = folder / FILE
        if file.is_file() and (section := _section(file)) is not None:
            return Settings(file, _checked(file, section))
    raise SettingsWrong(f"No {FILE} in {start} or above has [{SECTION}]. Run `boundwork migrate init`.")


def settings_of(folder: Path) -> Settings:
    """Return the settings of the project whose revision files are in a folder; the usual ones if there is none."""
    here = folder.absolute()
    try:
        found = find_settings(here)
    except SettingsWrong:
        found = None
    if found is not None and found.folder.resolve() == here.resolve():
        return found
    return Settings(here.parent / FILE, Section(folder=here.name))


def write_settings(project: Path, section: Section) -> Settings:
    """Append the section to the pyproject.toml of a folder, or make one. Raises SettingsWrong if it cannot be."""
    settings, addition = prepared(project, section)
    with settings.file.open("a", encoding="utf-8") as stream:
        stream.write(addition)
    return settings


def prepared(project: Path, section: Section) -> tuple[Settings, str]:
    """Return the settings to be, and what must be appended to their file. Raises SettingsWrong if it cannot be."""
    file = project.absolute() / FILE
    before = file.read_text("utf-8") if file.is_file() else ""
    if before and _section(file) is not None:
        raise SettingsWrong(f"{file} has [{SECTION}] already, and was left as it is.")
    addition = ("" if before.endswith("\n") or not before else "\n") + ("\n" if before else "") + section.as_toml()
    try:
        tomllib.loads(before + addition)
    except tomllib.TOMLDecodeError as error:
        raise SettingsWrong(f"{file} cannot be added to ({error}). Write by hand: {section.as_toml()}") from error
    return Settings(file, section), addition


def _section(file: Path) -> object:
    """Return what the section holds, or None where the file has none."""
    try:
        found: Any = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"{file} is not TOML: {error}.") from error
    for word in SECTION.split("."):
        found = cast("dict[str, Any]", found).get(word) if isinstance(found, dict) else None
    return found


def _checked(file: Path, section: object) -> Section:
    if not isinstance(section, dict):
        raise SettingsWrong(f"{file}: {SECTION} must be a table.")
    given = cast("dict[str, Any]", section)
    known = [field.name for field in fields(Section)]
    for name in given:
        if name not in known:
            raise SettingsWrong(f"{file}: [{SECTION}] has no setting {name}. There are {', '.join(known)}.")
    try:
        return Section(**given)
    except SettingsWrong as error:
        raise SettingsWrong(f"{file}: {error}") from None
