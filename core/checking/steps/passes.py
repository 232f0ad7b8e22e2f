"""The passes that compute the gradients of a check of steps: as a program runs them, and rule by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.disturbance import Disturbed, disturb_network
from core.checking.formulas import RIGHT, Formulas
from core.checking.layer_rules import Backward
from core.checking.quantity import run_forward
from core.checking.steps.moment import Layout
from core.checking.trace import BackwardOfLayer, Network, Trace
from core.errors import Refusal
from core.problem import Problem
from core.training.minibatches import Minibatches
from core.training.trainable import copy_arrays


class PlannedPasses:
    """Gradients by the passes of POST /v1/step for the whole batch."""

    def __init__(self, problem: Problem, layout: Layout, check_deadline: CheckDeadline) -> None:
        self._trainable = layout.trainable
        self._theta, self._gradient = (np.zeros(self._trainable.size) for _ in range(2))
        parameters = copy_arrays(problem.parameters)
        for layer, named in self._trainable.apart(self._theta).items():
            parameters[layer] |= named
        double = np.dtype(np.float64)
        self._batches = Minibatches(
            replace(
                problem,
                inputs={name: array.astype(double) for name, array in problem.inputs.items()},
                parameters=parameters,
                state={
                    layer: {name: array.astype(double) for name, array in named.items()}
                    for layer, named in problem.state.items()
                },
                dtype=double,
            ),
            layout.examples,
            shuffle=True,
            seed=0,
            gradients=self._trainable.apart(self._gradient),
            check_deadline=check_deadline,
        )

    def gradient(self, theta: Array, t: int) -> Array:
        """Return the gradient; NaN where it is not finite, as on the way of a wrong rule that diverges."""
        plan = self._batches.plan(t - 1)
        self._theta[...] = theta
        for array, part in self._trainable.elsewhere(self._theta, plan.parameters):
            array[...] = part
        try:
            plan.forward()
            plan.backward()
        except Refusal:
            return np.full_like(theta, np.nan)
        for array, part in self._trainable.elsewhere(self._gradient, plan.gradients.gradients):
            part[...] = array
        return self._gradient.copy()


class RulePasses:
    """The same gradients rule by rule, so that one of the rules may be another."""

    def __init__(self, problem: Problem, layout: Layout) -> None:
        self._problem, self._trainable = problem, layout.trainable

    def gradient(self, theta: Array) -> Array:
        """Return the gradient."""
        return self._run(self._network(theta), RIGHT)

    def disturbed(self, theta: Array, unit: float, dtype: np.dtype[Any], seed: int) -> Array:
        """Return the gradient in another precision, with every number on the way to it disturbed by rounding."""
        formulas = Disturbed(unit, (3, seed))
        return self._run(disturb_network(self._network(theta), formulas, dtype), formulas)

    def sent_back_through(self, theta: Array, other: Array) -> Array:
        """Return the gradient of a program that goes forward with `theta` and sends errors back through other weights.

        Z_l = A_{l−1} W_l + b_l        Δ_{l−1} = f'(Z_{l−1}) ∘ Δ_l W'_lᵀ
        """
        network, away = self._network(theta), self._network(other)
        inside: dict[str, BackwardOfLayer] = {
            layer: _ThroughOtherWeights(layer, away) for layer in network.nodes if network.multiplies_by_weight(layer)
        }
        return self._run(network, RIGHT, inside)

    def _network(self, theta: Array) -> Network:
        parameters = copy_arrays(self._problem.parameters)
        for layer, named in self._trainable.apart(theta).items():
            parameters[layer] |= named
        return Network(replace(self._problem, parameters=parameters))

    def _run(self, network: Network, formulas: Formulas, inside: dict[str, BackwardOfLayer] | None = None) -> Array:
        trace = run_forward(network, formulas)
        trace.inside = inside or {}
        for layer in reversed(network.nodes):
            trace.deltas[layer] = formulas.delta(trace, layer)
        found = np.zeros(self._trainable.size)
        for layer, named in self._trainable.apart(found).items():
            for name, part in named.items():
                part[...] = formulas.gradient(trace, layer, name)
        return found


@dataclass(frozen=True, slots=True)
class _ThroughOtherWeights:
    """The backward rules of a layer whose weights have changed since the forward pass."""

    layer: str
    away: Network
    """The network with the weights as they are by then."""

    def __call__(self, trace: Trace) -> Backward:
        own = trace.backward(self.layer)
        changed = self.away.layer_rules[self.layer].backward(trace.read_by(self.layer), trace.deltas[self.layer])
        return Backward(changed.inputs, own.parameters)
