"""What layers compute, against loops and sums written out here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.arrays import Array, Shape
from core.convention import Convention, tensor
from core.layers import Layer
from core.layers.add import Add
from core.layers.concatenate import Concatenate
from core.layers.dense import Dense
from core.layers.flatten import Flatten
from core.layers.matmul import Matmul
from core.layers.multiply import Multiply
from core.layers.reduce_mean import ReduceMean
from core.layers.reduce_sum import ReduceSum
from core.layers.reshape import Reshape
from core.layers.subtract import Subtract
from core.layers.transpose import Transpose
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.core.sample import CONVENTIONS, sample
from tests.gradient import build_plan


def result_of(sent: ProblemSpec) -> Array:
    """The output as the caller's convention writes it."""
    plan = build_plan(validate(replace(sent, loss=None), needs_loss=False), backward=False)
    plan.forward()
    return tensor(plan.output, sent.convention or "row")


def result(layer: Layer, *arrays: Array, convention: Convention = "row") -> Array:
    """The result of a layer without parameters."""
    inputs = dict(zip("abcd", arrays, strict=False))
    return result_of(ProblemSpec(layers=[replace(layer, inputs=list(inputs))], inputs=inputs, convention=convention))


def counted(*shape: int) -> Array:
    """The numbers from 0 in an array of that shape."""
    return np.arange(float(np.prod(shape))).reshape(shape)


def dense_by_hand(X: Array, W: Array, b: Array) -> Array:
    """Z for X n x in and W in x out: every output of every example by itself."""
    Z = np.empty((len(X), len(b)))
    for example, unit in np.ndindex(Z.shape):
        Z[example, unit] = b[unit] + sum(X[example, i] * W[i, unit] for i in range(len(W)))
    return Z


def test_dense_solves_the_hidden_layer_of_xor() -> None:
    """Goodfellow, Bengio & Courville, Deep Learning (2016), §6.1."""
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    parameters = {"1": {"weight": np.ones((2, 2)), "bias": np.array([0.0, -1])}}
    sent = ProblemSpec(layers=[Dense(units=2)], inputs={"input": X}, parameters=parameters)
    np.testing.assert_array_equal(result_of(sent), [[0, -1], [1, 0], [1, 0], [2, 1]])


def test_dense_multiplies_as_each_convention_writes_it() -> None:
    for convention in CONVENTIONS:
        shape = (3, 4) if convention == "column" else (4, 3)
        sent = sample([Dense(units=2)], {"input": shape}, convention=convention)
        X, (W, b) = sent.inputs["input"], sent.parameters["1"].values()
        expected = {
            "row": lambda X=X, W=W, b=b: dense_by_hand(X, W, b),
            "column": lambda X=X, W=W, b=b: dense_by_hand(X.T, W.T, b).T,
            "torch": lambda X=X, W=W, b=b: dense_by_hand(X, W.T, b),
        }[convention]()
        np.testing.assert_allclose(result_of(sent), expected, rtol=1e-13)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_dense_runs_along_the_last_axis_of_a_sequence(convention: Convention) -> None:
    sent = sample([Dense(units=2)], {"input": (2, 3, 4)}, convention=convention)
    W, b = sent.parameters["1"].values()
    found = result_of(sent)
    for example in range(2):
        expected = dense_by_hand(sent.inputs["input"][example], W if convention == "row" else W.T, b)
        np.testing.assert_allclose(found[example], expected, rtol=1e-13)


def test_flatten_reads_row_by_row() -> None:
    np.testing.assert_array_equal(result(Flatten(), counted(2, 2, 3)), [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]])


def test_flatten_scans_each_map_by_columns() -> None:
    X = counted(2, 2, 2, 3)
    expected = [np.concatenate([image.ravel(order="F") for image in example]) for example in X]
    np.testing.assert_array_equal(result(Flatten(order="column_scan"), X), expected)
    np.testing.assert_array_equal(expected[0], [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])


def test_reshape_works_out_one_length() -> None:
    X = counted(2, 12)
    np.testing.assert_array_equal(result(Reshape(shape=[3, -1, 2]), X), X.reshape(2, 3, 2, 2))


def test_a_flattened_image_is_a_column_under_column() -> None:
    found = result(Flatten(), counted(2, 3, 2), convention="column")
    np.testing.assert_array_equal(found, counted(2, 6).T)


@pytest.mark.parametrize("shapes", [[(2, 3), (2, 3)], [(2, 3), (1, 3), (3,)], [(2, 1, 3), (4, 1)]])
def test_arithmetic_stretches_by_numpys_rule(shapes: list[Shape]) -> None:
    first, second, *rest = arrays = [counted(*shape) + 1 for shape in shapes]
    assert not rest or len(rest) == 1
    total, product = sum(arrays), np.prod(np.broadcast_arrays(*arrays), axis=0)
    np.testing.assert_array_equal(result(Add(), *arrays), total)
    np.testing.assert_array_equal(result(Multiply(), *arrays), product)
    np.testing.assert_array_equal(result(Subtract(), first, second), first - second)


@pytest.mark.parametrize(("axis", "along"), [(None, 1), (0, 0), (1, 1), (-1, 1), (-2, 0)])
def test_concatenate_counts_axes_as_sent(axis: int | None, along: int) -> None:
    A, B = counted(2, 2), -counted(2, 2)
    np.testing.assert_array_equal(result(Concatenate(axis=axis), A, B), np.concatenate([A, B], along))
    under_column = np.concatenate([A, B], 0 if axis is None else along)
    np.testing.assert_array_equal(result(Concatenate(axis=axis), A, B, convention="column"), under_column)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_matmul_multiplies_matrices_as_sent(convention: Convention) -> None:
    A, B = counted(2, 3), counted(3, 4)
    np.testing.assert_array_equal(result(Matmul(), A, B, convention=convention), A @ B)
    stacks = counted(2, 3, 2), counted(2, 2, 4)
    expected = [stacks[0][i] @ stacks[1][i] for i in range(2)]
    np.testing.assert_array_equal(result(Matmul(), *stacks, convention=convention), expected)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_transpose_takes_axes_as_sent(convention: Convention) -> None:
    A, stack = counted(2, 3), counted(2, 3, 4)
    np.testing.assert_array_equal(result(Transpose(), A, convention=convention), A.T)
    np.testing.assert_array_equal(result(Transpose(axes=[0, 1]), A, convention=convention), A)
    found = result(Transpose(axes=[2, 0, 1]), stack, convention=convention)
    assert found.shape == (4, 2, 3)
    assert all(found[k, i, j] == stack[i, j, k] for i, j, k in np.ndindex(2, 3, 4))


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("axis", [0, 1, -1, [0, 1], []])
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_reductions_count_axes_as_sent(convention: Convention, axis: int | list[int], keep: bool) -> None:
    A = counted(2, 3)
    axes = tuple(axis) if isinstance(axis, list) else axis
    total = result(ReduceSum(axis=axis, keep_axis=keep), A, convention=convention)
    np.testing.assert_array_equal(total, A.sum(axes, keepdims=keep))
    mean = result(ReduceMean(axis=axis, keep_axis=keep), A, convention=convention)
    np.testing.assert_allclose(mean, A.mean(axes, keepdims=keep), rtol=1e-15)


def test_a_reduction_leaves_the_examples_apart_by_default() -> None:
    A = counted(2, 3)
    np.testing.assert_array_equal(result(ReduceSum(), A), [3, 12])
    np.testing.assert_array_equal(result(ReduceSum(keep_axis=True), A), [[3], [12]])
    np.testing.assert_array_equal(result(ReduceSum(keep_axis=True), A, convention="column"), [[3, 5, 7]])
    np.testing.assert_array_equal(result(ReduceSum(keep_axis=True), counted(2, 2, 2)), [[[6]], [[22]]])
