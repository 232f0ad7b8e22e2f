"""The mistakes where tensors meet and part, made by a program for a small graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking import Report, SubmissionSpec
from core.checking.quantity import Quantity
from tests.core.checking.other_programs import layer, problem
from tests.core.checking.student import examined

MISTAKES: dict[str, tuple[str, tuple[str, ...]]] = {
    "first branch lost": ("branch-lost", ("stem",)),
    "second branch lost": ("branch-lost", ("stem",)),
    "third branch lost": ("branch-lost", ("stem",)),
    "only the last branch": ("fork-overwritten", ("stem",)),
    "second branch twice": ("branch-counted-twice", ("stem",)),
    "parts swapped": ("concatenated-parts-swapped", ("a", "b")),
    "sign of the subtraction": ("subtraction-sign-lost", ("c",)),
    "own factor": ("own-factor-in-product", ("scaled",)),
}


def report_of(mistake: str, seed: int, *, deltas: bool = True) -> Report:
    """The report on stem; a, b, c, all of it; [a b] joined; minus c; times a scaling of the stem; half the squared error."""
    rng = np.random.default_rng(seed)
    n = 6
    X, Y = rng.standard_normal((n, 3)), rng.standard_normal((n, 4))
    shapes = {"stem": (3, 5), "a": (5, 2), "b": (5, 2), "c": (5, 4), "scaled": (3, 4)}
    W = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    stem = np.tanh(X @ W["stem"])
    out = {name: np.tanh(stem @ W[name]) for name in "abc"} | {"scaled": np.tanh(X @ W["scaled"])}
    joined = np.hstack([out["a"], out["b"]])
    difference = joined - out["c"]
    D = {"product": (difference * out["scaled"] - Y) / n}
    D["difference"] = D["product"] * out["scaled"]
    d_scaled = D["product"] * (out["scaled"] if mistake == "own factor" else difference)
    parts = D["difference"][:, :2], D["difference"][:, 2:]
    first, second = reversed(parts) if mistake == "parts swapped" else parts
    sign = 1 if mistake == "sign of the subtraction" else -1
    arriving = {"a": first, "b": second, "c": sign * D["difference"], "scaled": d_scaled}
    D |= {name: gradient * (1 - out[name] ** 2) for name, gradient in arriving.items()}
    branches = [D[name] @ W[name].T for name in "abc"]
    counts = {
        "first branch lost": (0, 1, 1),
        "second branch lost": (1, 0, 1),
        "third branch lost": (1, 1, 0),
        "only the last branch": (0, 0, 1),
        "second branch twice": (1, 2, 1),
    }.get(mistake, (1, 1, 1))
    D["stem"] = sum(count * each for count, each in zip(counts, branches, strict=True)) * (1 - stem**2)
    reads = {"stem": X, "a": stem, "b": stem, "c": stem, "scaled": X}
    dense: dict[str, Any] = {"activation": "tanh", "bias": False}
    layers = [
        layer("dense", name="stem", units=5, **dense),
        layer("dense", name="a", inputs=["stem"], units=2, **dense),
        layer("dense", name="b", inputs=["stem"], units=2, **dense),
        layer("dense", name="c", inputs=["stem"], units=4, **dense),
        layer("dense", name="scaled", inputs=["input"], units=4, **dense),
        layer("concatenate", name="joined", inputs=["a", "b"]),
        layer("subtract", name="difference", inputs=["joined", "c"]),
        layer("multiply", name="product", inputs=["difference", "scaled"]),
    ]
    sent: dict[str, Any] = {"deltas": D} if deltas else {}
    return examined(
        problem(layers, X, Y, {name: {"weight": each} for name, each in W.items()}, "half_squared_error"),
        SubmissionSpec(gradients={name: {"weight": reads[name].T @ D[name]} for name in W}, **sent),
    )


def test_the_program_without_a_mistake_is_right() -> None:
    assert report_of("nothing", 1).verdict == "correct"


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_graph(mistake: str, seed: int, deltas: bool) -> None:
    cause, places = MISTAKES[mistake]
    report = report_of(mistake, seed, deltas=deltas)
    blamed = {(blame.quantity, blame.cause) for blame in report.blame}
    assert blamed == {(Quantity("deltas", place), cause) for place in places}, report.summary
