"""How much memory a plan takes, and when."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import core.plan.forward
from core.arrays import Array
from core.layers import Layer
from core.layers.add import Add
from core.layers.dense import Dense
from core.losses.cross_entropy import CrossEntropy
from core.plan import Plan, Retain
from core.problem import Problem
from tests.core.sample import sampled
from tests.gradient import build_plan

EXAMPLES, UNITS = 256, 300
LITTLE = 2**17
"""Bytes for Python's objects, for vectors of one number an example, and for the 64 KB in which NumPy broadcasts."""

BUFFER = EXAMPLES * UNITS * 8
"""Bytes of the largest activation."""


@pytest.fixture
def problem() -> Problem:
    """A classifier with 1.2 MB of parameters and 0.6 MB in each hidden activation."""
    layers = [Dense(units=UNITS, activation="relu"), Dense(units=UNITS, activation="tanh")]
    labels = np.arange(EXAMPLES) % 10.0
    output = Dense(units=10, activation="softmax")
    return sampled([*layers, output], {"input": (EXAMPLES, 200)}, loss=CrossEntropy(), targets=labels)


def traced(call: Callable[[], Any]) -> tuple[int, int]:
    """Bytes that are still held after a call, and the most that were held during it."""
    tracemalloc.start()
    try:
        result = call()
        held, peak = tracemalloc.get_traced_memory()
        del result
        return held, peak
    finally:
        tracemalloc.stop()


def size_of(parameters: dict[str, dict[str, Array]]) -> int:
    """Bytes of all parameters, or of all gradients."""
    return sum(array.nbytes for named in parameters.values() for array in named.values())


def test_the_backward_pass_takes_its_results_and_two_buffers(problem: Problem) -> None:
    """dA of a layer and dZ of the same layer exist at the same time; whatever else is needed reuses their memory."""
    forward, _ = traced(lambda: build_plan(problem, backward=False))
    both, _ = traced(lambda: build_plan(problem, retain=Retain()))
    gradients = size_of(build_plan(problem).gradients.gradients)
    assert both - forward <= gradients + 2 * BUFFER + LITTLE


def test_more_layers_take_no_more_buffers(problem: Problem) -> None:
    hidden = [Dense(units=UNITS, activation="relu") for _ in range(6)]
    deep = sampled([*hidden, Dense(units=1)], {"input": (EXAMPLES, UNITS)})
    forward, _ = traced(lambda: build_plan(deep, backward=False))
    both, _ = traced(lambda: build_plan(deep, retain=Retain()))
    gradients = size_of(build_plan(deep).gradients.gradients)
    assert both - forward <= gradients + 2 * BUFFER + LITTLE


def test_forks_take_at_most_one_more_buffer_however_many_there_are() -> None:
    """The gradient that a skip connection carries waits while that of the layers it skips is found."""
    layers: list[Layer] = [Dense(units=UNITS, activation="relu")]
    for number in range(5):
        layers += [
            Dense(units=UNITS, activation="tanh", name=f"inner {number}"),
            Add(inputs=[layers[-1].name or "1", f"inner {number}"], name=f"sum {number}"),
        ]
    deep = sampled(layers, {"input": (EXAMPLES, UNITS)})
    forward, _ = traced(lambda: build_plan(deep, backward=False))
    both, _ = traced(lambda: build_plan(deep, retain=Retain()))
    gradients = size_of(build_plan(deep).gradients.gradients)
    assert both - forward <= gradients + 3 * BUFFER + LITTLE


def test_kept_deltas_take_their_own_memory_and_no_more(problem: Problem) -> None:
    without, _ = traced(lambda: build_plan(problem, retain=Retain()))
    kept, _ = traced(lambda: build_plan(problem, retain=Retain(deltas=True)))
    assert kept - without <= BUFFER + EXAMPLES * 12 * 8 + LITTLE


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("run", [Plan.forward, Plan.backward])
def test_a_second_run_allocates_next_to_nothing(
    problem: Problem, run: Callable[[Plan], None], packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not packed:
        monkeypatch.setattr(core.plan.forward, "PACKED", 0)
    plan = build_plan(problem)
    plan.forward()
    plan.backward()
    _, peak = traced(lambda: run(plan))
    assert peak < LITTLE


def test_a_large_batch_is_used_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = sampled([Dense(units=2)], {"input": (40, 30)})
    monkeypatch.setattr(core.plan.forward, "PACKED", 1200 - 1)
    assert np.shares_memory(build_plan(problem).inputs["input"], problem.inputs["input"])
    monkeypatch.setattr(core.plan.forward, "PACKED", 1200)
    assert not np.shares_memory(build_plan(problem).inputs["input"], problem.inputs["input"])


@pytest.mark.parametrize("packed", [True, False])
def test_a_run_leaves_what_was_sent_as_it_was(packed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not packed:
        monkeypatch.setattr(core.plan.forward, "PACKED", 0)
    layers = [Dense(units=3, activation="tanh"), Dense(units=2, activation="sigmoid")]
    problem = sampled(layers, {"input": (4, 3)})
    before = [problem.inputs["input"].copy(), *(named["weight"].copy() for named in problem.parameters.values())]
    plan = build_plan(problem)
    plan.forward()
    plan.backward()
    after = [problem.inputs["input"], *(named["weight"] for named in problem.parameters.values())]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
