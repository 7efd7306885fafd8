"""Where in the program a unit was used, so that an error at the flush, or a warning, can name the place."""

import os
import sys
from types import FrameType

OURS = ("boundwork.uow.", "boundwork.repositories.")


def caller() -> FrameType | None:
    """Return the frame of the nearest caller outside of units and repositories."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, and inspect asks it too
    while frame is not None and frame.f_globals.get("__name__", "").startswith(OURS):
        frame = frame.f_back
    return frame


def origin_of_caller() -> str | None:
    """Return `file:line` of the nearest caller outside of units and repositories."""
    frame = caller()
    if frame is None:
        return None
    return f"{frame.f_code.co_filename.rpartition(os.sep)[2]}:{frame.f_lineno}"  # pathlib takes ten times longer
