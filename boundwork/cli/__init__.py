"""The command line of boundwork: `boundwork demo` and `boundwork migrate`.

Nothing here is imported by the library; typer, rich and the data of the demo come with extras.
"""

import sys

INSTALL = 'pip install "boundwork[demo]"'


def main() -> None:
    """Run the command line; without the extras, say what to install and exit with 1."""
    try:
        from boundwork.cli.app import app  # noqa: PLC0415 - so that a missing extra is a line, not a traceback
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.split(".")[0] not in {"typer", "click", "rich"}:
            raise
        sys.stderr.write(f"boundwork: {missing.name} is not installed. Install the demo: {INSTALL}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    app(prog_name="boundwork")
