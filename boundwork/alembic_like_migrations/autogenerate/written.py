"""From the server's form of a collection or an index back to what a program writes: without what the server fills in."""

from collections.abc import Mapping
from typing import Any

from boundwork.alembic_like_migrations.autogenerate.forms import VALIDATION, Form
from boundwork.models.structure.declared import DEFAULT_LANGUAGE, LANGUAGE_FIELD
from boundwork.models.structure.found import found_index

_SERVERS = frozenset({"key", "weights", "default_language", "language_override", "collation"})
_USUAL = {
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
}
# These languages have another usual order, so what looks usual may have been chosen.
_SPECIAL = frozenset({"fr", "da", "mt", "th"})


def specification(form: Form, index: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index of a collection as `createIndexes` takes it, without its name where tools would give that one."""
    made = found_index(index).specification()
    written: dict[str, Any] = {"key": made["key"]}
    if index["name"] != "_".join(f"{path}_{kind}" for path, kind in made["key"].items()):
        written["name"] = index["name"]
    if any(weight != 1 for weight in made.get("weights", {}).values()):
        written["weights"] = made["weights"]
    if made.get("default_language", DEFAULT_LANGUAGE) != DEFAULT_LANGUAGE:
        written["default_language"] = made["default_language"]
    if made.get("language_override", LANGUAGE_FIELD) != LANGUAGE_FIELD:
        written["language_override"] = made["language_override"]
    written |= {word: value for word, value in index.items() if word not in _SERVERS and word != "name"}
    inherited, own = form.options.get("collation"), index.get("collation")
    if own is None and inherited is not None:
        written["collation"] = {"locale": "simple"}
    elif own is not None and own != inherited:
        written["collation"] = collation(own)
    return written


def collation(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a collation as a program writes it."""
    usual = {} if str(stored.get("locale", ""))[:2] in _SPECIAL else _USUAL
    return {
        word: value
        for word, value in stored.items()
        if word != "version" and not (word in usual and usual[word] == value)
    }


def options(form: Form) -> dict[str, Any]:
    """Return what `create` takes beside the name; level and action only where they are not the usual ones."""
    written = {word: value for word, value in form.options.items() if VALIDATION.get(word, ...) != value}
    if "collation" in written:
        written["collation"] = collation(written["collation"])
    if "timeseries" in written:
        series = dict(written["timeseries"])
        series.pop("bucketMaxSpanSeconds", None)
        written["timeseries"] = series
    if "clusteredIndex" in written:
        index = written["clusteredIndex"]
        written["clusteredIndex"] = {word: value for word, value in index.items() if word not in {"v", "name"}}
    return written
