"""Changes of the options and the validator of a collection that is there: what `collMod` takes, and what it does not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from boundwork.alembic_like_migrations.autogenerate.differences import Difference, validator_of
from boundwork.alembic_like_migrations.autogenerate.forms import Form
from boundwork.alembic_like_migrations.autogenerate.words import Change, Word
from boundwork.alembic_like_migrations.steps.tightening import Strictness, tendency

_CAPPED = {"size": "cappedSize", "max": "cappedMax"}


def option_changes(wanted: Form, found: Form, differing: Sequence[Difference]) -> Iterator[Change]:
    """Yield the changes that end differences of options."""
    validator = tuple(one for one in differing if one.aspect == "validator")
    if validator:
        yield _validator(wanted, found, validator)
    for one in differing:
        if one.aspect == "option":
            yield _option(wanted, found, one)


def _option(wanted: Form, found: Form, one: Difference) -> Change:
    word = one.path.rpartition(".")[2]
    pair = _collmod(word, wanted.options, found.options)
    if pair is None:
        why = (
            f"{one.path} is {one.found!r} and should be {one.wanted!r}. The server cannot change that: make the collection "
            "anew under another name, move the documents, and rename it."
        )
        return Change((one,), (), risk=why)
    return Change((one,), (Word("collection_options", (wanted.name, pair[0], pair[1]), {}),), risk=_loss(one, word))


def _collmod(
    word: str, wanted: Mapping[str, Any], found: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return what `collMod` takes for an option, and what it takes for the way back; None if it takes nothing."""
    if word == "changeStreamPreAndPostImages":
        return {word: {"enabled": word in wanted}}, {word: {"enabled": word in found}}
    if word == "expireAfterSeconds":
        return {word: wanted.get(word, "off")}, {word: found.get(word, "off")}
    if word in _CAPPED and wanted.get("capped") and found.get("capped"):
        # 0 is no limit of documents.
        return {_CAPPED[word]: wanted.get(word, 0)}, {_CAPPED[word]: found.get(word, 0)}
    return None


def _loss(one: Difference, word: str) -> str | None:
    if word == "expireAfterSeconds" and one.wanted is not None and (one.found is None or one.wanted < one.found):
        return f"Documents that are older than {one.wanted} s are deleted."
    if word in _CAPPED and one.wanted is not None and (one.found is None or one.wanted < one.found):
        return "The oldest documents are deleted where they are more than it holds."
    return None


def _validator(wanted: Form, found: Form, ends: tuple[Difference, ...]) -> Change:
    mine, there = validator_of(wanted), validator_of(found)
    named: dict[str, Any] = {}
    if mine is not None:
        usual = {"level": "strict", "action": "error"}
        chosen = {"level": wanted.options["validationLevel"], "action": wanted.options["validationAction"]}
        named = {word: value for word, value in chosen.items() if usual[word] != value}
    asked = None if mine is None else _as_word(mine)
    word = Word("set_validator", (wanted.name, asked), {**named, "was": _was(found)})
    if mine is None:
        risk = f"No model asks for the validator of {wanted.name}. Without it every document is taken."
        return Change(ends, (word,), risk=risk, drops=True)
    tightens = tendency(_strictness(found, there), _strictness(wanted, mine)) == "tightens"
    risk = "Tightens: documents that were taken before are refused from now on, also those of running programs."
    return Change(ends, (word,), risk=risk if tightens else None)


def _strictness(form: Form, validator: Mapping[str, Any] | None) -> Strictness:
    if validator is None:
        return Strictness({}, "strict", "error")
    return Strictness(validator, form.options["validationLevel"], form.options["validationAction"])


def _was(found: Form) -> dict[str, Any]:
    validator = validator_of(found)
    if validator is None:
        return {}
    level, action = found.options["validationLevel"], found.options["validationAction"]
    if (level, action) == ("strict", "error"):
        return _as_word(validator)
    return {"validator": _as_word(validator), "level": level, "action": action}


def _as_word(validator: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the word takes: a schema, or a filter that begins with an operator, as the word tells them apart."""
    if set(validator) == {"$jsonSchema"}:
        schema: Mapping[str, Any] = validator["$jsonSchema"]
        if schema and not any(word.startswith("$") for word in schema) and "validator" not in schema:
            return dict(schema)
        return dict(validator)
    return dict(validator) if any(word.startswith("$") for word in validator) else {"$and": [dict(validator)]}
