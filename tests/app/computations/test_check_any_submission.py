"""Whatever is submitted is answered: tensors of any shape and size are mistakes to find, never a reason to fail."""

from __future__ import annotations

import copy
from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import CLASSES, SKIP, XOR
from tests.systems.network import post

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)
IMAGES: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "conv2d", "filters": 2, "kernel_size": 2, "activation": "relu"},
            {"kind": "max_pool2d", "size": 2},
            {"kind": "flatten"},
            {"kind": "batch_norm"},
            {"kind": "dense", "units": 2, "activation": "softmax"},
        ]
    },
    "seed": 1,
    "batch": {"inputs": RNG.standard_normal((3, 1, 5, 5)).tolist(), "targets": [0, 1, 1]},
    "loss": {"kind": "cross_entropy"},
    "convention": "column",
}
SEQUENCES: dict[str, Any] = {
    "network": {
        "layers": [
            {"kind": "lstm", "units": 2, "return_sequences": True},
            {"kind": "multi_head_attention", "heads": 1},
            {"kind": "reduce_mean", "axis": 1, "keep_axis": False},
            {"kind": "dense", "units": 1},
        ]
    },
    "seed": 1,
    "batch": {"inputs": RNG.standard_normal((3, 4, 2)).tolist(), "targets": [[0], [1], [1]]},
    "loss": {"kind": "mean_absolute_error"},
}
PROBLEMS = {"xor": XOR, "classes": CLASSES, "skip": SKIP, "images": IMAGES, "sequences": SEQUENCES}
PARTS = ["loss", "activations", "preactivations", "deltas", "gradients", "input_gradient"]


def damaged(value: Any, rng: np.random.Generator) -> Any:
    """A tensor transposed, scaled, cut down to a number, flattened, wrapped, replaced, or slightly off."""
    array = np.array(value, float)
    return [
        array.T,
        array * rng.choice([3, -1, 2, 0.5, 1e90, 1e-90, 0]),
        array.ravel()[0],
        array.ravel(),
        array[np.newaxis],
        rng.standard_normal(rng.integers(1, 4, size=rng.integers(1, 4))),
        array + 1e-5 * rng.standard_normal(array.shape),
    ][int(rng.integers(7))].tolist()


def damage(submission: dict[str, Any], rng: np.random.Generator) -> None:
    """Damage one tensor of a submission."""
    part = str(rng.choice(list(submission)))
    if part == "loss":
        submission[part] = float(rng.choice([0, 1e300, -3, 0.5]))
    elif part == "input_gradient":
        submission[part] = damaged(submission[part], rng)
    else:
        layer = str(rng.choice(list(submission[part])))
        if part == "gradients":
            name = str(rng.choice(list(submission[part][layer])))
            submission[part][layer][name] = damaged(submission[part][layer][name], rng)
        else:
            submission[part][layer] = damaged(submission[part][layer], rng)


@pytest.mark.parametrize("name", PROBLEMS)
def test_any_submission_is_answered(client: httpx.Client, name: str) -> None:
    problem = {key: value for key, value in PROBLEMS[name].items() if key != "include"}
    answer = post(client, **problem, include=PARTS)
    whole = {part: answer[part] for part in PARTS if part in answer}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        submission = copy.deepcopy(whole)
        for _ in range(int(rng.integers(1, 4))):
            damage(submission, rng)
        if rng.random() < 0.5:
            submission.pop(str(rng.choice(list(submission))))
        response = client.post("/v1/check", json={**problem, "submission": submission})
        assert response.status_code == 200, response.text
        assert b"null" not in response.content
        assert b"NaN" not in response.content
