"""embedding: the product with one-hot rows, and what is no class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from core.arrays import Shape
from core.derivatives.certificate import certify
from core.errors import Refusal
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.layers.embedding import Embedding
from core.layers.flatten import Flatten
from core.losses.upstream import Upstream
from tests.core.layers.forward import ran, result
from tests.core.sample import CONVENTIONS, sampled
from tests.gradient import solved


@given(shape=array_shapes(max_dims=3, max_side=4), vocabulary=st.integers(1, 6), seed=st.integers(0, 99))
def test_is_the_product_with_one_hot_rows(shape: Shape, vocabulary: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    classes, upstream = random.integers(vocabulary, size=shape), random.standard_normal((*shape, 2))
    layer = Embedding(vocabulary_size=vocabulary, units=2)
    fields: dict[str, Any] = {"loss": Upstream(), "upstream": upstream}
    problem = sampled([layer], {"input": shape}, **fields)
    problem.inputs["input"][...] = classes
    plan = solved(problem)
    one_hot = np.eye(vocabulary)[classes].reshape(-1, vocabulary)
    weight = problem.parameters["1"]["weight"]
    np.testing.assert_array_equal(plan.output.reshape(-1, 2), one_hot @ weight)
    gradient = plan.gradients.gradients["1"]["weight"]
    np.testing.assert_allclose(gradient, one_hot.T @ upstream.reshape(-1, 2), rtol=1e-13, atol=1e-14)
    np.testing.assert_array_equal(plan.gradients.input_gradients["input"], 0)


def test_the_weight_is_vocabulary_x_units_in_every_convention() -> None:
    W = np.arange(6.0).reshape(3, 2)
    layer, classes = Embedding(vocabulary_size=3, units=2), np.array([[2, 0], [1, 1], [0, 2]])
    row = result(layer, classes, parameters={"weight": W})
    np.testing.assert_array_equal(row, W[classes])
    np.testing.assert_array_equal(result(layer, classes, parameters={"weight": W}, convention="torch"), row)
    np.testing.assert_array_equal(result(layer, classes.T, parameters={"weight": W}, convention="column"), row)


def test_float32_holds_every_class_number() -> None:
    layer = Embedding(vocabulary_size=2**24, units=1)
    last = ran(layer, np.array([2.0**24 - 1]), dtype="float32")
    assert last.output[0] == last.parameters["1"]["weight"][-1]


@pytest.mark.parametrize("number", [-1, 3, 0.5, 1e300])
def test_refuses_what_is_no_class(number: float) -> None:
    classes = np.array([[0, 1, 2], [2, 0, number]])
    for convention in CONVENTIONS:
        with pytest.raises(Refusal) as caught:
            ran(Embedding(vocabulary_size=3, units=2, name="words"), classes, convention=convention)
        (issue,) = caught.value.issues
        assert issue.code == "invalid-request"
        assert issue.path == ("network", "layers", 0)
        assert issue.detail.startswith(
            f"Layer 'words': {number:.17g} at [1, 2] of the tensor that it reads is not a class"
        )
        assert issue.expected == [0, 2]
        assert issue.hint == ("Classes are counted from 0." if number == 3 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rough(ActivationLayer):
    """A layer through which no complex step passes."""

    complex_safe = False


@pytest.mark.parametrize("last", [ActivationLayer(function="sin"), Rough(function="sin")])
def test_certificates_leave_class_numbers_where_they_are(last: ActivationLayer) -> None:
    layers = [Flatten(inputs=["words"]), Embedding(vocabulary_size=5, units=3), Flatten(), Dense(units=2), last]
    problem = sampled(layers, {"words": (4, 3)})
    gradients = solved(problem).gradients
    certificate = certify(problem, gradients.gradients, gradients.input_gradients)
    assert certificate.method == ("complex_step" if last.complex_safe else "central_difference")
    assert certificate.relative_error < (1e-13 if last.complex_safe else 1e-8)
    assert certificate.directional_derivative
