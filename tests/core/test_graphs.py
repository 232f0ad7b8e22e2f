"""Networks that are no chains: values that several layers read, several inputs, layers that nothing reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from core.activations.choice import Function
from core.arrays import Shape
from core.convention import Convention
from core.layers import Layer
from core.layers.activation import ActivationLayer
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
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import (
    assert_backward_is_the_derivative,
    assert_same,
    backpropagated,
    central_differences,
    solved,
)

ONE: dict[str, Shape] = {"input": (4, 4)}

GRAPHS: dict[str, tuple[Sequence[Layer], dict[str, Shape]]] = {
    "skip connection": (
        [
            Dense(units=3, activation="tanh", name="a"),
            Dense(units=3, activation="relu", name="b"),
            Add(inputs=["a", "b"], activation="sigmoid"),
            Dense(units=2),
        ],
        ONE,
    ),
    "skip over a layer in place": (
        [
            Dense(units=4, activation="sigmoid", name="a"),
            Dense(units=4, activation="relu"),
            Multiply(inputs=["a", "2"]),
        ],
        ONE,
    ),
    "one value read by four layers": (
        [
            Dense(units=3, activation="tanh", name="shared"),
            Dense(units=2, inputs=["shared"], activation="sin", name="p"),
            Dense(units=2, inputs=["shared"], activation="softplus", name="q"),
            Concatenate(inputs=["p", "q"], name="both"),
            Dense(units=3, inputs=["both"], activation="softmax", name="r"),
            Multiply(inputs=["shared", "r", "shared"]),
        ],
        ONE,
    ),
    "one value read twice by each kind that reads two": (
        [
            Dense(units=4, activation="tanh", name="a"),
            Add(inputs=["a", "a"], name="sum"),
            Multiply(inputs=["a", "a"], name="square"),
            Matmul(inputs=["a", "a"], name="product"),
            Subtract(inputs=["sum", "square"], name="difference"),
            Concatenate(inputs=["difference", "product", "difference"]),
        ],
        ONE,
    ),
    "batch read again at the end": (
        [Dense(units=4, activation="elu"), Subtract(inputs=["input", "1"]), Multiply(inputs=["2", "input"])],
        ONE,
    ),
    "three named inputs": (
        [
            Dense(units=3, inputs=["image"], activation="tanh", name="i"),
            Dense(units=3, inputs=["text"], activation="tanh", name="t"),
            Add(inputs=["i", "t", "offset"]),
        ],
        {"image": (4, 2), "text": (4, 5), "offset": (4, 3)},
    ),
    "attention by hand": (
        [
            Reshape(shape=[2, 2], name="x"),
            Dense(units=3, name="q"),
            Dense(units=3, inputs=["x"], name="k"),
            Dense(units=2, inputs=["x"], name="v"),
            Transpose(inputs=["k"], name="k'"),
            Matmul(inputs=["q", "k'"], activation=Function(function="softmax", gain=0.5), name="weights"),
            Matmul(inputs=["weights", "v"]),
            Flatten(order="column_scan"),
        ],
        ONE,
    ),
    "activations on activations": (
        [
            ActivationLayer(function="sigmoid", activation="tanh"),
            ActivationLayer(function="softmax", activation="sigmoid"),
            ActivationLayer(function="silu", activation="relu"),
        ],
        ONE,
    ),
    "views of views": (
        [
            Dense(units=6, activation="tanh"),
            Reshape(shape=[2, 3]),
            Transpose(activation="sin"),
            Reshape(shape=[6]),
            Transpose(),
            Transpose(activation="tanh"),
            Dense(units=2),
        ],
        ONE,
    ),
    "a layer that nothing reads": (
        [
            Dense(units=3, activation="tanh", name="used"),
            Dense(units=2, activation="tanh", name="unread"),
            Dense(units=2, inputs=["used"]),
        ],
        ONE,
    ),
    "output of rank 1": (
        [Dense(units=3, activation="tanh"), ReduceSum(axis=1, keep_axis=False, activation="sin")],
        ONE,
    ),
    "output of rank 0": (
        [Dense(units=3, activation="tanh"), ReduceMean(axis=[0, 1], keep_axis=False, activation="exp")],
        ONE,
    ),
}

every_graph = pytest.mark.parametrize("graph", GRAPHS)


@pytest.mark.parametrize("loss", [HalfSquaredError(reduction="sum", l2=0.1), Upstream()], ids=lambda loss: loss.kind)
@pytest.mark.parametrize("convention", CONVENTIONS)
@every_graph
def test_backward_is_the_derivative(graph: str, convention: Convention, loss: HalfSquaredError | Upstream) -> None:
    layers, inputs = GRAPHS[graph]
    shapes = inputs if convention != "column" else {name: shape[::-1] for name, shape in inputs.items()}
    assert_backward_is_the_derivative(sampled(layers, shapes, convention=convention, loss=loss))


@every_graph
def test_backward_agrees_with_central_differences(graph: str) -> None:
    problem = sampled(*GRAPHS[graph])
    assert_same(backpropagated(problem), central_differences(problem), 1e-7)


def test_a_value_less_itself_is_zero_and_so_are_all_gradients() -> None:
    layers = [Dense(units=3, name="b", activation="tanh"), Subtract(inputs=["b", "b"])]
    plan = solved(sampled(layers, ONE, loss=Upstream()))
    assert not plan.output.any()
    assert not plan.gradients.gradients["b"]["weight"].any()
    assert not plan.gradients.input_gradients["input"].any()


def test_a_product_with_zeros_has_the_gradients_that_division_would_miss() -> None:
    factors = {"a": np.array([[0.0, 2, 0]]), "b": np.array([[3.0, 0, 0]]), "c": np.array([[5.0, 7, 9]])}
    layers = [Multiply(inputs=["a", "b", "c"])]
    problem = sampled(layers, {name: (1, 3) for name in factors}, loss=Upstream(), upstream=np.ones((1, 3)))
    for name, values in factors.items():
        problem.inputs[name][...] = values
    found = solved(problem).gradients.input_gradients
    np.testing.assert_array_equal(found["a"], [[15, 0, 0]])
    np.testing.assert_array_equal(found["b"], [[0, 14, 0]])
    np.testing.assert_array_equal(found["c"], [[0, 0, 0]])


def test_an_unread_layer_has_gradients_of_zero_and_a_warning() -> None:
    problem = sampled(*GRAPHS["a layer that nothing reads"])
    assert [(issue.code, issue.path) for issue in problem.warnings] == [("unread-layer", ("network", "layers", 1))]
    assert not solved(problem).gradients.gradients["unread"]["weight"].any()


def test_an_unread_input_has_a_gradient_of_zero() -> None:
    problem = sampled([Dense(units=2, inputs=["a"])], {"a": (3, 2), "b": (3, 4)})
    np.testing.assert_array_equal(solved(problem).gradients.input_gradients["b"], np.zeros((3, 4)))


@pytest.mark.parametrize("axis", [1, [0, 1]])
@pytest.mark.parametrize("fused", [True, False])
def test_a_loss_reads_an_output_of_low_rank(axis: int | list[int], fused: bool) -> None:
    last = ReduceMean(axis=axis, keep_axis=False, activation="sigmoid" if fused else "identity")
    layers = [Dense(units=3), last] if fused else [Dense(units=3), last, ActivationLayer(function="sigmoid")]
    targets = np.ones(4) if axis == 1 else np.array(1.0)
    assert_backward_is_the_derivative(sampled(layers, ONE, loss=BinaryCrossEntropy(), targets=targets))


def test_an_upstream_gradient_of_a_single_number_may_be_a_number() -> None:
    layers = [ReduceSum(axis=[0, 1], keep_axis=False)]
    plan = solved(sampled(layers, ONE, loss=Upstream(), upstream=np.array(3.0)))
    np.testing.assert_array_equal(plan.gradients.input_gradients["input"], np.full((4, 4), 3.0))
