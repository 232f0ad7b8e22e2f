"""Random ONNX models: each comes in with onnxruntime's numbers, or is refused with a reason."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.app.models.onnx_files.differential import FAILED, GUARDED, SAME, WRONG, in_this_process, outcome_of
from tests.app.models.onnx_files.drawing import draw_model

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
COUNT = 400


def test_random_models_are_answered_with_the_numbers_of_onnxruntime_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    in_this_process(monkeypatch.setattr)
    found: Counter[str] = Counter()
    for seed in range(COUNT):
        content, inputs, opset = draw_model(seed)
        outcome = outcome_of(content, inputs)
        assert outcome.what not in (WRONG, FAILED, GUARDED), (seed, opset, outcome)
        found[outcome.what] += 1
    assert found[SAME] > COUNT / 4, found
