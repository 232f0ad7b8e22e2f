"""The pages for operators: all are reached from their index and the site, and the tests that they name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import ROOT

FOLDER = ROOT / "docs" / "operations"
PAGES = sorted(FOLDER.glob("*.md"))
NAVIGATION = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_is_reached(page: Path) -> None:
    assert len(re.findall(rf"operations/{re.escape(page.name)}$", NAVIGATION, re.MULTILINE)) == 1
    assert page.name == "index.md" or f"]({page.name})" in (FOLDER / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["index.md", "security.md"])
def test_the_tests_that_a_page_names_are_there(name: str) -> None:
    named = re.findall(r"`(tests/[\w/.*]+)`", (FOLDER / name).read_text(encoding="utf-8"))
    assert len(named) > 8
    for path in named:
        assert (ROOT / path).exists() or list(ROOT.glob(path)), path


def test_every_manifest_is_described() -> None:
    described = (FOLDER / "deploy.md").read_text(encoding="utf-8")
    for file in (FOLDER / "kubernetes").glob("*.yaml"):
        assert f"kubernetes/{file.name})" in described
