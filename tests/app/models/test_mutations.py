"""Damaged files of every format come in or are refused: none is answered with 500, hangs, or takes much memory."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from app.models.formats.onnx import file as onnx_file
from tests.app.models import onnx_here
from tests.app.models.mutations import BYTES, files, memory, mutated, outcome_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
PARTS, COUNT = 6, 500


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_files_come_in_or_are_refused(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "_run_child", onnx_here.read_here)
    before, found = memory(), Counter[str]()
    for seed in range(part * COUNT, (part + 1) * COUNT):
        form, body = mutated(seed)
        try:
            found[outcome_of(body)] += 1
        except Exception as error:
            raise AssertionError(f"the {form} of seed {seed} is answered with 500") from error
    assert memory() - before < BYTES
    assert found["imported"], found
    assert found["refused"] > COUNT / 2, found


def test_the_service_answers_after_each(client: httpx.Client) -> None:
    for seed in range(10**6, 10**6 + 20):
        form, body = mutated(seed)
        response = client.post("/v1/models/import", content=body)
        assert response.status_code < 500, (seed, form, response.text)


def test_every_format_is_damaged() -> None:
    assert all(files().values())
    assert {mutated(seed)[0] for seed in range(400)} == files().keys()
