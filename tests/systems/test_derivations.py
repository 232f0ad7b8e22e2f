"""docs/derivations is what the service answers, and has the printed arithmetic of its sources."""

from __future__ import annotations

import re
from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.derivations import FOLDER, pages, written

NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


@pytest.mark.parametrize("name", pages())
def test_the_page_is_current(client: httpx.Client, name: str) -> None:
    """`make derivations` writes the pages. Last digits may differ from machine to machine."""
    title, request = pages()[name]
    page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    answered = written(client, title, request)
    assert NUMBER.sub("#", page) == NUMBER.sub("#", answered), "run `make derivations`"
    numbers: Any = [[float(number) for number in NUMBER.findall(text)] for text in (page, answered)]
    np.testing.assert_allclose(numbers[0], numbers[1], rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize("printed", ["0.3775", "0.593269992", "0.75136507", "0.772928465", "0.298371109", "0.74136507",
                                     "0.186815602", "0.0821670406"])  # fmt: skip
def test_mazurs_numbers_stand_there(printed: str) -> None:
    assert printed in (FOLDER / "mazur.md").read_text(encoding="utf-8")
