"""Functions, normalisations and arrangements without a layer of their own are those of onnx's evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from tests.app.models.onnx_files.sample import OF_FLOAT32, normal
from tests.app.models.onnx_operators.files import assert_same, file_of, kinds, outcomes, refusal_of

X = normal(4, 3, 5)
X32 = X.astype(np.float32)
IMAGES = normal(3, 8, 4, 6)
SMALL: dict[str, tuple[list[Any], dict[str, Array], dict[str, Array]]] = {
    "celu": ([("Celu", "x", "y", {"alpha": 0.5})], {}, {"x": X32}),
    "celu as elu": ([("Celu", "x", "y")], {}, {"x": X32}),
    "gelu by tanh": ([("Gelu", "x", "y", {"approximate": "tanh"})], {}, {"x": X}),
    "gelu by tanh, read twice": (
        [("MatMul", "x w", "a"), ("Gelu", "a", "g", {"approximate": "tanh"}), ("Relu", "g", "b"), ("Add", "b g", "y")],
        {"w": normal(5, 5)},
        {"x": X},
    ),
    "soft shrink": ([("Shrink", "x", "y", {"lambd": 0.5, "bias": 0.5})], {}, {"x": X}),
    "thresholded at 0": ([("ThresholdedRelu", "x", "y", {"alpha": 0.0})], {}, {"x": X}),
    "unit length": ([("LpNormalization", "x", "y", {"axis": 1})], {}, {"x": X}),
    "tiled": ([("Tile", "x r", "y")], {"r": np.array([1, 2, 3])}, {"x": X}),
    "tiled once": ([("Tile", "x r", "y")], {"r": np.array([1, 1, 1])}, {"x": X}),
    "expanded": (
        [("ReduceSum", "x a", "b"), ("Expand", "b s", "c"), ("Mul", "c x", "y")],
        {"a": np.array([2]), "s": np.array([1, 1, 5])},
        {"x": X},
    ),
    "expanded to its own shape": ([("Expand", "x s", "y")], {"s": np.array([1, 3, 1])}, {"x": X}),
    "blocks of channels": ([("DepthToSpace", "x", "y", {"blocksize": 2})], {}, {"x": IMAGES}),
    "blocks of channels, depth first": (
        [("DepthToSpace", "x", "y", {"blocksize": 2, "mode": "CRD"})],
        {},
        {"x": IMAGES},
    ),
    "blocks of positions": ([("SpaceToDepth", "x", "y", {"blocksize": 2})], {}, {"x": IMAGES}),
    "there and back": (
        [
            ("SpaceToDepth", "x", "a", {"blocksize": 2}),
            ("Relu", "a", "b"),
            ("DepthToSpace", "b", "y", {"blocksize": 2}),
        ],
        {},
        {"x": IMAGES},
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_operators_without_a_layer_of_their_own(name: str) -> None:
    written, constants, inputs = SMALL[name]
    single = inputs["x"].dtype == np.float32
    assert_same(file_of(written, constants, inputs), inputs, 1e-5 if single else OF_FLOAT32)


@pytest.mark.parametrize("axes", [[1], [2], [1, 2]])
def test_mean_and_variance_of_single_examples(axes: list[int]) -> None:
    content = file_of([("MeanVarianceNormalization", "x", "y", {"axes": axes})], {}, {"x": X32})
    assert_same(content, {"x": X32}, 1e-5)


def test_the_approximation_of_gelu_is_three_layers() -> None:
    assert kinds(file_of([("Gelu", "x", "y", {"approximate": "tanh"})], {}, {"x": X})) == [
        "activation",
        "add",
        "multiply",
    ]


@pytest.mark.parametrize("operator", ["Sign", "Ceil", "Floor", "Round"])
def test_functions_through_which_no_gradient_passes_are_refused(operator: str) -> None:
    assert "its derivative is 0" in refusal_of(file_of([(operator, "x", "y")], {}, {"x": X}))


def test_what_jumps_or_reaches_over_examples_is_refused() -> None:
    for node, constants, why in (
        (("Shrink", "x", "y"), {}, "jumps"),
        (("ThresholdedRelu", "x", "y"), {}, "jumps"),
        (("Celu", "x", "y", {"alpha": -1.0}), {}, "not positive"),
        (("Tile", "x r", "y"), {"r": np.array([2, 1, 1])}, "repeats examples"),
        (("Tile", "x r", "y"), {"r": np.array([1, 1, 2000])}, "more than 1000"),
        (("Expand", "x s", "y"), {"s": np.array([2, 1, 3, 5])}, "adds axes or examples"),
        (("LpNormalization", "x", "y", {"axis": 0}), {}, "over the examples"),
        (("MeanVarianceNormalization", "x", "y", {"axes": [0, 2]}), {}, "over the examples"),
    ):
        assert why in refusal_of(file_of([node], constants, {"x": X32}))


def test_the_node_tests_of_onnx() -> None:
    operators = ("Celu", "Gelu", "Shrink", "ThresholdedRelu", "Tile", "Expand", "DepthToSpace", "SpaceToDepth", "Sign")
    right, refused = outcomes(*operators)
    assert len(right) >= 11
    assert all(any(why in text for why in ("jumps", "examples", "derivative is 0")) for text in refused.values())


def test_a_chosen_step_that_two_nodes_read_is_not_changed_by_one_of_them() -> None:
    written = [("Transpose", "x", "t", {"perm": [1, 0, 2]}), ("Gather", "t i", "h", {"axis": 0}), ("Relu", "h", "r")]
    assert_same(file_of([*written, ("Add", "h r", "y")], {"i": np.array(2)}, {"x": X}), {"x": X})
