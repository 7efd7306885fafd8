"""What a frame is doing while it calls us: entering a `with`, or iterating over a generator.

Python does not tell a manager who enters it, and a generator who drives it; the bytecode of the caller does. Where
there is none to read (a compiled caller), the answer is that of a plain call.
"""

import sys
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from opcode import opmap
from types import FrameType

CALLERS = 1000
GENERATOR = CO_GENERATOR | CO_ASYNC_GENERATOR
UNKNOWN = -1
NOTHING = (UNKNOWN, 0)


def _code(name: str) -> int:
    return opmap.get(name, UNKNOWN)


BEFORE_WITH = _code("BEFORE_WITH")
CALL, SPECIAL_METHOD = _code("CALL"), _code("LOAD_SPECIAL")  # a `with` of Python 3.14
GET_AWAITABLE, OF_ASYNC_WITH = _code("GET_AWAITABLE"), 1
DELEGATING = _code("GET_YIELD_FROM_ITER")
ITERATING = {_code("FOR_ITER"), _code("GET_ANEXT")}
DROPPING = {_code("POP_TOP"), _code("POP_ITER")}
AWAITING = {_code(name) for name in ("CACHE", "EXTENDED_ARG", "LOAD_CONST", "SEND")}


@lru_cache(CALLERS)
def enters_block(code: bytes, place: int) -> bool:
    """Tell whether a caller that is at a place of its bytecode is at the beginning of its `with` or `async with`."""
    instruction, argument = _doing(code, place)
    if instruction == GET_AWAITABLE:
        return argument == OF_ASYNC_WITH
    if instruction == CALL:
        return code[place - 2] == SPECIAL_METHOD
    return instruction == BEFORE_WITH != UNKNOWN


def is_iterated(generator: FrameType) -> bool:
    """Tell whether the frame of a generator is driven by a loop: not by a manager, a fixture or a call of next()."""
    driver = generator.f_back
    while driver is not None:
        instruction, _ = _doing(driver.f_code.co_code, driver.f_lasti)
        if instruction != DELEGATING:
            return instruction in ITERATING and instruction != UNKNOWN
        driver = driver.f_back
    return False


def is_running(identity: int) -> bool:
    """Tell whether the frame with an identity is on the stack here; one that is suspended is not."""
    return _running(identity) is not None


def is_dropped(identity: int) -> bool:
    """Tell whether the generator whose frame has an identity ends because its loop was left by `break` or `return`.

    An error in the body of the loop ends it as well, but at the instruction that raised it.
    """
    frame = _running(identity)
    driver = None if frame is None else frame.f_back
    return driver is not None and _doing(driver.f_code.co_code, driver.f_lasti)[0] in DROPPING - {UNKNOWN}


def _running(identity: int) -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, and inspect asks it too
    while frame is not None and id(frame) != identity:
        frame = frame.f_back
    return frame


def _doing(code: bytes, place: int) -> tuple[int, int]:
    """Return the instruction at a place with its argument; where something is awaited, what made it awaitable."""
    try:
        while code[place] in AWAITING:
            place -= 2
        return code[place], code[place + 1]
    except IndexError:
        return NOTHING
