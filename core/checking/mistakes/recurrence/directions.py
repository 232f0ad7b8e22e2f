"""The mistakes of a layer that reads in both directions: in what each direction receives, and in what it sends back."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.layer_rules import Backward
from core.checking.mistakes.recurrence.unrolled import right_in
from core.checking.mistakes.shared.kind import InsideLayer
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.layers.shared.directions import FORWARD, REVERSE, in_reading_order


class _OfDirections(InsideLayer):
    """A mistake where the directions part or join."""

    kinds: ClassVar[tuple[str, ...]] = ("rnn", "lstm", "gru")
    sequences_alone: ClassVar[bool] = False
    """True if the mistake is possible only where the states of all time steps are the result."""

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        if quantity.part in ("deltas", "input_gradient"):
            return any(self._is_possible_at(trace, reader.layer) for reader in trace.network.readers[quantity.layer])
        return self._is_possible_at(trace, quantity.layer)

    def backward(self, trace: Trace, layer: str) -> Backward | None:
        return self._wrong(trace, layer) if self._is_possible_at(trace, layer) else None

    def _is_possible_at(self, trace: Trace, layer: str) -> bool:
        if not self.is_kind(trace, layer) or layer not in trace.deltas:
            return False
        kind: Any = trace.network.nodes[layer].layer
        return kind.bidirectional and (kind.return_sequences or not self.sequences_alone)

    def _wrong(self, trace: Trace, layer: str) -> Backward:
        raise NotImplementedError


class _Received(_OfDirections):
    """What the result passes to the directions, wrong."""

    def received(self, first: Array, second: Array) -> tuple[Array, Array]:
        """Return what the directions take for their halves of ∂L/∂Z, in the order of the sequence."""
        raise NotImplementedError

    def _wrong(self, trace: Trace, layer: str) -> Backward:
        first, second = np.split(trace.deltas[layer], 2, axis=-1)
        delta = np.concatenate(self.received(first, second), axis=-1)
        return trace.network.layer_rules[layer].backward(trace.read_by(layer), delta)


class BackwardDirectionInReversedTime(_Received):
    """∂L/∂Z← in the order of the sequence, while the direction reads in reversed time."""

    slug = "backward-direction-not-reversed-back"
    sequences_alone = True
    said = "passes the gradients of the result to the backward direction without reversing them in time"
    wrong = r"d\overleftarrow{h}_t = \frac{\partial L}{\partial \overleftarrow{h}_{T+1-t}} + \ldots"
    why = (
        "The states of the backward direction are reversed before they stand beside those of the forward direction, so "
        "their gradients are reversed on the way back."
    )
    unseen = "every time step receives the same gradient"

    def received(self, first: Array, second: Array) -> tuple[Array, Array]:
        return first, in_reading_order(second, REVERSE)


class DirectionsSwapped(_Received):
    """∂L/∂Z← for the forward direction, ∂L/∂Z→ for the backward direction."""

    slug = "directions-swapped"
    said = "passes to each direction the half of the gradient that belongs to the other"
    wrong = r"\frac{\partial L}{\partial \overrightarrow{h}_t} = (dZ_t)_{u+1 \ldots 2u}"
    why = "The result holds the states of the forward direction first, then those of the backward direction."
    unseen = "both halves receive the same gradient"

    def received(self, first: Array, second: Array) -> tuple[Array, Array]:
        return second, first


class DirectionsAdded(_Received):
    """∂L/∂Z→ + ∂L/∂Z← for both directions."""

    slug = "directions-added"
    said = "passes to both directions the sum of the two halves of the gradient"
    wrong = r"\frac{\partial L}{\partial \overrightarrow{h}_t} = (dZ_t)_{1 \ldots u} + (dZ_t)_{u+1 \ldots 2u}"
    why = "The directions stand side by side in the result and are not added, so each receives its own half."
    unseen = "one half receives no gradient"

    def received(self, first: Array, second: Array) -> tuple[Array, Array]:
        return first + second, first + second


class _SentBack(_OfDirections):
    """The gradient of the sequence, wrong."""

    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")

    def joined(self, first: Array, second: Array) -> Array:
        """Return what a program takes for dX, from dX→ in the order of the sequence and dX← in reversed time."""
        raise NotImplementedError

    def _wrong(self, trace: Trace, layer: str) -> Backward:
        right = trace.network.layer_rules[layer].backward(trace.read_by(layer), trace.deltas[layer])
        first, second = (right_in(trace, layer, end).inputs[0] for end in (FORWARD, REVERSE))
        return Backward([self.joined(first, second), *right.inputs[1:]], right.parameters)


class SequenceGradientNotReversedBack(_SentBack):
    """dX→ + dX← with dX← in reversed time."""

    slug = "sequence-gradient-not-reversed-back"
    said = "adds what the backward direction sends back without reversing it in time"
    wrong = r"dx_t = d\overrightarrow{x}_t + d\overleftarrow{x}_{T+1-t}"
    why = "The backward direction reads x_T first, so its gradients are reversed before those of the directions are added."
    unseen = "the sequences have one time step"

    def joined(self, first: Array, second: Array) -> Array:
        return first + second


class BackwardDirectionLost(_SentBack):
    """dX→ alone."""

    slug = "backward-direction-lost"
    said = "has what the forward direction sends back alone"
    wrong = r"dx_t = d\overrightarrow{x}_t"
    why = "Both directions read the sequence, so its gradient is the sum of theirs."

    def joined(self, first: Array, second: Array) -> Array:
        return first


class ForwardDirectionLost(_SentBack):
    """dX← alone."""

    slug = "forward-direction-lost"
    said = "has what the backward direction sends back alone"
    wrong = r"dx_t = d\overleftarrow{x}_t"
    why = BackwardDirectionLost.why

    def joined(self, first: Array, second: Array) -> Array:
        return in_reading_order(second, REVERSE)


DIRECTIONS: tuple[type[InsideLayer], ...] = (
    BackwardDirectionInReversedTime,
    DirectionsSwapped,
    DirectionsAdded,
    SequenceGradientNotReversedBack,
    BackwardDirectionLost,
    ForwardDirectionLost,
)
"""The mistakes of layers that read in both directions."""
