"""Kinks at the time steps of a layer that reads in both directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking import SubmissionSpec
from core.checking.checker import Checker, Tolerance
from core.layers import KINDS
from core.losses import LOSSES
from core.problem_spec import ProblemSpec
from core.problem_validation import validate


@pytest.mark.parametrize("slopes", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
def test_any_slope_of_relu_at_0_is_right_in_either_direction(slopes: tuple[float, float]) -> None:
    """In sequences of zeros every sum is 0: a kink at every time step of both directions."""
    random = np.random.default_rng(8)
    P = {
        f"{name}{end}": random.standard_normal(shape)
        for end in ("", "_reverse")
        for name, shape in (("weight", (2, 3)), ("recurrent_weight", (3, 3)))
    }
    X = random.standard_normal((2, 3, 2)) * np.array([0.0, 1.0])[:, None, None]
    rnn: Any = KINDS["rnn"]
    loss: Any = LOSSES["upstream"]
    upstream = random.standard_normal((2, 3, 6))
    sent = ProblemSpec(
        layers=[rnn(units=3, nonlinearity="relu", bias=False, return_sequences=True, bidirectional=True)],
        inputs={"input": X},
        parameters={"1": P},
        loss=loss(),
        upstream=upstream,
    )
    problem = validate(sent)
    found: dict[str, Any] = {}
    for end, step, D, slope in (("", 1, upstream[..., :3], slopes[0]), ("_reverse", -1, upstream[..., 3:], slopes[1])):
        W, U, read = P[f"weight{end}"], P[f"recurrent_weight{end}"], X[:, ::step]
        a, h = [], [np.zeros((2, 3))]
        for t in range(3):
            a.append(read[:, t] @ W + h[-1] @ U)
            h.append(np.maximum(a[-1], 0))
        dW, dU, later = np.zeros_like(W), np.zeros_like(U), np.zeros((2, 3))
        for t in reversed(range(3)):
            da = (D[:, ::step][:, t] + later) * np.where(a[t] == 0, slope, a[t] > 0)
            dW, dU, later = dW + read[:, t].T @ da, dU + h[t].T @ da, da @ U.T
        found |= {f"weight{end}": dW, f"recurrent_weight{end}": dU}
    report = Checker(problem, lambda: None).report(SubmissionSpec(gradients={"1": found}), {"float64"}, Tolerance())
    assert report.verdict == "correct"
