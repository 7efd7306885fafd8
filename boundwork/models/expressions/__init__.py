"""Conditions and sort keys in terms of a model's fields, and the MongoDB queries they become.

Values never become operators: every value that a program compares with stands under an operator that the program
wrote, whatever the value is.
"""

from boundwork.models.expressions.conditions import Condition, Filter
from boundwork.models.expressions.elements import elem
from boundwork.models.expressions.fields import FieldExpression, field_expression
from boundwork.models.expressions.filters import compile_filter
from boundwork.models.expressions.places import near, within, within_metres
from boundwork.models.expressions.sort import SortKey, asc, compile_sort, desc
from boundwork.models.expressions.words import (
    any_of,
    contains,
    contains_all,
    exists,
    in_,
    is_none,
    mod,
    not_,
    not_in,
    raw,
    regex,
    size,
    some,
    starts_with,
    text,
)

__all__ = [
    "Condition",
    "FieldExpression",
    "Filter",
    "SortKey",
    "any_of",
    "asc",
    "compile_filter",
    "compile_sort",
    "contains",
    "contains_all",
    "desc",
    "elem",
    "exists",
    "field_expression",
    "in_",
    "is_none",
    "mod",
    "near",
    "not_",
    "not_in",
    "raw",
    "regex",
    "size",
    "some",
    "starts_with",
    "text",
    "within",
    "within_metres",
]
