"""How the command line says that something went wrong: one line on stderr, and an exit code.

1 for everything that is not a wrong option, 130 for Ctrl-C. A traceback means a fault in boundwork itself.
"""

from collections.abc import Generator
from contextlib import contextmanager

import typer

from boundwork import BoundworkError
from boundwork.cli import INSTALL
from boundwork.cli.flights.data import DataMissing
from boundwork.cli.place import Unusable

INTERRUPTED = 130


@contextmanager
def reported() -> Generator[None]:
    """Turn the failures that a user can meet into one line and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        _say("Interrupted. The unit that was open was rolled back.")
        raise typer.Exit(INTERRUPTED) from None
    except DataMissing as missing:
        _say(f"{missing} Install the demo: {INSTALL}")
        raise typer.Exit(1) from None
    except (BoundworkError, Unusable) as failure:
        _say(str(failure))
        raise typer.Exit(1) from None


def _say(text: str) -> None:
    typer.echo(f"boundwork: {' '.join(text.split())}", err=True)
