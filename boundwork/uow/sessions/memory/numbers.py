"""Arithmetic and reading of BSON numbers with the server's types: int32, int64, double, decimal.

A sum or product has the wider of the two types; an int32 that overflows becomes an int64.
"""

import math
import operator
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any, Final, TypeGuard

from bson import Decimal128, Int64
from bson.decimal128 import create_decimal128_context

from boundwork.uow.sessions.memory.encoding import Value
from boundwork.uow.sessions.memory.refusals import BAD_VALUE, server_refusal

Number = int | float | Decimal128

INT32_MAX: Final = 2**31 - 1
_INT64_MAX: Final = 2**63 - 1


def is_number(value: Value) -> TypeGuard[Number]:
    """Tell whether a decoded value is a number, which a bool is not."""
    return isinstance(value, int | float | Decimal128) and not isinstance(value, bool)


def whole_number(value: Value) -> int | None:
    """Return the integer that a number is equal to, None if it is none."""
    if not is_number(value):
        return None
    exact = value.to_decimal() if isinstance(value, Decimal128) else Decimal(value)
    if not exact.is_finite() or exact != exact.to_integral_value():
        return None
    return int(exact)


def truncated(value: Number) -> int | None:
    """Return a number without its fraction, None if that is no int64."""
    exact = value.to_decimal() if isinstance(value, Decimal128) else value
    if not math.isfinite(exact) or not -_INT64_MAX - 1 <= exact <= _INT64_MAX:
        return None
    return int(exact)


def added(left: Number, right: Number) -> Number:
    """Return the sum in the server's type; raise SessionFailure if an int64 overflows."""
    return _computed(left, right, operator.add)


def multiplied(left: Number, right: Number) -> Number:
    """Return the product in the server's type; raise SessionFailure if an int64 overflows."""
    return _computed(left, right, operator.mul)


def _computed(left: Number, right: Number, compute: Callable[[Any, Any], Any]) -> Number:
    if isinstance(left, Decimal128) or isinstance(right, Decimal128):
        with localcontext(create_decimal128_context()):
            return Decimal128(compute(_as_decimal(left), _as_decimal(right)))
    if isinstance(left, float) or isinstance(right, float):
        return float(compute(float(left), float(right)))
    total = int(compute(int(left), int(right)))
    if not -_INT64_MAX - 1 <= total <= _INT64_MAX:
        raise server_refusal(BAD_VALUE, "the result is larger than 64 bits")
    long = isinstance(left, Int64) or isinstance(right, Int64) or not -INT32_MAX - 1 <= total <= INT32_MAX
    return Int64(total) if long else total


def _as_decimal(value: Number) -> Decimal:
    if isinstance(value, Decimal128):
        return value.to_decimal()
    if isinstance(value, float) and math.isfinite(value) and value != 0.0:
        return Decimal(f"{value:.14e}")  # the server keeps 15 digits of a double
    return Decimal(value)
