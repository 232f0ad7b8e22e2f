"""A plan runs many times, and every run gives what a new plan would give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import core.arrays
import core.plan.forward
from core.activations.choice import Function
from core.arrays import Array
from core.layers.add import Add
from core.layers.dense import Dense
from core.losses import LOSSES
from core.losses.upstream import Upstream
from core.plan import Plan, Retain
from core.problem import Problem
from tests.core.losses.loss_cases import CASES, Case, bits, distributions
from tests.core.sample import sampled
from tests.core.test_graphs import GRAPHS
from tests.gradient import assert_same, build_plan, complex_steps, gradients_of, solved

every_graph = pytest.mark.parametrize("graph", GRAPHS)
every_loss = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
FUSED = [("cross_entropy", "softmax"), ("kullback_leibler", "softmax"), ("binary_cross_entropy", "sigmoid")]


@pytest.fixture(params=["packed", "unpacked"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How weights and activations lie in memory."""
    if request.param == "unpacked":
        monkeypatch.setattr(core.plan.forward, "PACKED", 0)
        monkeypatch.setattr(core.arrays, "SMALL", 0)
    return str(request.param)


def results_of(plan: Plan) -> dict[str, Array]:
    """Everything that a plan has to show, copied."""
    shown = gradients_of(plan) | {"output": plan.output, "loss": np.asarray(plan.loss.total)}
    shown |= {f"activation of {name}": array for name, array in plan.activations.items()}
    return {name: np.array(array) for name, array in shown.items()}


def assert_a_rerun_is_a_new_run(one: Problem, other: Problem) -> None:
    """A plan of one problem, fed with the numbers of another, gives what the other's own plan gives."""
    assert other.objective is not None
    plan = solved(one)
    for name, array in other.inputs.items():
        plan.inputs[name][...] = array
    for layer, named in other.parameters.items():
        for name, array in named.items():
            plan.parameters[layer][name][...] = array
    plan.loss.targets[...] = other.objective.targets
    plan.forward()
    plan.backward()
    assert_same(results_of(plan), results_of(solved(other)), 1e-15)


@every_graph
def test_new_numbers_give_what_a_new_plan_gives(graph: str, memory: str) -> None:
    assert_a_rerun_is_a_new_run(*(sampled(*GRAPHS[graph], seed=seed) for seed in (1, 2)))


@every_loss
def test_new_targets_give_what_a_new_plan_gives(case: Case, memory: str) -> None:
    layers = [Dense(units=3, activation=Function(function="softmax", gain=0.5))]
    assert_a_rerun_is_a_new_run(*(case.problem(layers, (4, 3), seed=seed) for seed in (1, 2)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("kind", "activation"), FUSED)
def test_new_targets_of_a_fused_loss_give_what_a_new_plan_gives(kind: str, activation: str, weighted: bool) -> None:
    """One-hot targets first, then others: what was true of the first must not be assumed of the second."""
    construct: Callable[..., Any] = LOSSES[kind]
    fields: dict[str, Any] = {"sample_weight": np.array([1.0, 2, 3, 4])} if weighted else {}
    problems = []
    for draw in (bits, distributions):
        targets = np.eye(3)[[0, 1, 2, 0]] if draw is bits else 0.7 * draw(np.random.default_rng(2), (4, 3))
        layers = [Dense(units=3, activation=activation)]
        problems.append(sampled(layers, {"input": (4, 2)}, loss=construct(), targets=targets, **fields))
    assert_a_rerun_is_a_new_run(*problems)
    assert_a_rerun_is_a_new_run(*problems[::-1])


@every_graph
def test_a_second_run_of_the_same_numbers_gives_the_same_bits(graph: str, memory: str) -> None:
    plan = solved(sampled(*GRAPHS[graph]))
    first = results_of(plan)
    plan.forward()
    plan.backward()
    for name, array in results_of(plan).items():
        np.testing.assert_array_equal(array, first[name], err_msg=name)


@every_graph
def test_the_same_problem_gives_the_same_bits(graph: str, memory: str) -> None:
    one, two = (results_of(solved(sampled(*GRAPHS[graph]))) for _ in range(2))
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name], err_msg=name)


@every_graph
@pytest.mark.parametrize(("packed", "small"), [(0, 0), (0, 2**17), (2**19, 0)])
def test_memory_order_changes_no_number(graph: str, packed: int, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = sampled(*GRAPHS[graph])
    expected = results_of(solved(problem))
    monkeypatch.setattr(core.plan.forward, "PACKED", packed)
    monkeypatch.setattr(core.arrays, "SMALL", small)
    assert_same(results_of(solved(problem)), expected, 1e-13)


@every_graph
@pytest.mark.parametrize("deltas", [False, True])
@pytest.mark.parametrize("preactivations", [False, True])
def test_what_is_kept_changes_no_gradient(graph: str, deltas: bool, preactivations: bool, memory: str) -> None:
    problem = sampled(*GRAPHS[graph])
    expected = results_of(solved(problem))
    kept = solved(problem, Retain(deltas=deltas, preactivations=preactivations, input_gradients=True))
    for name, array in results_of(kept).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    alone = solved(problem, Retain(deltas=deltas, preactivations=preactivations))
    assert not alone.gradients.input_gradients
    for layer, named in alone.gradients.gradients.items():
        for name, array in named.items():
            np.testing.assert_array_equal(array, expected[f"{layer}.{name}"])


@pytest.mark.parametrize("activation", ["tanh", "relu", "gelu", "softmax", "identity"])
def test_a_delta_is_the_gradient_at_the_preactivation(activation: str, memory: str) -> None:
    """A probe that is added to Z, and is 0, has the same gradient as Z."""
    last = Dense(units=2, activation="sigmoid", name="last")
    plain = [Dense(units=3, activation=activation, name="hidden"), last]
    probed = [
        Dense(units=3, name="hidden", inputs=["input"]), Add(inputs=["hidden", "probe"], activation=activation), last,
    ]  # fmt: skip
    problem = sampled(plain, {"input": (4, 2)})
    other = sampled(probed, {"input": (4, 2), "probe": (4, 3)})
    other.inputs["probe"][...] = 0
    for layer, named in problem.parameters.items():
        for name, array in named.items():
            other.parameters[layer][name][...] = array
    other.inputs["input"][...] = problem.inputs["input"]
    assert problem.objective is not None and other.objective is not None
    other.objective.targets[...] = problem.objective.targets
    plan = solved(problem, Retain(deltas=True, preactivations=True))
    assert_same({"delta": plan.gradients.deltas["hidden"]}, {"delta": complex_steps(other)["batch.probe"]}, 1e-12)
    assert set(plan.gradients.deltas) == {"hidden", "last"}
    weight, bias = problem.parameters["hidden"].values()
    np.testing.assert_allclose(plan.preactivations["hidden"], problem.inputs["input"] @ weight + bias, rtol=1e-13)


def test_a_plan_without_a_loss_has_none() -> None:
    problem = sampled([Dense(units=2)], {"input": (3, 2)}, loss=Upstream())
    with pytest.raises(LookupError):
        _ = build_plan(problem, backward=False).gradients
    bare = Plan(problem.nodes, problem.inputs, problem.parameters, dtype=problem.dtype)
    bare.forward()
    with pytest.raises(LookupError):
        _ = bare.loss
