"""Reductions, extremes and local normalisation are those of onnx's evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnxruntime import InferenceSession  # type: ignore[import-untyped]

from app.models.formats.onnx.comparison import _output
from core.arrays import Array
from tests.app.models.onnx_files.sample import normal
from tests.app.models.onnx_operators.files import assert_same, file_of, imported, kinds, outcomes, refusal_of

X = normal(4, 3, 5)
REDUCTIONS = [
    f"Reduce{name}" for name in ("Max", "Min", "Mean", "Sum", "L1", "L2", "SumSquare", "LogSum", "LogSumExp", "Prod")
]


@pytest.mark.parametrize("operator", REDUCTIONS)
@pytest.mark.parametrize("axes", [[1], [-1], [1, 2]])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_reductions_along_any_axes(operator: str, axes: list[int], keepdims: int) -> None:
    inputs = {"x": np.abs(X) + 0.1 if operator == "ReduceLogSum" else X}
    assert_same(file_of([(operator, "x a", "y", {"keepdims": keepdims})], {"a": np.array(axes)}, inputs), inputs)


def test_the_logarithm_of_a_sum_of_exponentials_does_not_overflow() -> None:
    far = {"x": X * 1000}
    content = file_of([("ReduceLogSumExp", "x a", "y")], {"a": np.array([1])}, {"x": X})
    shifted = far["x"] - far["x"].max(axis=1, keepdims=True)
    expected = np.log(np.exp(shifted).sum(axis=1, keepdims=True)) + far["x"].max(axis=1, keepdims=True)
    np.testing.assert_allclose(_output(imported(content), far), expected, rtol=1e-14)


def test_reductions_over_the_examples_are_refused() -> None:
    for operator in REDUCTIONS:
        content = file_of([(operator, "x a", "y")], {"a": np.array([0])}, {"x": X})
        assert "reduces the axis of the examples" in refusal_of(content)


SMALL: dict[str, tuple[list[Any], dict[str, Array], dict[str, Array]]] = {
    "global max": ([("GlobalMaxPool", "x", "y")], {}, {"x": normal(2, 3, 4, 4)}),
    "max of two": ([("Max", "x z", "y")], {}, {"x": X, "z": normal(4, 3, 5)}),
    "min of three, one twice": ([("Min", "x z x", "y")], {}, {"x": X, "z": normal(4, 3, 5)}),
    "max of far numbers": ([("Max", "x z", "y")], {}, {"x": X, "z": np.sign(X) * 1e20}),
    "at least": ([("Max", "x c", "y")], {"c": np.array(-0.25)}, {"x": X}),
    "at least 0": ([("Max", "c x", "y")], {"c": np.zeros((1, 1))}, {"x": X}),
    "at most the smaller": ([("Min", "c x d", "y")], {"c": np.array(1.0), "d": np.array([0.5])}, {"x": X}),
}


@pytest.mark.parametrize("name", SMALL)
def test_extremes(name: str) -> None:
    written, constants, inputs = SMALL[name]
    assert_same(file_of(written, constants, inputs), inputs)


def test_extremes_that_no_layer_has_are_refused() -> None:
    for written, constants in (
        ([("Max", "x c", "y")], {"c": normal(5)}),
        ([("Max", "x c", "y")], {"c": np.zeros((1, 1, 1, 1))}),
        ([("Abs", "x", "a"), ("Min", "x a c", "y")], {"c": np.array(1.0)}),
        ([("ReduceMax", "x a", "r"), ("Max", "x r", "y")], {"a": np.array([1])}),
    ):
        assert refusal_of(file_of(written, constants, {"x": X})).startswith(("Max", "Min"))


def test_the_largest_number_of_a_sequence() -> None:
    content = file_of([("GlobalMaxPool", "x", "y")], {}, {"x": X})
    np.testing.assert_array_equal(_output(imported(content), {"x": X}), X.max(axis=2, keepdims=True))


@pytest.mark.parametrize("size", [1, 3, 5])
def test_local_response_normalisation_has_the_window_of_onnx(size: int) -> None:
    node = ("LRN", "x", "y", {"size": size, "alpha": 0.75, "beta": 0.5, "bias": 2.0})
    X = normal(2, 6, 3, 3, dtype=np.float32)
    content = file_of([node], {}, {"x": X})
    assert kinds(content) == ["local_response_norm"]
    (expected,) = InferenceSession(content).run(None, {"x": X})
    np.testing.assert_allclose(_output(imported(content), {"x": X}), expected, rtol=1e-5)


def test_the_node_tests_of_onnx() -> None:
    right, refused = outcomes(*REDUCTIONS, "GlobalMaxPool", "LRN", "Max", "Min", "Clip")
    assert len(right) >= 60
    reasons = ("axis of the examples", "must be a constant", "one bound", "Incompatible dimensions")
    assert all(any(reason in why for reason in reasons) for why in refused.values()), refused
