"""Files are read in this process."""

from __future__ import annotations

import pytest

from app.models.formats.onnx import file as onnx_file
from tests.app.models import onnx_here


@pytest.fixture(autouse=True)
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "_run_child", onnx_here.read_here)
