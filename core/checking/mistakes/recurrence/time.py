"""The mistakes in backpropagation through time that every recurrent layer can have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.recurrence.base import Deltas, ThroughTime
from core.checking.mistakes.recurrence.gru_backward import GruBackward
from core.checking.mistakes.recurrence.lstm_backward import LstmBackward
from core.checking.mistakes.recurrence.rnn import RnnBackward
from core.checking.mistakes.recurrence.unrolled import Unrolled
from core.checking.trace import Trace
from core.layers.shared.directions import FORWARD


class AnyBackward(RnnBackward, LstmBackward, GruBackward):
    """The right backward pass of the kind that the layer is of."""

    kinds: ClassVar[tuple[str, ...]] = ("rnn", "lstm", "gru")

    def deltas(self, run: Unrolled) -> Deltas:
        by_kind: dict[str, type[ThroughTime]] = {"rnn": RnnBackward, "lstm": LstmBackward, "gru": GruBackward}
        return by_kind[run.layer.kind].deltas(self, run)


class TimeTruncated(AnyBackward):
    """dh_t = ∂L/∂h_t alone."""

    slug = "time-truncated"
    least_steps = 1
    said = "lacks every term that comes back through the states: each time step was treated on its own"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t}"
    why = (
        "A state influences all later states, so its gradient includes the one that comes back from the next time step."
    )

    def from_later(self, later: Array) -> Array:
        return np.zeros_like(later)


class StateGradientOverwritten(AnyBackward):
    """dh_t is only what the next time step sends back, except at the last one."""

    slug = "state-gradient-overwritten"
    block = "state h"
    said = "takes only what the next time step sends back for dh, without what the result of this time step passes"
    wrong = r"dh_t = \back{da_{t+1}}{U}"
    why = "Every state is both a result and read by the next time step; both gradients add up."
    unseen = "only the last state is a result"

    def is_possible(self, layer: Any, steps: int) -> bool:
        return layer.return_sequences and super().is_possible(layer, steps)

    def state_gradient(self, arriving: Array, later: Array, *, is_last: bool) -> Array:
        return super().state_gradient(arriving if is_last else np.zeros_like(arriving), later, is_last=is_last)


class LastResultRepeated(AnyBackward):
    """∂L/∂h_T at every time step."""

    slug = "last-result-repeated"
    block = "state h"
    said = "adds the gradient of the last time step's result at every time step"
    wrong = r"dh_t = \frac{\partial L}{\partial h_T} + \back{da_{t+1}}{U}"
    why = "The gradient of the last state enters at the last time step only; the earlier ones receive it through the states."

    def from_result(self, D: Array, layer: Any) -> Array:
        return np.broadcast_to(D[-1:], D.shape)


class ResultsReversed(AnyBackward):
    """∂L/∂h_{T+1−t} instead of ∂L/∂h_t."""

    slug = "results-in-reversed-time"
    alone_in: ClassVar[tuple[str, ...]] = (FORWARD,)  # In the other it is `BackwardDirectionInReversedTime`.
    block = "state h"
    said = "adds the gradients of the results in the reversed order of time"
    wrong = r"dh_t = \frac{\partial L}{\partial h_{T+1-t}} + \back{da_{t+1}}{U}"
    why = "The backward pass visits the time steps from the last to the first, and each receives its own result's gradient."

    def from_result(self, D: Array, layer: Any) -> Array:
        return D[::-1]


class RecurrentWeightNotTransposed(AnyBackward):
    """da_{t+1} U instead of da_{t+1} Uᵀ, gate by gate."""

    slug = "recurrent-weight-not-transposed"
    least_steps = 1
    said = "goes back through the recurrent weights without transposing them"
    wrong = r"dh_t = \frac{\partial L}{\partial h_t} + \backwrong{da_{t+1}}{U}"
    why = (
        "The gradient goes back through the transpose of the recurrent weights. They are square, so both products "
        "have the same shape and no error is raised."
    )

    def through_recurrent_weight(self, letter: str, dq: Array, U: Array) -> Array:
        return dq @ U


class _StatesBefore(AnyBackward):
    """h_{t−1} wrong in dU."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("recurrent_weight",)


class RecurrentGradientOfCurrentState(_StatesBefore):
    """Σ h_tᵀ δ_t instead of Σ h_{t−1}ᵀ δ_t."""

    slug = "recurrent-gradient-of-current-state"
    least_steps = 1
    said = "is formed with the state after each time step instead of the state before it"
    wrong = r"\frac{\partial L}{\partial U} = \sum_t \outer{h_t}{\delta_t}"
    why = (
        "At time step t, U multiplies h_(t−1), so its gradient is the sum of the products of h_(t−1) and δ_t. At "
        "the first time step h_(t−1) is the initial state, 0 if none is given."
    )

    def states_before(self, H: Array) -> Array:
        return H[1:]


class RecurrentGradientWrapsAround(_StatesBefore):
    """h_T instead of h_0 at the first time step."""

    slug = "recurrent-gradient-wraps-around"
    said = "takes the last state for the state before the first time step"
    wrong = r"\frac{\partial L}{\partial U} = \outer{h_T}{\delta_1} + \sum_{t>1} \outer{h_{t-1}}{\delta_t}"
    why = (
        "In Python h[t - 1] at t = 0 is h[-1], the last state. The state before the first time step is the initial "
        "one, 0 if none is given."
    )

    def states_before(self, H: Array) -> Array:
        return np.concatenate([H[-1:], H[1:-1]])


class InitialStateIgnored(_StatesBefore):
    """0 instead of h_0 at the first time step."""

    slug = "initial-state-left-out"
    least_steps = 1
    said = "takes 0 for the state before the first time step, although the layer reads an initial state"
    wrong = r"\frac{\partial L}{\partial U} = \sum_{t>1} \outer{h_{t-1}}{\delta_t}"
    why = "At the first time step U multiplies the initial state, so its product with δ_1 belongs to the sum."
    unseen = "the initial state is 0"

    def is_possible_at(self, trace: Trace, layer: str) -> bool:
        return super().is_possible_at(trace, layer) and len(trace.network.nodes[layer].reads) > 1

    def states_before(self, H: Array) -> Array:
        return np.concatenate([np.zeros_like(H[:1]), H[1:-1]])


class _Summed(AnyBackward):
    """The sum over the time steps wrong, for one parameter or, if none is named, for all."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    of: ClassVar[str] = ""
    last: ClassVar[bool] = False
    """True for the last time step only."""
    formed: ClassVar[Callable[[Sequence[Array] | Array], Array]]

    def is_possible(self, layer: Any, steps: int) -> bool:
        own = "bias" not in self.of or (layer.bias and self.of in layer.biases)
        truncated = not self.of and self.last and not layer.return_sequences  # That is what TimeTruncated gives.
        return own and not truncated and super().is_possible(layer, steps)

    def sum_over_time(self, parameter: str, products: Sequence[Array] | Array) -> Array:
        if self.of in ("", parameter):
            return type(self).formed(products)
        return super().sum_over_time(parameter, products)


_FORMS: dict[str, tuple[Callable[[Sequence[Array] | Array], Array], str, str]] = {
    "last-step-only": (lambda each: np.array(each[-1]), "is that of the last time step only", "{d}_T"),
    "first-step-only": (lambda each: np.array(each[0]), "is that of the first time step only", "{d}_1"),
    "mean-over-time": (
        lambda each: np.asarray(sum(each)) / len(each),
        "is the mean over the time steps instead of their sum",
        r"\frac{1}{T} \sum_t {d}_t",
    ),
}


def _summed(parameter: str, form: str) -> type[_Summed]:
    formed, said, latex = _FORMS[form]
    words = (*parameter.split("_"), *form.split("-"))
    return type(
        "".join(word.title() for word in words if word),
        (_Summed,),
        {
            "of": parameter,
            "last": form == "last-step-only",
            "parameters": (parameter,) if parameter else (),
            "formed": staticmethod(formed),
            "slug": "-".join(word for word in words if word),
            "said": said,
            "wrong": r"\frac{\partial L}{\partial \theta} = "
            + latex.replace("{d}", r"\frac{\partial L}{\partial \theta}"),
            "why": "The parameters are the same at every time step, so their gradient is the sum over all time steps: += in "
            "the loop over time.",
        },
    )


SUMS = tuple(
    _summed(parameter, form)
    for parameter in ("", "weight", "recurrent_weight", "bias", "recurrent_bias")
    for form in _FORMS
)
"""The gradient of each parameter, or of all, from the wrong time steps."""

TIME: tuple[type[ThroughTime], ...] = (
    TimeTruncated,
    StateGradientOverwritten,
    LastResultRepeated,
    ResultsReversed,
    RecurrentWeightNotTransposed,
    RecurrentGradientOfCurrentState,
    RecurrentGradientWrapsAround,
    InitialStateIgnored,
    *SUMS,
)
"""The mistakes that every recurrent layer can have."""
