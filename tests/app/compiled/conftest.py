"""The data folder of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder in which the compiler keeps its results."""
    return tmp_path_factory.mktemp("data")
