"""normalized_cuts: its formula with pseudo-inverses, its gradient through W = F Λ Fᵀ, its targets and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.derivatives.products import Direction, hessian_vector
from core.errors import Refusal
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.layers.matmul import Matmul
from core.layers.transpose import Transpose
from core.losses.normalized_cuts import NormalizedCuts
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import assert_same, backpropagated, central_differences, complex_steps, solved

LABELS = np.array([[0, 0, 1, 1, 2], [1, 0, 0, 1, 1]])
AFFINITY: list[Layer] = [
    Dense(units=2, bias=False, name="FΛ"),
    Transpose(inputs=["input"], name="F'"),
    Matmul(inputs=["FΛ", "F'"], name="W"),
]


def graph_problem(loss: NormalizedCuts | None = None, seed: int = 0, **fields: Any) -> Problem:
    """W = F Λ Fᵀ of two graphs with five nodes and two positive features each."""
    generator = np.random.default_rng(seed)
    fields.setdefault("targets", LABELS)
    return validate(
        ProblemSpec(
            layers=AFFINITY,
            inputs={"input": generator.uniform(0.2, 1.5, (2, 5, 2))},
            parameters={"FΛ": {"weight": np.array([[1.0, 0.3], [0.3, 0.7]])}},
            loss=loss or NormalizedCuts(),
            **fields,
        )
    )


def affinity_problem(W: Array, targets: Array = LABELS, loss: NormalizedCuts | None = None, **fields: Any) -> Problem:
    """The loss on affinities as they are."""
    layers = [ActivationLayer(function="identity")]
    return validate(
        ProblemSpec(layers=layers, inputs={"input": W}, loss=loss or NormalizedCuts(), targets=targets, **fields)
    )


def literal(W: Array, E: Array) -> float:
    """The definition, with NumPy's pseudo-inverse."""
    D = np.diag(W.sum(axis=1))
    M = np.linalg.inv(np.sqrt(D)) @ W @ np.linalg.inv(np.sqrt(D))
    Psi = np.sqrt(D) @ E @ E.T @ np.sqrt(D)
    of_M, of_Psi = (A @ np.linalg.pinv(A, rcond=1e-10) for A in (M, Psi))
    return float(0.5 * np.sum((of_M - of_Psi) ** 2))


def one_hot(labels: Array, clusters: int) -> Array:
    return np.asarray(np.eye(clusters)[labels])


def gaussian(seed: int = 0) -> Array:
    """Affinities of full rank."""
    points = np.random.default_rng(seed).standard_normal((2, 5, 2))
    distance: Array = points[:, :, None] - points[:, None]
    return np.asarray(np.exp(-np.square(distance).sum(axis=-1)))


def test_the_value_is_that_of_the_definition() -> None:
    problem = graph_problem()
    plan = solved(problem)
    F, weight = problem.inputs["input"], problem.parameters["FΛ"]["weight"]
    expected = [literal(F[i] @ weight @ F[i].T, one_hot(LABELS[i], 3)) for i in range(2)]
    np.testing.assert_allclose(plan.loss.per_example(), expected, rtol=1e-12)
    assert plan.loss.total == pytest.approx(np.mean(expected), rel=1e-12)
    assert solved(graph_problem(NormalizedCuts(reduction="sum"))).loss.total == pytest.approx(sum(expected), rel=1e-12)
    weighted = solved(graph_problem(sample_weight=np.array([3.0, 1.0]))).loss.total
    assert weighted == pytest.approx((3 * expected[0] + expected[1]) / 4, rel=1e-12)


@pytest.mark.parametrize("loss", [NormalizedCuts(), NormalizedCuts(reduction="sum", rank=2)])
def test_the_gradient_is_the_derivative(loss: NormalizedCuts) -> None:
    problem = graph_problem(loss)
    found = backpropagated(problem)
    assert_same(found, complex_steps(problem), 1e-11)
    assert_same(found, central_differences(problem), 1e-7)


@pytest.mark.parametrize("rank", [2, 3, 4])
def test_leading_vectors_of_an_affinity_of_full_rank(rank: int) -> None:
    problem = affinity_problem(gaussian(), loss=NormalizedCuts(rank=rank))
    found = backpropagated(problem)
    assert_same(found, complex_steps(problem), 1e-10)
    assert_same(found, central_differences(problem), 1e-7)


def test_the_leading_vector_alone_says_nothing() -> None:
    """√d is the leading eigenvector of a symmetric M, and in the space of every partition: ½ (clusters − 1)."""
    plan = solved(affinity_problem(gaussian(), loss=NormalizedCuts(rank=1)))
    np.testing.assert_allclose(plan.loss.per_example(), [1.0, 0.5], rtol=1e-12)
    np.testing.assert_allclose(plan.gradients.input_gradients["input"], 0, atol=1e-12)


def test_the_projector_of_a_matrix_of_full_rank_is_the_identity() -> None:
    """½ ‖I − Π_Ψ‖² = ½ (nodes − clusters), whatever the affinities are."""
    plan = solved(affinity_problem(gaussian()))
    np.testing.assert_allclose(plan.loss.per_example(), [1.0, 1.5], rtol=1e-12)
    np.testing.assert_allclose(plan.gradients.input_gradients["input"], 0, atol=1e-12)


def test_a_perfect_affinity_costs_nothing() -> None:
    W = np.stack([one_hot(labels, 3) @ one_hot(labels, 3).T for labels in LABELS])
    plan = solved(affinity_problem(W))
    assert plan.loss.total == pytest.approx(0, abs=1e-28)
    np.testing.assert_allclose(plan.gradients.input_gradients["input"], 0, atol=1e-14)


def test_partitions_are_sent_as_numbers_or_as_indicators() -> None:
    E = one_hot(LABELS, 3)
    expected = solved(graph_problem()).loss.total
    for targets, first_label in ((E, 0), (np.concatenate([E, 0 * E], axis=2)[:, :, :5], 0), (LABELS + 1, 1)):
        assert solved(graph_problem(targets=targets, first_label=first_label)).loss.total == expected


def test_a_node_may_be_in_no_cluster() -> None:
    problem = graph_problem(targets=one_hot(LABELS, 3) * (np.arange(5) < 4)[:, None])
    F, weight = problem.inputs["input"], problem.parameters["FΛ"]["weight"]
    expected = [literal(F[i] @ weight @ F[i].T, (np.eye(3)[LABELS[i]]) * (np.arange(5) < 4)[:, None]) for i in range(2)]
    np.testing.assert_allclose(solved(problem).loss.per_example(), expected, rtol=1e-12)
    assert_same(backpropagated(problem), complex_steps(problem), 1e-11)


def test_float32_agrees_with_float64() -> None:
    narrow = backpropagated(graph_problem(dtype="float32"))
    assert {array.dtype for array in narrow.values()} == {np.dtype("float32")}
    assert_same(narrow, backpropagated(graph_problem()), 1e-4)


def test_second_derivatives_pass() -> None:
    problem, h = graph_problem(), 1e-4
    v = np.random.default_rng(1).standard_normal((2, 5, 2))
    found = hessian_vector(problem, Direction({}, {"input": v})).inputs["input"]
    F, slopes = problem.inputs["input"].copy(), []
    for s in (-2, -1, 1, 2):
        problem.inputs["input"][...] = F + s * h * v
        slopes.append(solved(problem).gradients.input_gradients["input"].copy())
    expected = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / (12 * h)
    np.testing.assert_allclose(found, expected, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("W", "targets", "loss", "code", "path", "words"),
    [
        (np.ones((2, 5)), LABELS, NormalizedCuts(), "shape-mismatch", ("loss",), "shape [2, 5]"),
        (np.ones((2, 5, 4)), LABELS, NormalizedCuts(), "shape-mismatch", ("loss",), "square affinity"),
        (gaussian(), LABELS, NormalizedCuts(rank=6), "invalid-request", ("loss", "rank"), "5 nodes"),
        (gaussian(), LABELS + 3, NormalizedCuts(), "invalid-request", ("batch", "targets", 0, 4), "5 is not a class"),
        (
            gaussian(),
            np.ones((2, 5, 2)),
            NormalizedCuts(),
            "invalid-request",
            ("batch", "targets"),
            "example 0, node 0",
        ),
        (gaussian(), np.zeros((2, 5, 2)), NormalizedCuts(), "invalid-request", ("batch", "targets"), "no clusters"),
        (gaussian(), np.ones((2, 4, 2)), NormalizedCuts(), "shape-mismatch", ("batch", "targets"), "[2, 4, 2]"),
    ],
)
def test_refuses_before_it_computes(
    W: Array, targets: Array, loss: NormalizedCuts, code: str, path: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(Refusal) as refused:
        affinity_problem(W, targets, loss)
    (issue,) = refused.value.issues
    assert (issue.code, issue.path) == (code, path)
    assert words in issue.detail


@pytest.mark.parametrize(
    ("W", "loss", "path", "words"),
    [
        (-gaussian(), NormalizedCuts(), ("loss",), "node 0 of example 0"),
        (np.stack([np.eye(5)] * 2), NormalizedCuts(rank=2), ("loss", "rank"), "2 and 3"),
        (np.ones((2, 5, 5)), NormalizedCuts(rank=2), ("loss", "rank"), "equal in working precision"),
    ],
)
def test_refuses_affinities_without_a_projector(
    W: Array, loss: NormalizedCuts, path: tuple[str, ...], words: str
) -> None:
    with pytest.raises(Refusal) as refused:
        solved(affinity_problem(W, loss=loss))
    (issue,) = refused.value.issues
    assert (issue.code, issue.path) == ("non-finite", path)
    assert words in issue.detail
