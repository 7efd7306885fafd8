"""Conditions and sort keys in terms of a model's fields, and the MongoDB queries they become.

Values never become operators: every value that a program compares with stands under an operator that the program
wrote, whatever the value is.
"""

from boundwork.models.expressions.changes import (
    Change,
    compile_changes,
    current_date,
    inc,
    max_,
    min_,
    mul,
    set_,
    unset,
)
from boundwork.models.expressions.chosen import each
from boundwork.models.expressions.conditions import Condition, Filter
from boundwork.models.expressions.elements import elem
from boundwork.models.expressions.fields import FieldExpression, field_expression
from boundwork.models.expressions.filters import compile_filter
from boundwork.models.expressions.list_changes import add_to_set, pop, pull, push
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
    "Change",
    "Condition",
    "FieldExpression",
    "Filter",
    "SortKey",
    "add_to_set",
    "any_of",
    "asc",
    "compile_changes",
    "compile_filter",
    "compile_sort",
    "contains",
    "contains_all",
    "current_date",
    "desc",
    "each",
    "elem",
    "exists",
    "field_expression",
    "in_",
    "inc",
    "is_none",
    "max_",
    "min_",
    "mod",
    "mul",
    "near",
    "not_",
    "not_in",
    "pop",
    "pull",
    "push",
    "raw",
    "regex",
    "set_",
    "size",
    "some",
    "starts_with",
    "text",
    "unset",
    "within",
    "within_metres",
]
