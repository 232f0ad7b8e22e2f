"""The program in docs/formats.md runs as it stands, where torch is installed: its gradients are torch's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"


def test_the_program_for_torch_runs(server: str) -> None:
    pytest.importorskip("torch", reason="torch is no dependency; with it, the program in docs/formats.md is run")
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(program.replace("http://127.0.0.1:8000", server), {})
