"""Whether a `with` block at the end of a loop's body goes on with the loop.

An attempt whose commit failed is repeated by swallowing the error and letting the loop go round. Where the block
is left by `return` or `break`, or other code follows it, swallowing would take a failed commit for a success, and
Python does not tell `__exit__` which it is. The bytecode after the call does. What is not clearly the way back to
the loop counts as not.
"""

import dis
from types import FrameType

AWAITING = {
    "CACHE",
    "END_SEND",
    "EXTENDED_ARG",
    "GET_AWAITABLE",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "LOAD_CONST",
    "NOP",
    "RESUME",
    "SEND",
    "YIELD_VALUE",
}


def falls_through(frame: FrameType | None) -> bool:
    """Tell whether the frame, which is in the exit call of a `with`, goes straight to the next round of a `for`."""
    if frame is None:
        return False
    instructions = {instruction.offset: instruction for instruction in dis.get_instructions(frame.f_code)}
    following = iter(sorted(offset for offset in instructions if offset > frame.f_lasti))
    popped = False
    for offset in following:
        instruction = instructions[offset]
        if instruction.opname == "POP_TOP" and not popped:
            popped = True
        elif instruction.opname == "JUMP_FORWARD":
            landing = instructions[int(instruction.argval)]
            return popped and _is_next_round(landing, instructions)
        elif instruction.opname not in AWAITING:
            return popped and _is_next_round(instruction, instructions)
    return False


def _is_next_round(instruction: dis.Instruction, instructions: dict[int, dis.Instruction]) -> bool:
    """Tell whether an instruction jumps back to the head of a `for`."""
    back = instruction.opname in {"JUMP_BACKWARD", "JUMP_ABSOLUTE"}
    return back and instructions[int(instruction.argval)].opname == "FOR_ITER"
