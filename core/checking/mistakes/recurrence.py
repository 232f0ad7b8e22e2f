"""The mistakes in backpropagation through time, for rnn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from core.activations import FUNCTIONS
from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace


class _ThroughTime(OfKind):
    """δ_t = f'(a_t) ∘ (∂L/∂h_t + what step t + 1 sends back), with the last part wrong."""

    kinds = ("rnn",)
    strikes: ClassVar[tuple[str, ...]] = ("gradients", "deltas", "input_gradient")
    unseen = "the sequences have one time step"

    def from_next(self, later: Array, U: Array) -> Array:
        """Return the gradient that time step t + 1 sends back to the state before it."""
        return later @ U.T

    def at_step(self, f: Any, a: Array, h: Array, dh: Array) -> Array:
        """δ_t from ∂L/∂h_t."""
        return through(f, a, h, dh)

    def deltas(self, trace: Trace, layer: str) -> tuple[Array, Array, Array]:
        """x, the states before each step, and δ: time x n x features."""
        kind: Any = trace.network.nodes[layer].layer
        (X,), D = trace.read_by(layer), trace.deltas[layer]
        parameters, f = trace.parameters(layer), FUNCTIONS[kind.nonlinearity]()
        x, U = X.swapaxes(0, 1), parameters["recurrent_weight"]
        bias = parameters.get("bias", np.zeros(len(U)))
        states, sums = [np.zeros((x.shape[1], len(U)))], []
        for step in x:
            sums.append(step @ parameters["weight"] + states[-1] @ U + bias)
            states.append(activate(f, sums[-1]))
        arriving = D.swapaxes(0, 1) if D.ndim == 3 else np.zeros_like(np.stack(sums))
        if D.ndim == 2:
            arriving[-1] = D
        found, later = [], np.zeros_like(states[0])
        for a, h, dh in zip(reversed(sums), reversed(states[1:]), arriving[::-1], strict=True):
            found.append(self.at_step(f, a, h, dh + later))
            later = self.from_next(found[-1], U)
        return x, np.stack(states[:-1]), np.stack(found[::-1])

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        x, before, delta = self.deltas(trace, layer)
        formed: dict[str, Callable[[], Array]] = {
            "weight": lambda: np.einsum("tni,tnu->iu", x, delta),
            "recurrent_weight": lambda: np.einsum("tnv,tnu->vu", before, delta),
            "bias": lambda: np.asarray(delta.sum(axis=(0, 1))),
        }
        return formed[parameter]()

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        _, _, delta = self.deltas(trace, layer)
        return np.asarray((delta @ trace.parameters(layer)["weight"].T).swapaxes(0, 1))


class TimeTruncated(_ThroughTime):
    """δ_t without what comes from later steps."""

    slug = "time-truncated"
    said = "lacks every term that comes back through the states: each time step was treated on its own"
    wrong = r"\delta_t = f'(a_t) \circ \frac{\partial L}{\partial h_t}"
    why = (
        "A state influences all later states, so its gradient includes the one that comes back from the next time step."
    )

    def from_next(self, later: Array, U: Array) -> Array:
        return np.zeros_like(later)


class RecurrentWeightNotTransposed(_ThroughTime):
    """δ_{t+1} U instead of δ_{t+1} Uᵀ."""

    slug = "recurrent-weight-not-transposed"
    said = "goes back through the recurrent weights without transposing them"
    wrong = r"\delta_t = f'(a_t) \circ \left( \frac{\partial L}{\partial h_t} + \delta_{t+1} U \right)"
    why = (
        "The gradient goes back through the transpose of the recurrent weights. They are square, so both products "
        "have the same shape and no error is raised."
    )

    def from_next(self, later: Array, U: Array) -> Array:
        return later @ U


class TimeDerivativeMissing(_ThroughTime):
    """δ_t without f'(a_t)."""

    slug = "time-derivative-missing"
    said = "lacks f'(a) of the time steps"
    wrong = r"\delta_t = \frac{\partial L}{\partial h_t} + \delta_{t+1} U^\top"
    why = (
        "The activation function is applied at every time step, so the gradient is multiplied by its derivative at "
        "every time step."
    )
    unseen = "f is the identity"

    def at_step(self, f: Any, a: Array, h: Array, dh: Array) -> Array:
        return dh


class RecurrentGradientOfCurrentState(_ThroughTime):
    """Σ h_tᵀ δ_t instead of Σ h_{t−1}ᵀ δ_t."""

    slug = "recurrent-gradient-of-current-state"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("recurrent_weight",)
    said = "is formed with the state after each time step instead of the state before it"
    wrong = r"\frac{\partial L}{\partial U} = \sum_t h_t^\top \delta_t"
    why = (
        "At time step t, U multiplies h_(t−1), so its gradient is the sum of the products of h_(t−1) and δ_t. At "
        "the first time step h_(t−1) is 0."
    )

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        if parameter != "recurrent_weight":
            return None
        _, before, delta = self.deltas(trace, layer)
        saved = trace.network.layer_rules[layer].saved(trace.read_by(layer))["H"]
        return np.einsum("tnv,tnu->vu", saved[1:], delta) if len(saved) == len(before) + 1 else None
