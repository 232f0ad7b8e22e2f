"""The progress bar in terminals of several widths."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.jobs.examples import JOBS
from tests.app.cli.terminal import GRADD, terminal

pytestmark = pytest.mark.slow

XOR = JOBS["xor"]["value"]


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_the_bar_fills_the_terminal_and_no_number_is_cut(tmp_path: Path, columns: int) -> None:
    body = XOR | {"validation_fraction": 0.25, "epochs": 50}
    (tmp_path / "job.json").write_text(json.dumps(body))
    with terminal([*GRADD, "train", "job.json"], tmp_path, columns=columns) as screen:
        assert screen.status() == 0, screen.text
    lines = screen.text.splitlines()
    bars = [line for line in lines if "━" in line]
    assert {len(line) for line in bars} == {columns}
    assert bars[-1].count("━") > columns - 20
    shown = " ".join(screen.text[screen.text.rindex("━") :].split())
    number = r"[\d.e-]+"
    assert re.search(
        rf"epoch 50 of 50, [\d,.]+ examples/s training: loss {number}, accuracy {number} "
        rf"validation: loss {number}, accuracy {number} {{",
        shown,
    ), shown
    assert "…" not in screen.text
