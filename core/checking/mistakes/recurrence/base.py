"""The right backward pass through time, with a method for every term that can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from core.arrays import Array
from core.checking.layer_rules import Backward
from core.checking.mistakes.shared.kind import InsideLayer
from core.checking.quantity import Quantity
from core.checking.trace import Trace


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The numbers of a recurrent layer when its backward pass begins: T time steps, n examples, u units."""

    layer: Any
    """The layer's fields."""
    X: Array
    """x_1 … x_T, T x n x features."""
    H: Array
    """h_0 … h_T, (T + 1) x n x u."""
    D: Array
    """The gradient that the result passes to h_1 … h_T, T x n x u."""
    parameters: Mapping[str, Array]
    saved: Mapping[str, Array]
    """What the layer's forward rules save."""
    blocks: Mapping[str, slice]
    """The columns of each gate by its letter."""

    @property
    def steps(self) -> range:
        """The time steps, counted from 0."""
        return range(len(self.X))

    def apart(self, array: Array, letters: str) -> list[Array]:
        """Return the blocks of these gates along the last axis."""
        return [array[..., self.blocks[letter]] for letter in letters]

    def together(self, by_letter: Mapping[str, Array]) -> Array:
        """Return the blocks of the gates side by side, in the layer's order."""
        return np.concatenate([by_letter[letter] for letter in self.blocks], axis=-1)


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

    def __init__(self) -> None:
        self._last: tuple[Sequence[Array], Backward] | None = None

    def backward(self, trace: Trace, layer: str) -> Backward | None:
        numbers = [trace.deltas[layer], *trace.read_by(layer), *trace.parameters(layer).values()]
        if self._last is None or any(one is not other for one, other in zip(self._last[0], numbers, strict=False)):
            run = unrolled(trace, layer)
            if not self.is_possible(run.layer, len(run.steps)):
                return None
            self._last = (numbers, self._gradients(run))
        return self._last[1]

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


def unrolled(trace: Trace, layer: str) -> Unrolled:
    """Return the numbers of a recurrent layer."""
    kind: Any = trace.network.nodes[layer].layer
    saved, D = trace.saved(layer), trace.deltas[layer]
    arriving = np.zeros_like(saved["H"][1:])
    if D.ndim == 3:
        arriving[...] = D.swapaxes(0, 1)
    else:
        arriving[-1] = D
    parameters = trace.parameters(layer)
    return Unrolled(kind, saved["X"], saved["H"], arriving, parameters, saved, kind.blocks("weight"))
