"""The document that most tests of the lab write: its number says how often a unit was applied."""

from boundwork import Document


class Counter(Document[int], collection="counters"):
    number: int = 0
