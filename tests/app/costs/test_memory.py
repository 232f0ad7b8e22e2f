"""The estimated memory of a request is what a process takes that answers it, within a factor."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.app.costs.memory import REQUESTS

pytestmark = pytest.mark.slow

FACTOR = 3


def test_is_within_a_factor_of_the_peak_of_a_real_process() -> None:
    command = [sys.executable, "-m", "tests.app.costs.memory"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    rows = {name: (estimate, taken) for name, estimate, taken in map(json.loads, found.splitlines())}
    assert rows.keys() == REQUESTS.keys()
    wrong = {name: row for name, row in rows.items() if not row[1] / FACTOR <= row[0] <= row[1] * FACTOR}
    assert not wrong
