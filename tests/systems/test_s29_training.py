"""S29: descending along the gradients converges: XOR, and a layer that is left alone. Training jobs come later."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from core.layers.dense import Dense
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.plan import Plan
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

X, Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])


def xor() -> Plan:
    layers = [Dense(units=4, activation="tanh"), Dense(units=1, activation="sigmoid")]
    return validate(
        ProblemSpec(layers=layers, inputs={"input": X}, targets=Y, loss=BinaryCrossEntropy(), seed=3)
    ).plan()


def descend(plan: Plan, steps: int, frozen: Collection[str] = ()) -> None:
    for _ in range(steps):
        plan.forward()
        plan.backward()
        for layer, named in plan.gradients.gradients.items():
            for name, gradient in named.items():
                if f"{layer}.{name}" not in frozen:
                    plan.parameters[layer][name][...] -= gradient
    plan.forward()


def test_xor_is_learnt() -> None:
    plan = xor()
    descend(plan, 500)
    assert plan.loss.total < 0.05
    np.testing.assert_array_equal(plan.output > 0.5, Y == 1)


def test_frozen_parameters_stay_as_they_are_while_the_others_learn() -> None:
    plan = xor()
    plan.forward()
    kept, loss = plan.parameters["1"]["weight"].copy(), plan.loss.total
    descend(plan, 200, frozen={"1.weight"})
    np.testing.assert_array_equal(plan.parameters["1"]["weight"], kept)
    assert plan.loss.total < loss
