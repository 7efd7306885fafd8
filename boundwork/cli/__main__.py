"""Let `python -m boundwork.cli` be the command `boundwork`."""

from boundwork.cli import main

main()
