"""Every loss: its value, its gradient, its reductions and weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.arrays import Array, Shape
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses import LOSSES
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from tests.core.losses.loss_cases import CASES, Case
from tests.core.sample import sampled
from tests.gradient import assert_backward_is_the_derivative, assert_same, backpropagated, central_differences, solved

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_reduction = pytest.mark.parametrize("reduction", ["mean", "sum"])
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
THROUGH = [ActivationLayer(function="identity")]


def weights_for(case: Case, shape: Shape, weighted: bool) -> dict[str, Any]:
    """The field sample_weight, or none."""
    if not weighted or case.kind == "upstream":
        return {}
    return {"sample_weight": np.linspace(0.0, 2.0, shape[0] + 1)[1:]}


def shares_of(case: Case, reduction: str, fields: dict[str, Any], examples: int) -> Array:
    """What every example contributes to the loss of the batch."""
    weight = np.asarray(fields.get("sample_weight", np.ones(examples)))
    return weight / weight.sum() if reduction == "mean" and case.kind != "upstream" else weight


def test_no_loss_is_left_out() -> None:
    elsewhere = {"normalized_cuts"}  # It reads matrices: test_normalized_cuts.py.
    assert {case.kind for case in CASES} | elsewhere == set(LOSSES)


@every_reduction
@every_case
@settings(max_examples=10)
@given(shape=shapes, weighted=st.booleans(), seed=st.integers(0, 99))
@example(shape=(1, 1), weighted=False, seed=0)
@example(shape=(4, 3), weighted=True, seed=0)
def test_the_value_and_gradient_are_those_of_the_formula(
    case: Case, reduction: str, shape: Shape, weighted: bool, seed: int
) -> None:
    shape += (1,) * (case.least_rank - len(shape))
    fields = weights_for(case, shape, weighted)
    problem = case.problem(THROUGH, shape, loss=case.loss(reduction=reduction), seed=seed, **fields)
    assert problem.objective is not None
    plan = solved(problem)
    expected = np.array([case.value(a, y) for a, y in zip(plan.output, problem.objective.targets, strict=True)])
    scale = 1 + np.abs(expected).max()
    np.testing.assert_allclose(plan.loss.per_example(), expected, rtol=0, atol=1e-13 * scale)
    shares = shares_of(case, reduction, fields, shape[0])
    assert plan.loss.total == pytest.approx(float(shares @ expected), rel=0, abs=1e-13 * scale * shares.sum())
    assert_backward_is_the_derivative(problem)


@every_case
def test_the_gradient_agrees_with_central_differences(case: Case) -> None:
    problem = case.problem(THROUGH, (3, 4))
    assert_same(backpropagated(problem), central_differences(problem), 1e-7)


@pytest.mark.parametrize("case", [case for case in CASES if case.kind != "upstream"], ids=lambda case: case.name)
@every_reduction
def test_an_example_of_weight_two_counts_like_two_examples(case: Case, reduction: str) -> None:
    problem = case.problem(THROUGH, (3, 4), loss=case.loss(reduction=reduction), sample_weight=np.array([1.0, 2, 0]))
    assert problem.objective is not None
    twice = [0, 1, 1]
    repeated = replace(
        problem,
        inputs={"input": problem.inputs["input"][twice]},
        objective=replace(
            problem.objective,
            targets=problem.objective.targets[twice],
            coefficients=np.full(3, 1.0 if reduction == "sum" else 1 / 3),
        ),
    )
    weighted, apart = solved(problem), solved(repeated)
    assert weighted.loss.total == pytest.approx(float(apart.loss.total), rel=1e-13)
    found, expected = (plan.gradients.input_gradients["input"] for plan in (weighted, apart))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1] + expected[2], rtol=1e-13)
    assert not found[2].any()


@every_case
def test_float32_agrees_with_float64(case: Case) -> None:
    wide = case.problem(THROUGH, (3, 4))
    assert wide.objective is not None
    narrow = replace(wide, inputs={"input": wide.inputs["input"].astype(np.float32)}, dtype=np.dtype("float32"))
    assert solved(narrow).loss.total.dtype == np.float32
    assert solved(narrow).loss.total == pytest.approx(float(solved(wide).loss.total), rel=1e-5)
    assert_same(backpropagated(narrow), backpropagated(wide), 1e-5)


@pytest.mark.parametrize(
    ("kind", "targets"),
    [("cross_entropy", [[0.0, 1]]), ("kullback_leibler", [[0.0, 1]]), ("binary_cross_entropy", [[0.0, 1]])],
)
def test_a_chance_of_0_where_nothing_is_expected_is_no_error(kind: str, targets: list[list[float]]) -> None:
    (case, *_) = [case for case in CASES if case.kind == kind]
    problem = case.problem(THROUGH, (1, 2))
    assert problem.objective is not None
    problem.objective.targets[...] = problem.inputs["input"][...] = targets
    plan = solved(problem)
    assert plan.loss.total == 0
    expected = [[1.0, -1]] if kind == "binary_cross_entropy" else [[0.0, -1]]
    np.testing.assert_array_equal(plan.gradients.input_gradients["input"], expected)


@every_reduction
def test_l2_penalises_weights_alone_and_after_the_reduction(reduction: Any) -> None:
    layers = [Dense(units=3, activation="tanh"), Dense(units=2)]
    fields = {"sample_weight": np.array([1.0, 3, 2])}
    problem = sampled(layers, {"input": (3, 2)}, loss=HalfSquaredError(reduction=reduction, l2=0.5), **fields)
    without = sampled(layers, {"input": (3, 2)}, loss=HalfSquaredError(reduction=reduction), **fields)
    plan, plain = solved(problem), solved(without)
    weights = [named["weight"] for named in problem.parameters.values()]
    assert plan.loss.terms["data"] == plain.loss.total
    assert plan.loss.terms["l2"] == pytest.approx(0.25 * sum(float((W * W).sum()) for W in weights), rel=1e-14)
    assert plan.loss.total == plan.loss.terms["data"] + plan.loss.terms["l2"]
    for layer in ("1", "2"):
        penalty = 0.5 * problem.parameters[layer]["weight"]
        found, expected = plan.gradients.gradients[layer], plain.gradients.gradients[layer]
        np.testing.assert_allclose(found["weight"], expected["weight"] + penalty, rtol=1e-14)
        np.testing.assert_array_equal(found["bias"], expected["bias"])
    assert_backward_is_the_derivative(problem)


def test_upstream_is_a_vector_jacobian_product() -> None:
    layers = [Dense(units=3, activation="tanh"), Dense(units=2, activation="softmax")]

    def product(upstream: Array) -> dict[str, Array]:
        return backpropagated(sampled(layers, {"input": (2, 3)}, loss=Upstream(), upstream=upstream))

    upstream = np.array([[2.0, -1], [0.5, 3]])
    rows_of_jacobian = {index: product(np.eye(4)[2 * index[0] + index[1]].reshape(2, 2)) for index in np.ndindex(2, 2)}
    combined = {
        path: sum(upstream[index] * row[path] for index, row in rows_of_jacobian.items()) for path in product(upstream)
    }
    assert_same(product(upstream), combined, 1e-13)  # type: ignore[arg-type]


def test_upstream_takes_the_gradient_of_any_loss_as_it_is() -> None:
    layers = [Dense(units=3, activation="tanh"), Dense(units=2)]
    problem = sampled(layers, {"input": (4, 3)}, loss=HalfSquaredError(reduction="mean"))
    assert problem.objective is not None
    error = (solved(problem).output - problem.objective.targets) / 4
    assert_same(
        backpropagated(sampled(layers, {"input": (4, 3)}, loss=Upstream(), upstream=error)),
        backpropagated(problem),
        1e-13,
    )
