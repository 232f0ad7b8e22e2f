"""Unknown faults: one rule of a right program spoiled in a way that is on no list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from core.arrays import Array
from core.checking.formulas import RIGHT
from core.checking.layer_rules import Backward
from core.checking.quantity import Quantity, quantities
from core.checking.trace import BackwardOfLayer, Network, Trace
from tests.core.checking.campaign.outcome import UNKNOWN, Expected, Trial
from tests.core.checking.campaign.problems import Sample, sample_of
from tests.core.checking.campaign.program import WAYS, Rule, computed, differs, is_finite, submission

FAMILY = "unknown"
Spoiling = Callable[[Array, int], Array]


def one_number(array: Array, seed: int) -> Array:
    """One number changed."""
    generator, found = np.random.default_rng(seed), array.copy()
    index = tuple(int(generator.integers(length)) for length in array.shape)
    found[index] += generator.uniform(0.1, 2) * (np.abs(array).max() + 0.01)
    return found


def another_function(array: Array, seed: int) -> Array:
    """A function of every number, at its own scale."""
    a, b = np.random.default_rng(seed).uniform(0.5, 2, 2)
    scale = np.abs(array).max() + 1e-3
    return np.asarray(scale * (np.sin(a * array / scale) + b * (array / scale) ** 2 + 0.1 * a))


def another_matrix(array: Array, seed: int) -> Array:
    """The last axis multiplied by a matrix that has nothing to do with the network."""
    width = array.shape[-1] if array.ndim else 1
    if width == 1:
        return another_function(array, seed)  # A matrix of one number is a known mistake: a constant factor.
    matrix = np.random.default_rng(seed).standard_normal((width, width))
    return np.asarray(array @ matrix)


SPOILINGS: tuple[Spoiling, ...] = (one_number, another_function, another_matrix)


def trials(number: int) -> Iterator[tuple[Sample, Trial]]:
    """The trials of one problem."""
    sample = sample_of(number)
    network = sample.network()
    right = computed(network)
    for name, places, wrong, inside in faults(sample, network):
        values = computed(network, wrong, inside)
        expected = Expected(places, frozenset([UNKNOWN]))
        for way, parts in WAYS.items():
            if differs(values, right, parts) and is_finite(values, parts):
                yield (
                    sample,
                    Trial(FAMILY, number, name, sample.kind, way, submission(network, values, parts), expected),
                )


Fault = tuple[str, frozenset[Quantity], dict[Quantity, Rule], dict[str, BackwardOfLayer]]


def faults(sample: Sample, network: Network) -> Iterator[Fault]:
    """A fault in the delta of the layer, in each of its gradients, in what it sends back, and in all of them at once."""
    node, seed = network.nodes[sample.layer], sample.number
    below = [Quantity("deltas" if name in network.nodes else "input_gradient", name) for name in node.reads]
    gradients = [Quantity("gradients", sample.layer, name) for name in node.parameters]
    known = set(quantities(network))
    for k, place in enumerate([Quantity("deltas", sample.layer), *gradients, *below]):
        spoil = SPOILINGS[(seed + k) % len(SPOILINGS)]
        if place in known:
            name = f"{spoil.__name__} in {place.layer}.{place.tensor}"
            yield name, frozenset([place]), {place: partial(_spoiled, place, spoil, seed + k)}, {}
    if gradients:
        spoil = SPOILINGS[1 + seed % 2]
        places = frozenset([*gradients, *below])
        yield (
            f"{spoil.__name__} inside {sample.layer}",
            places,
            {},
            {sample.layer: partial(_spoiled_inside, network, sample.layer, spoil, seed)},
        )


def _spoiled(place: Quantity, spoil: Spoiling, seed: int, trace: Trace) -> Array:
    return spoil(np.asarray(place.by_rule(RIGHT, trace)), seed)


def _spoiled_inside(network: Network, layer: str, spoil: Spoiling, seed: int, trace: Trace) -> Backward:
    right = network.layer_rules[layer].backward(trace.read_by(layer), trace.deltas[layer])
    reads_classes = network.nodes[layer].layer.reads_classes
    return Backward(
        inputs=[array if reads_classes else spoil(array, seed) for array in right.inputs],
        parameters={name: spoil(array, seed + k) for k, (name, array) in enumerate(right.parameters.items())},
    )
