"""Kinks: numbers at or near a point where a derivative jumps, so that more than one value is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from core.arrays import Array
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.layers.max_pool2d import MaxPool2D
from core.layers.prelu import Prelu
from core.layers.rnn import Rnn
from core.layers.shared.directions import in_reading_order
from core.layers.shared.extreme import Extreme

MOST = 100
"""The largest number of kinks that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kink:
    """A place where the derivative has a jump, so that more than one value is right."""

    layer: str
    index: tuple[int, ...]
    """Batch-first."""
    distance: float
    why: str
    inside: bool = False
    """True if it is inside the layer, so that the layer's delta does not depend on its slope."""


def kinks(trace: Trace, near: float, most: int | None = MOST) -> list[Kink]:
    """Return the kinks of the right trace: numbers at a kink, or within `near` times the largest number of the tensor."""
    return list(islice(_all(trace, near), most))


def kinks_in(trace: Trace, quantity: Quantity, near: float) -> list[Kink]:
    """Return the kinks whose slopes enter the rule of a delta or a gradient: its layer's own, and those of its readers.

    Where a submission is wrong in more than these slopes, they are what its author may suspect first.
    """
    if quantity.part not in ("deltas", "gradients", "input_gradient"):
        return []
    network, found = trace.network, []
    above = {reader.layer for reader in network.readers[quantity.layer]}
    for kink in _all(trace, near):
        inside = kink.inside or network.nodes[kink.layer].layer.function_of_input() is not None
        if (kink.layer == quantity.layer and (not inside or quantity.part == "gradients")) or (
            kink.layer in above and inside
        ):
            found.append(kink)
    return found[:MOST]


def _all(trace: Trace, near: float) -> Iterator[Kink]:
    for name, node in trace.network.nodes.items():
        for point in node.function.kinks():
            why = f"the kink of {node.function.name} at z = {point + 0.0:.4g}"
            yield from _zeros(name, trace.preactivations[name], near, why, point)
        of_input = node.layer.function_of_input()
        if of_input is not None:
            for point in of_input.kinks():
                (X,) = trace.read_by(name)
                yield from _zeros(name, X, near, f"the kink of {of_input.title} at {point + 0.0:.4g}", point)
        if isinstance(node.layer, MaxPool2D):
            yield from _ties(node.layer, name, trace)
        if isinstance(node.layer, Extreme):
            yield from _equal_extremes(node.layer, name, trace)
        if isinstance(node.layer, Prelu):
            (X,) = trace.read_by(name)
            for kink in _zeros(name, X, near, "the kink of prelu at 0"):
                yield replace(kink, inside=True)
        if isinstance(node.layer, Rnn) and (inner := node.layer.of_direction("").function_at(0)).kinks():
            why = f"the kink of {inner.name} at a = 0, inside the recurrence"
            yield from _in_time(node.layer, name, trace, near, why)
    objective, last = trace.network.problem.objective, trace.network.last
    if objective is not None:
        A = trace.activations[last]
        distance = objective.loss.distance_to_kink(A, objective.targets.reshape(A.shape))
        if distance is not None:
            yield from _zeros(last, distance, near, objective.loss.kink)


def _zeros(layer: str, values: Array, near: float, why: str, point: float = 0.0) -> Iterator[Kink]:
    """Yield the numbers at a kink, or within `near` times the largest number of it."""
    distance = np.abs(values - point)
    size = float(np.abs(values).max(initial=0))
    for index in np.argwhere(distance <= near * size):
        at = tuple(int(each) for each in index)
        yield Kink(layer=layer, index=at, distance=float(distance[at]), why=why)


def _ties(layer: MaxPool2D, name: str, trace: Trace) -> Iterator[Kink]:
    """Yield the windows in which several numbers are the largest."""
    (X,), Z = trace.read_by(name), trace.preactivations[name]
    largest = np.zeros_like(Z)
    for (windows, numbers), (counted, _) in zip(layer.offsets(Z, X), layer.offsets(largest, X), strict=True):
        np.add(counted, windows == numbers, counted)
    for index in np.argwhere(largest > 1):
        at = tuple(int(each) for each in index)
        why = "a window in which several numbers are the largest"
        yield Kink(layer=name, index=at, distance=0.0, why=why, inside=True)


def _equal_extremes(layer: Extreme, name: str, trace: Trace) -> Iterator[Kink]:
    """Yield the results of a reduction that several numbers are."""
    (X,), Z, column = trace.read_by(name), trace.preactivations[name], trace.network.convention == "column"
    ties = layer.tied(X, Z, column)
    for index in np.argwhere(ties.reshape(Z.shape)):
        at = tuple(int(each) for each in index)
        yield Kink(layer=name, index=at, distance=0.0, why=f"several equal numbers in a {layer.kind}", inside=True)


def _in_time(layer: Rnn, name: str, trace: Trace, near: float, why: str) -> Iterator[Kink]:
    """Yield the kinks inside a recurrent layer, with indices example, time step, unit of the result."""
    saved = trace.network.layer_rules[name].saved(trace.read_by(name))
    for position, end in enumerate(layer.directions()):
        A = in_reading_order(np.swapaxes(saved[f"A{end}"], 0, 1), end)
        for kink in _zeros(name, A, near, why):
            example, step, unit = kink.index
            yield replace(kink, index=(example, step, unit + position * layer.units), inside=True)
