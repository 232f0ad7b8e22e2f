"""The mistakes inside rnn."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.activations import FUNCTIONS
from core.activations.base import Activation
from core.arrays import Array
from core.checking.layer_rules import activate, through
from core.checking.mistakes.recurrence.base import Deltas, ThroughTime
from core.checking.mistakes.recurrence.unrolled import Unrolled


class RnnBackward(ThroughTime):
    """dh_t = ∂L/∂h_t + da_{t+1} Uᵀ,  da_t = f'(a_t) ∘ dh_t."""

    kinds: ClassVar[tuple[str, ...]] = ("rnn",)

    def deltas(self, run: Unrolled) -> Deltas:
        f, A, H = FUNCTIONS[run.layer.nonlinearity](), run.saved["A"], run.H
        arriving, dA, later = self.from_result(run.D, run.layer), np.empty_like(A), np.zeros_like(H[0])
        for t in reversed(run.steps):
            dh = self.state_gradient(arriving[t], later, is_last=t == run.steps[-1])
            dA[t] = self.through_function(f, A[t], H[t + 1], H[t], dh)
            later = self.to_earlier(run, dA[t], dh)
        return Deltas(dA, dA, [self.from_later(later)])

    def through_function(self, f: Activation, a: Array, h: Array, before: Array, dh: Array) -> Array:
        """da_t = f'(a_t) ∘ dh_t."""
        return through(f, a, h, dh)

    def to_earlier(self, run: Unrolled, da: Array, dh: Array) -> Array:
        """da_t Uᵀ, which h_{t−1} receives."""
        return self.through_gates(run, da)


class _Nonlinear(RnnBackward):
    """f' wrong."""

    least_steps = 1
    unseen = "both formulas give the same numbers here"

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.nonlinearity != "identity" and super().is_possible(layer, steps)


class TimeDerivativeMissing(_Nonlinear):
    """da_t without f'(a_t)."""

    slug = "time-derivative-missing"
    said = "lacks f'(a) of the time steps"
    wrong = r"\delta_t = \frac{\partial L}{\partial h_t} + \back{\delta_{t+1}}{U}"
    why = (
        "The activation function is applied at every time step, so the gradient is multiplied by its derivative at "
        "every time step."
    )

    def through_function(self, f: Activation, a: Array, h: Array, before: Array, dh: Array) -> Array:
        return dh


class TimeDerivativeAtState(_Nonlinear):
    """f'(h_t) instead of f'(a_t)."""

    slug = "time-derivative-at-state"
    said = "evaluates f' at the state h of each time step instead of the sum a before the activation"
    wrong = r"\delta_t = f'(h_t) \circ \frac{\partial L}{\partial h_t}"
    why = "f was applied to a, so its derivative is f'(a). For tanh that is 1 − h², in which tanh is not applied again."

    def through_function(self, f: Activation, a: Array, h: Array, before: Array, dh: Array) -> Array:
        return through(f, h, activate(f, h), dh)


class TimeDerivativeFormulaOfSum(_Nonlinear):
    """1 − a² instead of 1 − h²."""

    slug = "time-derivative-formula-of-sum"
    said = "puts the sum a of each time step into the formula of f' that expects the state h"
    wrong = r"\delta_t = (1 - a_t^2) \circ \frac{\partial L}{\partial h_t}"
    why = "The formula 1 − h² for tanh (h (1 − h) for sigmoid) is in terms of the result h = f(a)."

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.nonlinearity in ("tanh", "sigmoid") and super().is_possible(layer, steps)

    def through_function(self, f: Activation, a: Array, h: Array, before: Array, dh: Array) -> Array:
        return through(f, a, a, dh)


class TimeDerivativeOfEarlierStep(_Nonlinear):
    """f'(a_{t−1}) instead of f'(a_t)."""

    slug = "time-derivative-of-earlier-step"
    said = "evaluates f' at the state before each time step instead of the state after it"
    wrong = r"\delta_t = f'(a_{t-1}) \circ \frac{\partial L}{\partial h_t}"
    why = "Time step t applies f to a_t and gives h_t, so its derivative is that of h_t."

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.nonlinearity in ("tanh", "sigmoid") and super().is_possible(layer, steps)

    def through_function(self, f: Activation, a: Array, h: Array, before: Array, dh: Array) -> Array:
        return through(f, before, before, dh)


class TimeDerivativeOfAnotherFunction(_Nonlinear):
    """The derivative of sigmoid for tanh, and of tanh for the others."""

    slug = "time-derivative-of-another-function"
    said = "uses the derivative of another function than the layer's inside the recurrence"
    wrong = r"\delta_t = g'(a_t) \circ \frac{\partial L}{\partial h_t}"
    why = "The derivative of tanh is 1 − h², that of sigmoid is h (1 − h), that of relu is 1 where a > 0."

    def through_function(self, f: Activation, a: Array, h: Array, before: Array, dh: Array) -> Array:
        other = FUNCTIONS["sigmoid" if f.name == "tanh" else "tanh"]()
        return through(other, a, h, dh)


class CarriedWithoutDerivative(_Nonlinear):
    """dh_{t+1} Uᵀ instead of da_{t+1} Uᵀ."""

    slug = "carried-without-derivative"
    least_steps = 2
    said = "carries dh instead of f'(a) ∘ dh to the time step before"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t} + \back{dh_{t+1}}{U}"
    why = "U multiplies h_t before f is applied, so what goes back through U is the gradient of a_(t+1)."

    def to_earlier(self, run: Unrolled, da: Array, dh: Array) -> Array:
        return self.through_gates(run, dh)


class RecurrentWeightLeftOut(RnnBackward):
    """da_{t+1} instead of da_{t+1} Uᵀ."""

    slug = "recurrent-weight-left-out"
    said = "goes back to the time step before without the recurrent weights"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t} + da_{t+1}"
    why = "h_t reaches a_(t+1) through the recurrent weights, so its gradient goes back through their transpose."

    def to_earlier(self, run: Unrolled, da: Array, dh: Array) -> Array:
        return da


RNN: tuple[type[ThroughTime], ...] = (
    TimeDerivativeMissing,
    TimeDerivativeAtState,
    TimeDerivativeFormulaOfSum,
    TimeDerivativeOfEarlierStep,
    TimeDerivativeOfAnotherFunction,
    CarriedWithoutDerivative,
    RecurrentWeightLeftOut,
)
"""The mistakes that only rnn has."""
