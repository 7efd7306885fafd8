"""The structure that models declare for their collections: indexes, options, validators; pure, without a server."""

from boundwork.models.structure.comparison import Difference
from boundwork.models.structure.declared import NotExpressed
from boundwork.models.structure.indexes import Index
from boundwork.models.structure.options import Capped, Collation, CollectionOptions, TimeSeries, Validation

__all__ = [
    "Capped",
    "Collation",
    "CollectionOptions",
    "Difference",
    "Index",
    "NotExpressed",
    "TimeSeries",
    "Validation",
]
