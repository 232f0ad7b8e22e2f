"""max_pool2d: the largest number of every window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Shape, Step, real
from core.layers.base import Steps
from core.layers.pooling import Pooling
from core.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPool2D(Pooling):
    """Largest number of each window, channel by channel.

        Forward    Z[w] = max X[k] over the k in window w
        Backward   dX[k] = Σ dZ[w] over the windows w whose largest number is X[k]

    Where several are the largest, the first, row by row, receives the gradient. Padding never wins.

    Source: LeCun et al. use averages; the rule for ties is torch.nn.MaxPool2d's.
    """

    kind: Literal["max_pool2d"] = "max_pool2d"
    equations: ClassVar[dict[str, str]] = {"any": "Z = largest A in each window"}

    def working_size(self, *inputs: Shape) -> int:
        n, channels, *lengths = self.result_shape(*inputs, column=False)
        return n * channels * lengths[0] * lengths[1]

    def forward(self, place: Place) -> Steps:
        (X,), Z = place.inputs, place.new_result()
        winner = place.saved["winner"] = np.empty_like(Z, np.int32)
        offsets = zip(self._offsets(Z, X), self._offsets(winner, X), strict=True)
        contests: list[Step] = [
            partial(_contest, largest, numbers, winners, offset)
            for offset, ((largest, numbers), (winners, _)) in enumerate(offsets)
        ]
        return [lambda: Z.fill(-np.inf), *contests]

    def backward(self, place: Place) -> Steps:
        (dX,), dZ, winner = place.d_inputs, place.d_result, place.saved["winner"]
        if dX is None:
            return []
        offsets = zip(self._offsets(dZ, dX), self._offsets(winner, dX), strict=True)
        routes: list[Step] = [
            partial(_route, deltas, numbers, winners, offset)
            for offset, ((deltas, numbers), (winners, _)) in enumerate(offsets)
        ]
        return [partial(dX.fill, 0), *routes]


def _contest(largest: Array, numbers: Array, winners: Array, offset: int) -> None:
    """Let the numbers at one offset win where they are larger than all before."""
    larger = real(numbers) > real(largest)
    np.copyto(largest, numbers, where=larger)
    np.copyto(winners, offset, where=larger)


def _route(deltas: Array, numbers: Array, winners: Array, offset: int) -> None:
    """Let the deltas of the windows that were won at one offset arrive there."""
    np.add(numbers, deltas * (winners == offset), numbers)
