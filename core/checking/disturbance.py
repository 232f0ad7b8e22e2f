"""Disturbance: rounding is tried out instead of estimated.

Two correct programs differ by rounding. By how much depends on the place: 1 − a loses the digits of a saturated sigmoid,
a sum may cancel. So the same rules run again in the precision of the submission, with every number between them disturbed
by a few units of its last place, and a number that moves by some amount may differ by that amount. Inside a layer the
rounding is that of the precision itself: of the scores and the softmax of attention, of gates, of decompositions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from core.arrays import Array
from core.checking.formulas import Formulas
from core.checking.precision import UNITS, Criterion
from core.checking.quantity import Quantity
from core.checking.trace import Network, Trace
from core.derivatives.certificate import read_as_classes

SYMMETRIC = 1e-6
"""Square matrices that differ from their transpose by less than this part of their largest number are symmetric."""


class Disturbed(Formulas):
    """The right rules on a machine with a little less precision: every number is disturbed as soon as it is there."""

    def __init__(self, unit: float, seed: Sequence[int]) -> None:
        self._size = UNITS * unit
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def noise(self, shape: tuple[int, ...]) -> Array:
        """Random numbers between −1 and 1."""
        return self._generator.uniform(-1, 1, shape)

    def moved(self, array: Array) -> Array:
        """An array with every number disturbed; a symmetric matrix stays one."""
        return like(array, array * (1 + self._size * self.noise(array.shape)))

    def around(self, array: Array) -> Array:
        """The same for a function's values, whose small ones may be differences of large ones: 1 − (1 − a) for a sigmoid."""
        slack = self._size * np.abs(array).max(initial=0) * self.noise(array.shape)
        return like(array, self.moved(array) + np.where(array == 0, 0, slack))

    def preactivation(self, trace: Trace, layer: str) -> Array:
        return self.moved(super().preactivation(trace, layer))

    def activation(self, trace: Trace, layer: str) -> Array:
        return self.around(super().activation(trace, layer))

    def loss(self, trace: Trace) -> Array:
        """From the output and not from its logits, as most programs do: log(1 − a) loses what a saturated a has left."""
        return super().loss(replace(trace, given=frozenset({(trace.network.last, "activations")})))

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        return self.moved(super().through_activation(trace, layer, self.moved(dA)))

    def output_delta(self, trace: Trace) -> Array:
        return self.moved(super().output_delta(trace))


def like(array: Array, moved: Array) -> Array:
    """Return `moved`, made symmetric if `array` holds symmetric matrices: layers that decompose them refuse others."""
    if array.ndim < 2 or array.shape[-1] != array.shape[-2]:
        return np.asarray(moved)
    apart = float(np.abs(array - np.swapaxes(array, -1, -2)).max(initial=0))
    if apart > SYMMETRIC * float(np.abs(array).max(initial=0)):
        return np.asarray(moved)
    return np.asarray((moved + np.swapaxes(moved, -1, -2)) / 2)


def disturb_network(network: Network, formulas: Disturbed, dtype: np.dtype[np.floating]) -> Network:
    """Return the network in a precision, with every parameter and every input disturbed; class numbers stay as they are."""
    problem, still = network.problem, read_as_classes(network.problem.nodes)
    return Network(
        replace(
            problem,
            inputs={
                name: array if name in still else formulas.moved(array.astype(np.float64))
                for name, array in problem.inputs.items()
            },
            parameters={
                layer: {name: formulas.moved(array.astype(np.float64)) for name, array in named.items()}
                for layer, named in problem.parameters.items()
            },
        ),
        dtype,
    )


def disturb(trace: Trace, network: Network, formulas: Disturbed, criterion: Criterion) -> Trace:
    """Return the same trace with every number disturbed: by rounding, and what was sent by half a unit of its last digit.

    Args:
        trace: what is disturbed.
        network: its network, disturbed.
        formulas: whose precision it is.
        criterion: the digits that were sent.
    """

    def moved(part: str, layer: str, array: Array) -> Array:
        near = formulas.moved(array)
        sent = part == "deltas" or (layer, part) in trace.given
        digits = criterion.digits_for(Quantity(part, layer)) if sent else None
        return near if digits is None else like(array, near + digits.half_unit(array) * formulas.noise(array.shape))

    still = read_as_classes(network.problem.nodes)

    def activation(layer: str, array: Array) -> Array:
        if layer in network.inputs:
            return network.inputs[layer]
        return array if layer in still else moved("activations", layer, formulas.around(array))

    found = Trace(network, given=trace.given, inside=trace.inside)
    found.preactivations = _Moved(trace.preactivations, partial(moved, "preactivations"))
    found.activations = _Moved(trace.activations, activation)
    found.deltas = _Moved(trace.deltas, partial(moved, "deltas"))
    return found


class _Moved(MutableMapping[str, Array]):
    """The disturbed tensors of a trace, each made when a rule reads it: a rule reads those around its layer alone."""

    def __init__(self, source: Mapping[str, Array], made: Callable[[str, Array], Array]) -> None:
        self._source, self._made = source, made
        self._kept: dict[str, Array] = {}

    def __getitem__(self, layer: str) -> Array:
        if layer not in self._kept:
            self._kept[layer] = self._made(layer, self._source[layer])
        return self._kept[layer]

    def __setitem__(self, layer: str, array: Array) -> None:
        self._kept[layer] = array

    def __delitem__(self, layer: str) -> None:
        raise TypeError("a disturbed trace keeps its tensors")

    def __contains__(self, layer: object) -> bool:
        return layer in self._kept or layer in self._source

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._source, *self._kept]))

    def __len__(self) -> int:
        return len(self._source.keys() | self._kept.keys())

    def __copy__(self) -> _Moved:
        found = _Moved(self._source, self._made)
        found._kept = dict(self._kept)
        return found
