"""The numbers of a recurrent layer before its backward pass, and its right gradients, one direction at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import Array
from core.checking.layer_rules import Backward
from core.checking.trace import Trace
from core.layers.shared.directions import FORWARD, halves, in_reading_order, of_direction


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The numbers of one direction when its backward pass begins: T time steps as it reads them, n examples, u units."""

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


def unrolled(trace: Trace, layer: str, end: str = FORWARD) -> Unrolled:
    """Return the numbers of one direction of a recurrent layer."""
    kind: Any = trace.network.nodes[layer].layer
    saved, D, parameters = trace.saved(layer), trace.deltas[layer], trace.parameters(layer)
    if kind.bidirectional:
        saved, parameters = of_direction(saved, end), of_direction(parameters, end)
        D = in_reading_order(D[..., dict(halves(kind.units))[end]], end)
    arriving = np.zeros_like(saved["H"][1:])
    if D.ndim == 3:
        arriving[...] = D.swapaxes(0, 1)
    else:
        arriving[-1] = D
    own = kind.of_direction(end)
    return Unrolled(own, saved["X"], saved["H"], arriving, parameters, saved, own.blocks("weight"))


def right_in(trace: Trace, layer: str, end: str) -> Backward:
    """Return the right gradients of one direction, in the order in which it reads, as a layer of one direction has them.

    The gradients are linear in the delta: with 0 in the other half, they are those of this direction alone.
    """
    kind: Any = trace.network.nodes[layer].layer
    half, delta = dict(halves(kind.units))[end], np.zeros_like(trace.deltas[layer])
    delta[..., half] = trace.deltas[layer][..., half]
    found = trace.network.layer_rules[layer].backward(trace.read_by(layer), delta)
    starts = [gradient[:, half] for gradient in found.inputs[1:]]
    return Backward([in_reading_order(found.inputs[0], end), *starts], of_direction(found.parameters, end))
