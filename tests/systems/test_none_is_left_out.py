"""Every system has its tests, or waits for something that is named."""

from __future__ import annotations

import re
from pathlib import Path

NOT_YET: dict[int, str] = {}
ELSEWHERE = {22: "tests/golden"}


def test_every_system_is_reproduced_or_waits_for_something_that_is_named() -> None:
    files = Path(__file__).parent.glob("test_s*.py")
    texts = [file.stem.split("_")[1] + " " + (file.read_text().split('"""')[1]) for file in files]
    # What the docstrings of tests name counts too: "S21: ..." for a system that is tested beside another.
    texts += re.findall(r'"""(S\d+[:,].*)', "".join(file.read_text() for file in Path(__file__).parent.glob("*.py")))
    covered = {int(number) for text in texts for number in re.findall(r"\b[sS](\d+)\b", text)}
    assert covered & set(NOT_YET) == set()
    assert covered | set(NOT_YET) | set(ELSEWHERE) == set(range(1, 30))
