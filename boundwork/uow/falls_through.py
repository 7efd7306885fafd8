"""Whether a `with` block at the end of a loop's body goes on with the loop.

An attempt that failed is repeated by swallowing the error and letting the loop go round. Where the block is left by
`return` or `break`, or other code follows it, swallowing would take a failure for a success, and Python does not
tell `__exit__` which it is. The bytecode after the call does. What is not clearly the way back to the loop counts
as not.
"""

import dis
from bisect import bisect_left
from types import FrameType

AWAITING = {
    "CLEANUP_THROW",
    "END_SEND",
    "GET_AWAITABLE",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "LOAD_CONST",
    "SEND",
    "TO_BOOL",
    "YIELD_VALUE",
}
SILENT = {"CACHE", "EXTENDED_ARG", "NOP", "RESUME"}
AFTER_CLEAN_EXIT: tuple[str, ...] = ("POP_TOP",)
AFTER_SWALLOWED_ERROR: tuple[str, ...] = ("POP_TOP", "POP_EXCEPT", "POP_TOP", "POP_TOP")


def falls_through(frame: FrameType | None) -> bool:
    """Tell whether the frame, which is in the exit call of a `with`, goes straight to the next round of a `for`.

    In the exit after an error, the answer is for the case that the call swallows it.
    """
    if frame is None:
        return False
    code = [instruction for instruction in dis.get_instructions(frame.f_code) if instruction.opname not in SILENT]
    offsets = [instruction.offset for instruction in code]
    place = bisect_left(offsets, frame.f_lasti + 1)
    while place < len(code) and code[place].opname in AWAITING:
        place += 1
    expected = AFTER_CLEAN_EXIT
    if place < len(code) and code[place].opname in {"POP_JUMP_IF_TRUE", "POP_JUMP_FORWARD_IF_TRUE"}:
        expected = AFTER_SWALLOWED_ERROR
        place = bisect_left(offsets, int(code[place].argval))
    if tuple(instruction.opname for instruction in code[place : place + len(expected)]) != expected:
        return False
    place += len(expected)
    if code[place].opname == "JUMP_FORWARD":
        place = bisect_left(offsets, int(code[place].argval))
    if code[place].opname != "JUMP_BACKWARD":
        return False
    return code[bisect_left(offsets, int(code[place].argval))].opname == "FOR_ITER"
