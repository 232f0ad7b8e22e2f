"""The programs in docs/formats.md run as they stand, where torch and Keras are installed: their gradients agree."""

from __future__ import annotations

import re

import pytest

from tests import ROOT

PAGE = ROOT / "docs" / "formats.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("module", ["torch", "keras"])
def test_the_program_runs(server: str, module: str) -> None:
    pytest.importorskip(module, reason=f"{module} is no dependency; with it, the program in docs/formats.md is run")
    (program,) = [program for program in PROGRAMS if f"import {module}" in program]
    exec(program.replace("http://127.0.0.1:8000", server), {})
