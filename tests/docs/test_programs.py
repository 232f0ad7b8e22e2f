"""The Python programs of the documentation run."""

from __future__ import annotations

import re

from tests import ROOT


def test_the_program_of_the_training_page_learns_xor() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "training.md").read_text(encoding="utf-8"), re.S)
    found: dict[str, object] = {"print": lambda *_: None}
    exec(program, found)
    epoch = found["epoch"]
    assert epoch.report.loss < 1e-6  # type: ignore[attr-defined]
