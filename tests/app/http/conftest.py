"""Two applications whose answers must be the same."""

from __future__ import annotations

import pytest

import app.http.forms
from tests.app.http.served import Pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """An application with caches and one without."""
    return Pair(tmp_path_factory.mktemp("data"))


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every known form counts as fast, so that what is answered directly does not depend on this machine's load."""
    monkeypatch.setattr(app.http.forms, "FAST_SECONDS", 60.0)
