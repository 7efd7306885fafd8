"""The scripts in `examples/` run as they stand, and print what they say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PRINTED = {
    "shop.py": [
        "nothing was shipped: an empty order cannot ship",
        "on their way to Ada: 1",
        "still open: 2",
    ],
    "shop_async.py": ["nothing was paid: Ada has only 3", "Ada: 3", "Bo: 5", "shop: 12"],
}


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(PRINTED)


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_says(name: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
    )

    assert (done.stderr, done.stdout.splitlines()) == ("", PRINTED[name])
