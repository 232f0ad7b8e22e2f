"""Targets, weights of examples and overflows in a known form: answered as a server without caches answers them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.examples import XOR
from tests.app.http.served import Pair
from tests.app.http.test_hostile_forms import GRADIENTS, assert_a_form_survives, written

pytestmark = pytest.mark.usefixtures("unhurried")

CLASSES: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 3}]},
    "parameters": {"1": {"weight": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "bias": [0.1, 0.2, 0.3]}},
    "batch": {"inputs": [[1, 2], [3, 4], [5, 6], [7, 8]], "targets": [0, 1, 2, 1], "sample_weight": [1, 2, 3, 2]},
    "loss": {"kind": "softmax_cross_entropy"},
}


@pytest.mark.parametrize(
    "targets",
    [
        "[0,1,2,3]",
        "[0,1,2,-1]",
        "[0.5,1,2,0]",
        "[1e300,0,0,0]",
        "[2,2,2,2]",
        "[-0.0,1,2,0]",
        "[[0],[1],[2],[1]]",
        "[[0],[1],[2],[1.5]]",
        "[0,1,2]",
        "[[0,1,2,1]]",
        "[1,1,1,null]",
        "3",
    ],
)
def test_targets_that_are_no_classes(pair: Pair, targets: str) -> None:
    assert_a_form_survives(pair, CLASSES, written(CLASSES, ("batch", "targets"), targets))


@pytest.mark.parametrize(
    "weights",
    [
        "[0,0,0,0]",
        "[1,-1,1,1]",
        "[-0.0,1,2,3]",
        "[0.0,1,2,3]",
        "[1e308,1e308,1e308,1e308]",
        "[5e-324,0,0,0]",
        "[1,2,3]",
        "[[1,2,3,2]]",
        "[2,4,6,4]",
        "null",
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_odd_sample_weights(pair: Pair, weights: str, dtype: str) -> None:
    body = {**CLASSES, "dtype": dtype}
    assert_a_form_survives(pair, body, written(body, ("batch", "sample_weight"), weights))


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "half_squared_error"])
def test_a_weight_of_negative_zero(pair: Pair, loss: str) -> None:
    """The share -0.0 equals 0.0, and makes deltas of other bits."""
    body = copy.deepcopy(CLASSES)
    body["loss"]["kind"] = loss
    body["batch"]["targets"] = [[0.2, 0.3, 0.5]] * 4
    answers = []
    for weights in ("[0.0,1,2,3]", "[0.0,1,2,3]", "[-0.0,1,2,3]", "[-0.0,1,2,3]", "[0.0,1,2,3]"):
        answers.append(pair.post(GRADIENTS, written(body, ("batch", "sample_weight"), weights)))
    assert answers[0] == answers[4] != answers[2]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", ["1e30", "1e39", "1e160", "1e308", "-1e308", "1e-320"])
def test_overflow_inside(pair: Pair, dtype: str, number: str) -> None:
    body = {**XOR, "dtype": dtype, "include": ["loss", "output", "gradients", "input_gradient"]}
    row = f"[[{number},{number},{number}],[{number},1,-{number.lstrip('-')}]]"
    places = [
        (("parameters", "1", "weight"), row),
        (("parameters", "out", "bias"), f"[{number}]"),
        (("batch", "inputs", 0), f"[{number},{number}]"),
    ]
    assert_a_form_survives(pair, body, *(written(body, place, token) for place, token in places))
