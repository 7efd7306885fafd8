"""How the demo says that something went wrong: as every command does, and with an exit code.

1 for everything that is not a wrong option, 130 for Ctrl-C. A traceback means a fault in boundwork itself.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from boundwork import BoundworkError
from boundwork.cli import INSTALL
from boundwork.cli.flights.data import DataMissing
from boundwork.cli.migrate.answers import fail, of_the_system
from boundwork.cli.place import Unusable

FAILED = 1
INTERRUPTED = 130


@contextmanager
def reported(*, as_json: bool) -> Generator[None]:
    """Turn the failures that a user can meet into one line and an exit code; into JSON as well, where that is asked."""
    # What the library warns of goes with a failure that is told anyway, and that is to be one line.
    logging.getLogger("boundwork").addHandler(logging.NullHandler())
    try:
        yield
    except KeyboardInterrupt:
        fail("Interrupted", "Interrupted. The unit that was open was rolled back.", INTERRUPTED, as_json=as_json)
    except DataMissing as missing:
        fail("DataMissing", f"{missing} Install the demo: {INSTALL}", FAILED, as_json=as_json)
    except (BoundworkError, Unusable) as failure:
        told = failure.__cause__ if isinstance(failure.__cause__, BoundworkError) else failure
        fail(type(told).__name__, str(failure), FAILED, as_json=as_json)
    except BrokenPipeError:
        raise  # whoever read has seen enough, and typer ends quietly
    except OSError as failure:
        fail("OSError", of_the_system(failure), FAILED, as_json=as_json)
