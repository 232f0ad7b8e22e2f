"""docs/reference and the lists in hand-written pages are what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from core.activations import FUNCTIONS
from core.layers import KINDS
from core.losses import LOSSES
from core.optimizers import OPTIMIZERS
from tests import ROOT
from tests.docs import storeys
from tests.docs.reference import FOLDER, lists, pages, with_lists

COMMAND = "run `make reference`"
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name], COMMAND


def test_every_page_is_written_here() -> None:
    assert {file.name for file in FOLDER.iterdir()} == PAGES.keys()


@pytest.mark.parametrize("file", lists(), ids=lambda file: str(file.name))
def test_the_lists_of_a_page_are_what_the_code_says(file: Path) -> None:
    assert with_lists(file) == file.read_text(encoding="utf-8"), COMMAND


@pytest.mark.parametrize(
    ("page", "names"),
    [("layers.md", KINDS), ("losses.md", LOSSES), ("activations.md", FUNCTIONS), ("optimizers.md", OPTIMIZERS)],
)
def test_no_entry_is_left_out(page: str, names: dict[str, object]) -> None:
    for name in names:
        assert f"\n## {name}\n" in PAGES[page]
        assert f"| [`{name}`]" in PAGES[page]


def test_every_operation_and_every_setting_is_listed() -> None:
    for path, methods in create_app().openapi()["paths"].items():
        for method in methods:
            assert f"| `{method.upper()} {path}` |" in PAGES["endpoints.md"]
    for name in Settings.model_fields:
        assert f"| `GRADD_{name.upper()}` |" in PAGES["settings.md"]


def test_the_picture_shows_every_package_in_its_storey() -> None:
    assert storeys.FILE.read_text(encoding="utf-8") == storeys.svg(), COMMAND
    for package in ("app", "core"):
        folder = ROOT / package
        packages = {file.stem for file in folder.iterdir() if file.suffix == ".py" or (file / "__init__.py").exists()}
        assert packages - {"__init__"} <= set(storeys.drawn())
