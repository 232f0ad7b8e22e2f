"""The right backward pass through time, with a method for every term that can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.layer_rules import Backward
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.recurrence.unrolled import Unrolled, right_in, unrolled
from core.checking.mistakes.shared.kind import InsideLayer
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.layers.shared.directions import FORWARD, REVERSE, in_reading_order


class Deltas(NamedTuple):
    """The result of going back through time, before the gradients of the parameters are formed."""

    dP: Array
    """∂L/∂P for P = x_t W + b: T x n x (gates · u)."""
    dQ: Array
    """∂L/∂Q for Q = h_{t−1} U: dP, except in gru."""
    starts: Sequence[Array]
    """The gradients of h_0 and, in lstm, c_0."""


class ThroughTime(InsideLayer):
    """dW = Σ_t x_tᵀ dp_t,  dU = Σ_t h_{t−1}ᵀ dq_t,  db = Σ_t dp_tᵀ 1,  dx_t = dp_t Wᵀ."""

    kinds: ClassVar[tuple[str, ...]] = ("rnn", "lstm", "gru")
    unseen = "the sequences have one time step"
    least_steps: ClassVar[int] = 2
    """The mistake is possible in sequences of this length."""
    ends: ClassVar[tuple[str, ...]] = (FORWARD, REVERSE)
    """The directions in which the mistake is made, by the ends of the names of their parameters."""

    alone_in: ClassVar[tuple[str, ...]] = (FORWARD, REVERSE)
    """The directions in which the mistake may be made alone; one that is a mistake of its own is left out."""

    @classmethod
    def forms(cls, trace: Trace) -> tuple[type[Mistake], ...]:
        """Return the mistake, made in every direction, and where a layer has two, those made in one alone."""
        if any(getattr(node.layer, "bidirectional", False) for node in trace.network.nodes.values()):
            return (cls, *in_one_direction(cls))
        return (cls,)

    def __init__(self) -> None:
        self._last: tuple[Sequence[Array], Backward] | None = None

    def backward(self, trace: Trace, layer: str) -> Backward | None:
        numbers = [trace.deltas[layer], *trace.read_by(layer), *trace.parameters(layer).values()]
        if self._last is None or any(one is not other for one, other in zip(self._last[0], numbers, strict=False)):
            node = trace.network.nodes[layer]
            if not self.is_possible(node.layer, trace.network.shapes[node.reads[0]][1]):
                return None
            self._last = (numbers, self._in_every_direction(trace, layer))
        return self._last[1]

    def _in_every_direction(self, trace: Trace, layer: str) -> Backward:
        """Return the gradients, of which those of a direction without the mistake follow the right rules."""
        kind: Any = trace.network.nodes[layer].layer
        if not kind.bidirectional:
            return self._gradients(unrolled(trace, layer))
        found = {
            end: self._gradients(unrolled(trace, layer, end)) if end in self.ends else right_in(trace, layer, end)
            for end in kind.directions()
        }
        dX = found[FORWARD].inputs[0] + in_reading_order(found[REVERSE].inputs[0], REVERSE)
        starts = zip(
            *(each.inputs[1:] for each in found.values()), strict=False
        )  # The right rules give those that are read.
        parameters = {
            f"{name}{end}": gradient for end, each in found.items() for name, gradient in each.parameters.items()
        }
        return Backward([dX, *(np.concatenate(pair, axis=-1) for pair in starts)], parameters)

    def _gradients(self, run: Unrolled) -> Backward:
        dP, dQ, starts = self.deltas(run)
        formed: dict[str, Callable[[], Array]] = {
            "weight": lambda: self.sum_over_time("weight", [x.T @ dp for x, dp in zip(run.X, dP, strict=True)]),
            "recurrent_weight": lambda: self.recurrent_gradient(run, dP, dQ),
            "bias": lambda: self.sum_over_time("bias", dP.sum(axis=1)),
            "recurrent_bias": lambda: self.recurrent_bias_gradient(dP, dQ),
        }
        dX = (dP @ run.parameters["weight"].T).swapaxes(0, 1)
        return Backward([dX, *starts], {name: formed[name]() for name in run.parameters})

    def deltas(self, run: Unrolled) -> Deltas:
        """Go back through time."""
        raise NotImplementedError

    def is_possible(self, layer: Any, steps: int) -> bool:
        """Return True if the mistake is possible in a layer with these fields."""
        return steps >= self.least_steps

    def from_result(self, D: Array, layer: Any) -> Array:
        """Return what the result passes to each state."""
        return D

    def from_later(self, later: Array) -> Array:
        """Return what the next time step sends back to the state or cell, as it is used."""
        return later

    def state_gradient(self, arriving: Array, later: Array, *, is_last: bool) -> Array:
        """dh_t, the sum of what the result and the next time step pass to h_t."""
        return arriving + self.from_later(later)

    def slope(self, letter: str, gate: Array) -> Array:
        """Return the derivative of a gate's function, from its value: σ' = σ (1 − σ), tanh' = 1 − tanh²."""
        return 1 - gate * gate if letter in "gn" else gate * (1 - gate)

    def through_recurrent_weight(self, letter: str, dq: Array, U: Array) -> Array:
        """dq Uᵀ for the block of one gate."""
        return dq @ U.T

    def through_gates(self, run: Unrolled, dq: Array) -> Array:
        """dq Uᵀ, the sum over all gates."""
        U = run.parameters["recurrent_weight"]
        return np.asarray(
            sum(
                self.through_recurrent_weight(letter, dq[..., block], U[:, block])
                for letter, block in run.blocks.items()
            )
        )

    def states_before(self, H: Array) -> Array:
        """Return h_0 … h_{T−1}, which the recurrent weight multiplies."""
        return H[:-1]

    def recurrent_gradient(self, run: Unrolled, dP: Array, dQ: Array) -> Array:
        """dU = Σ_t h_{t−1}ᵀ dq_t."""
        before = self.states_before(run.H)
        return self.sum_over_time("recurrent_weight", [h.T @ dq for h, dq in zip(before, dQ, strict=True)])

    def recurrent_bias_gradient(self, dP: Array, dQ: Array) -> Array:
        """Σ_t dq_tᵀ 1."""
        return self.sum_over_time("recurrent_bias", dQ.sum(axis=1))

    def sum_over_time(self, parameter: str, products: Sequence[Array] | Array) -> Array:
        """Return the gradient of a parameter from those of the time steps."""
        return np.asarray(sum(products))

    def strikes_at(self, trace: Trace, quantity: Quantity) -> bool:
        if quantity.part != "gradients":
            return super().strikes_at(trace, quantity)
        end = REVERSE if quantity.name.endswith(REVERSE) else FORWARD
        return end in self.ends and super().strikes_at(trace, quantity._replace(name=quantity.name.removesuffix(end)))

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        """Ask without computing the backward pass, as there are many of these mistakes."""
        if quantity.part in ("deltas", "input_gradient"):
            return any(self.is_possible_at(trace, reader.layer) for reader in trace.network.readers[quantity.layer])
        return self.is_possible_at(trace, quantity.layer)

    def is_possible_at(self, trace: Trace, layer: str) -> bool:
        """Return True if the mistake is possible in this layer of the network."""
        if not self.is_kind(trace, layer) or layer not in trace.deltas:
            return False
        node = trace.network.nodes[layer]
        return self.is_possible(node.layer, trace.network.shapes[node.reads[0]][1])


_IN_ONE_DIRECTION: dict[type[Mistake], tuple[type[Mistake], ...]] = {}


def in_one_direction(mistake: type[ThroughTime]) -> tuple[type[Mistake], ...]:
    """Return the mistake made in the first direction alone, and in the second alone."""
    if mistake not in _IN_ONE_DIRECTION:
        words = {FORWARD: "forward", REVERSE: "backward"}
        _IN_ONE_DIRECTION[mistake] = tuple(_in(mistake, end, words[end]) for end in mistake.alone_in)
    return _IN_ONE_DIRECTION[mistake]


def _in(mistake: type[ThroughTime], end: str, words: str) -> type[ThroughTime]:
    def is_possible(self: ThroughTime, layer: Any, steps: int) -> bool:
        return layer.bidirectional and mistake.is_possible(self, layer, steps)

    fields = {"ends": (end,), "alone": True, "said": f"{mistake.said}, in the {words} direction only"}
    return type(f"{mistake.__name__}{words.title()}", (mistake,), {**fields, "is_possible": is_possible})
