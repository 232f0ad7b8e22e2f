"""batch_norm, layer_norm and rms_norm against loops, in train and eval, and where nothing varies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from core.arrays import Array, Shape
from core.errors import Refusal
from core.layers import Layer
from core.layers.batch_norm import BatchNorm
from core.layers.layer_norm import LayerNorm
from core.layers.rms_norm import RmsNorm
from core.losses.upstream import Upstream
from tests.core.layers.forward import ran, result
from tests.core.sample import sampled
from tests.gradient import solved

NORMS: list[Layer] = [BatchNorm(epsilon=0.0), LayerNorm(epsilon=0.0), RmsNorm(epsilon=0.0)]
shapes = array_shapes(min_dims=2, max_dims=4, max_side=4)


def random(*shape: int) -> Array:
    return np.random.default_rng(0).normal(3, 2, shape)


def parameters(features: int) -> dict[str, Array]:
    generator = np.random.default_rng(1)
    return {"gamma": generator.standard_normal(features), "beta": generator.standard_normal(features)}


@given(shape=shapes, epsilon=st.sampled_from([1e-5, 0.5]))
def test_batch_norm_standardises_every_channel(shape: Shape, epsilon: float) -> None:
    X, given = random(*shape), parameters(shape[1])
    found = result(BatchNorm(epsilon=epsilon), X, parameters=given)
    for c in range(shape[1]):
        channel = X[:, c]
        standardised = (channel - channel.mean()) / np.sqrt(channel.var() + epsilon)
        np.testing.assert_allclose(found[:, c], given["gamma"][c] * standardised + given["beta"][c], atol=1e-12)


@given(shape=shapes, epsilon=st.sampled_from([1e-5, 0.5]))
def test_layer_norm_and_rms_norm_take_the_features_of_each_example(shape: Shape, epsilon: float) -> None:
    X, given = random(*shape), parameters(shape[-1])
    found = result(LayerNorm(epsilon=epsilon), X, parameters=given)
    divided = result(RmsNorm(epsilon=epsilon), X, parameters={"gamma": given["gamma"]})
    for index in np.ndindex(shape[:-1]):
        row = X[index]
        standardised = (row - row.mean()) / np.sqrt(row.var() + epsilon)
        np.testing.assert_allclose(found[index], given["gamma"] * standardised + given["beta"], atol=1e-12)
        expected = given["gamma"] * row / np.sqrt((row**2).mean() + epsilon)
        np.testing.assert_allclose(divided[index], expected, atol=1e-12)


@pytest.mark.parametrize("layer", NORMS, ids=lambda layer: layer.kind)
def test_under_column_the_features_are_rows(layer: Layer) -> None:
    X = random(4, 3)
    np.testing.assert_allclose(result(layer, X.T, convention="column"), result(layer, X).T, rtol=1e-14)


def test_running_statistics_start_at_0_and_1_and_move_by_the_momentum() -> None:
    X = random(5, 3)
    first = ran(BatchNorm(momentum=0.25), X).new_state["1"]
    np.testing.assert_allclose(first["running_mean"], 0.25 * X.mean(axis=0))
    np.testing.assert_allclose(first["running_variance"], 0.75 + 0.25 * X.var(axis=0, ddof=1))
    second = ran(BatchNorm(momentum=0.25), 2 * X, state=first).new_state["1"]
    np.testing.assert_allclose(second["running_mean"], 0.75 * first["running_mean"] + 0.5 * X.mean(axis=0))


def test_the_state_that_was_sent_is_left_alone_and_a_second_run_does_not_move_it_further() -> None:
    state = {"running_mean": np.zeros(3), "running_variance": np.ones(3)}
    plan = ran(BatchNorm(), random(5, 3), state=state)
    once = {name: array.copy() for name, array in plan.new_state["1"].items()}
    plan.forward()
    for name, array in once.items():
        np.testing.assert_array_equal(plan.new_state["1"][name], array)
    np.testing.assert_array_equal(state["running_mean"], 0)


def test_eval_uses_the_running_statistics_and_returns_them() -> None:
    X, given = random(1, 3), parameters(3)
    state = {"running_mean": np.array([1.0, 2, 3]), "running_variance": np.array([4.0, 1, 0.25])}
    plan = ran(BatchNorm(mode="eval", epsilon=0.0), X, parameters=given, state=state)
    expected = given["gamma"] * (X - [1, 2, 3]) / [2, 1, 0.5] + given["beta"]
    np.testing.assert_allclose(plan.output, expected)
    np.testing.assert_array_equal(plan.new_state["1"]["running_variance"], state["running_variance"])


def test_eval_is_elementwise() -> None:
    problem = sampled([BatchNorm(mode="eval")], {"input": (3, 2)}, loss=Upstream(), upstream=np.eye(3, 2))
    dX = solved(problem).gradients.input_gradients["input"]
    assert np.count_nonzero(dX) == 2


def test_eval_needs_its_state() -> None:
    with pytest.raises(Refusal) as refusal:
        ran(BatchNorm(mode="eval"), random(2, 3))
    assert [issue.path for issue in refusal.value.issues] == [
        ("state", "1", "running_mean"),
        ("state", "1", "running_variance"),
    ]
    with pytest.raises(Refusal, match="has shape \\[3\\], not \\[2\\]"):
        ran(BatchNorm(), random(2, 3), state={"running_mean": np.zeros(2)})


def test_a_single_example_gives_beta_and_a_warning() -> None:
    given = parameters(3)
    plan = ran(BatchNorm(), random(1, 3), parameters=given)
    np.testing.assert_array_equal(plan.output, [given["beta"]])
    np.testing.assert_array_equal(plan.new_state["1"]["running_variance"], 1)
    assert [issue.code for issue in plan.warnings] == ["single-example"]
    assert plan.warnings[0].path == ("network", "layers", 0)
    assert not ran(BatchNorm(), random(2, 3)).warnings
    assert not ran(BatchNorm(), random(1, 3, 2)).warnings


def refusal_of(layer: Layer, X: Array, **fields: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ran(layer, X, **fields)
    (issue,) = caught.value.issues
    assert issue.code == "non-finite"
    assert issue.path == ("network", "layers", 0)
    assert issue.hint == "Send an epsilon above 0."
    return caught.value


def test_without_epsilon_a_constant_feature_is_refused_with_its_place() -> None:
    """0.1 + 0.1 + 0.1 is not 0.3: the variance of equal numbers need not come out as 0."""
    X = random(3, 4)
    X[:, 2] = 0.1
    assert "[3, 4] that it reads, the numbers at [:, 2] are all the same" in str(refusal_of(BatchNorm(epsilon=0.0), X))
    assert "[4, 3] that it reads, the numbers at [2, :]" in str(
        refusal_of(BatchNorm(epsilon=0.0), X.T, convention="column")
    )
    assert "[:, 0]" in str(refusal_of(BatchNorm(epsilon=0.0), random(1, 3)))
    images = random(2, 3, 2, 2)
    images[:, 1] = 7
    assert "[:, 1, :, :]" in str(refusal_of(BatchNorm(epsilon=0.0), images))


def test_without_epsilon_an_example_without_spread_or_size_is_refused() -> None:
    X = random(2, 3, 4)
    X[1, 2] = 0.1
    assert "[1, 2, :] are all the same" in str(refusal_of(LayerNorm(epsilon=0.0), X))
    X[1, 2] = 0
    assert "[1, 2, :] and ε are all 0" in str(refusal_of(RmsNorm(epsilon=0.0), X))
    assert "[0, :] are all the same" in str(refusal_of(LayerNorm(epsilon=0.0), random(2, 1)))


@pytest.mark.parametrize("variance", [0.0, -1.0])
def test_a_running_variance_without_a_root_is_refused(variance: float) -> None:
    state = {"running_mean": np.zeros(2), "running_variance": np.array([1, variance])}
    layer = BatchNorm(mode="eval", epsilon=0.0)
    assert "[:, 1] have a running_variance" in str(refusal_of(layer, random(3, 2), state=state))


@pytest.mark.parametrize("layer", NORMS, ids=lambda layer: layer.kind)
def test_a_vector_is_refused(layer: Layer) -> None:
    with pytest.raises(Refusal, match=f"Layer '1': {layer.kind} .*shape \\[3\\]"):
        ran(layer, random(3))


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e6, 1e150])
def test_without_epsilon_the_scale_of_the_inputs_does_not_matter(scale: float) -> None:
    X = random(5, 3)
    for layer in NORMS:
        np.testing.assert_allclose(result(layer, scale * X), result(layer, X), rtol=1e-9, atol=1e-12)
