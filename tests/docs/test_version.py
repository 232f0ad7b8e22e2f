"""The version is one: pyproject.toml has it, and the service and the changelog say the same."""

from __future__ import annotations

import re
import tomllib

from app import VERSION
from tests import ROOT


def test_the_service_and_the_changelog_have_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert headings[1].startswith(f"[{VERSION}]")
