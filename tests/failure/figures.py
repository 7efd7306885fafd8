"""How figures of the lab get to the end of a run: with the reports of the tests, since those come from every process."""

import os

import pytest

LONG = os.environ.get("BOUNDWORK_LONG") == "1"
PROPERTY = "figures of the failure lab"


def note(test: pytest.Item, line: str) -> None:
    """Let the report of a test have a line."""
    test.user_properties.append((PROPERTY, f"{test.name}: {line}"))


def show(terminal: pytest.TerminalReporter) -> None:
    """Print the lines of all tests."""
    reports = [report for kind in ("passed", "failed") for report in terminal.getreports(kind)]
    lines = [line for report in reports for name, line in report.user_properties if name == PROPERTY]
    if lines:
        terminal.section(f"failure lab, {'long' if LONG else 'CI'} form")
        for line in lines:
            terminal.line(line)
