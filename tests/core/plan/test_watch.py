"""What a plan does while somebody waits: it names numbers that are none, and it can be ended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.activations.choice import Function
from core.errors import Issue, Refusal
from core.layers.activation import ActivationLayer
from core.layers.add import Add
from core.layers.dense import Dense
from core.layers.reduce_sum import ReduceSum
from core.losses.cross_entropy import CrossEntropy
from core.losses.upstream import Upstream
from core.plan import Retain
from core.problem import Problem
from tests.core.sample import sampled
from tests.gradient import build_plan


def refusal_of(problem: Problem, retain: Retain | None = None) -> Issue:
    """What a watched run refuses."""
    plan = build_plan(problem, check_deadline=lambda: None, retain=retain)
    with pytest.raises(Refusal) as refusal, np.errstate(all="ignore"):
        plan.forward()
        plan.backward()
    (issue,) = refusal.value.issues
    assert issue.code == "non-finite"
    return issue


def constant(activation: str | Function, value: float, *, bias: float = 0.0, **fields: Any) -> Problem:
    """A healthy layer, and one whose weights are all `value` and which reads ones; then a healthy one."""
    layers = [
        ActivationLayer(function="identity", name="first"),
        Dense(units=2, activation=activation, name="sick"),
        Dense(units=2, name="last"),
    ]
    problem = sampled(layers, {"input": (3, 1)}, **fields)
    problem.inputs["input"][...] = 1
    problem.parameters["sick"]["weight"][...] = value
    problem.parameters["sick"]["bias"][...] = bias
    return problem


@pytest.mark.parametrize("retain", [Retain(), Retain(preactivations=True, deltas=True)])
def test_exp_of_1000_is_named(retain: Retain) -> None:
    issue = refusal_of(constant("exp", 1000.0), retain)
    assert issue.path == ("network", "layers", 1)
    assert issue.detail == "The activation of layer 'sick' at [0, 0] is infinite: it is exp(1000)."
    assert issue.got == "infinite"
    assert issue.hint == "The largest finite number in float64 is 1.8e+308."


def test_log_of_minus_1_is_named() -> None:
    issue = refusal_of(constant("log", -1.0))
    assert issue.detail == "The activation of layer 'sick' at [0, 0] is NaN: it is log(-1)."


def test_the_first_element_is_named() -> None:
    problem = constant("log", 1.0)
    problem.inputs["input"][2] = 0
    issue = refusal_of(problem)
    assert issue.detail == "The activation of layer 'sick' at [2, 0] is infinite: it is log(0)."


def test_a_product_that_overflows_float32_is_named() -> None:
    problem = constant("relu", 1e30, dtype="float32")
    problem.inputs["input"][...] = 1e30
    issue = refusal_of(problem)
    assert issue.detail == (
        "The preactivation of layer 'sick' at [0, 0] is infinite: dense combines inputs up to 1e+30 and a weight up to "
        "1e+30 and a bias up to 0."
    )
    assert issue.hint == "The largest finite number in float32 is 3.4e+38."


def test_a_single_number_that_overflows_is_named() -> None:
    layers = [ReduceSum(axis=[0, 1], keep_axis=False)]
    problem = sampled(layers, {"input": (3, 1)}, dtype="float32", loss=Upstream())
    problem.inputs["input"][...] = 3e38
    assert refusal_of(problem).detail.startswith("The preactivation of layer '1' is infinite: reduce_sum combines")


def test_the_logarithm_of_a_chance_of_0_is_named() -> None:
    layers = [ActivationLayer(function="identity")]
    problem = sampled(layers, {"input": (2, 2)}, loss=CrossEntropy(), targets=np.eye(2))
    problem.inputs["input"][...] = [[0, 1], [0.5, 0.5]]
    issue = refusal_of(problem)
    assert issue.path == ("network", "layers", 0)
    assert issue.detail == (
        "The loss of layer '1' is infinite: cross_entropy compares outputs from 0 to 1 with targets from 0 to 1."
    )


def test_a_delta_that_overflows_is_named() -> None:
    steep = Function(function="tanh", gain=1e20)
    issue = refusal_of(constant(steep, 0.0, dtype="float32", loss=Upstream(), upstream=np.full((3, 2), 1e30)))
    assert issue.path == ("network", "layers", 1)
    assert issue.detail.startswith(
        "The delta of layer 'sick' at [0, 0] is infinite: it is formed from an upstream gradient"
    )


def test_a_gradient_that_overflows_is_named() -> None:
    problem = sampled(
        [Dense(units=1)], {"input": (1, 1)}, dtype="float32", loss=Upstream(), upstream=np.array([[1e30]])
    )
    problem.inputs["input"][...] = 1e10
    issue = refusal_of(problem)
    assert issue.detail == (
        "The gradient of the weight of layer '1' at [0, 0] is infinite: it is formed from deltas up to 1e+30 and inputs "
        "up to 1e+10."
    )


def test_a_sum_of_gradients_that_overflows_is_named() -> None:
    layers = [Dense(units=1, name="fork"), Add(inputs=["fork", "fork"])]
    upstream = np.full((1, 1), 3e38)
    issue = refusal_of(sampled(layers, {"input": (1, 1)}, dtype="float32", loss=Upstream(), upstream=upstream))
    assert issue.detail.startswith("The delta of layer 'fork' at [0, 0] is infinite")


def test_the_product_with_an_upstream_gradient_may_overflow_as_it_is_not_reported() -> None:
    layers = [ActivationLayer(function="identity")]
    upstream = np.full((2, 2), 3e38)
    plan = build_plan(
        sampled(layers, {"input": (2, 2)}, dtype="float32", loss=Upstream(), upstream=upstream),
        check_deadline=lambda: None,
    )
    plan.inputs["input"][...] = 10
    with np.errstate(all="ignore"):
        plan.forward()
        plan.backward()
    np.testing.assert_array_equal(plan.gradients.input_gradients["input"], upstream.astype(np.float32))


def test_an_unwatched_run_does_not_look() -> None:
    plan = build_plan(constant("exp", 1000.0))
    with np.errstate(all="ignore"):
        plan.forward()
    assert not np.isfinite(plan.output).all()


def test_ordinary_numbers_raise_no_warning_and_no_refusal() -> None:
    plan = build_plan(constant("sigmoid", 800.0), check_deadline=lambda: None)
    plan.forward()
    plan.backward()


class TimeIsUp(Exception):
    """What the interrupt of these tests raises."""


@pytest.mark.parametrize("layers_done", range(6))
def test_an_interrupt_ends_a_run_after_any_layer(layers_done: int) -> None:
    calls = []

    def check_deadline() -> None:
        calls.append(1)
        if len(calls) > layers_done:
            raise TimeIsUp

    plan = build_plan(constant("tanh", 1.0), check_deadline=check_deadline)
    with pytest.raises(TimeIsUp):
        plan.forward()
        plan.backward()
    assert len(calls) == layers_done + 1


def test_an_interrupt_is_asked_after_every_layer_in_both_directions() -> None:
    calls: list[int] = []
    plan = build_plan(constant("tanh", 1.0), check_deadline=lambda: calls.append(1))
    plan.forward()
    assert len(calls) == 3
    plan.backward()
    assert len(calls) == 6
