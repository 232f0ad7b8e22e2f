"""Faults that are on no list: a number, a function or a matrix that somebody got wrong in a way of their own; and pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.checking.quantity import Quantity
from tests.core.checking.campaign.dense import NETWORKS, possible
from tests.core.checking.faults import FAULTS, Fault, at_back, at_bias, at_delta, at_weight
from tests.core.checking.student import Array, Exercise, Student


def one_element(array: Array, seed: int) -> Array:
    """The array with one number changed."""
    rng = np.random.default_rng(seed)
    found = array.copy()
    index = tuple(int(rng.integers(length)) for length in array.shape)
    found[index] += rng.uniform(0.1, 2) * (np.abs(array).max() + 0.01)
    return found


def another_function(array: Array, seed: int) -> Array:
    """A function of every number that is not the right one."""
    a, b = np.random.default_rng(seed).uniform(0.5, 2, 2)
    return np.asarray(np.sin(a * array) + b * array**2 + 0.1 * a)


def another_matrix(shape: tuple[int, ...], seed: int) -> Array:
    """A matrix that has nothing to do with the network."""
    return np.random.default_rng(seed).standard_normal(shape)


def unknown_faults(seed: int) -> list[Fault]:
    """One of each sort."""
    return [
        Fault("unknown", at_delta(lambda e, k, d, dA, Z, A: one_element(d, seed)), "deltas"),
        Fault("unknown", at_delta(lambda e, k, d, dA, Z, A: another_function(d, seed)), "deltas"),
        Fault(
            "unknown",
            at_back(lambda e, k, D, W: D @ another_matrix(W.T.shape, seed)),
            "deltas",
            layers="hidden",
        ),
        Fault("unknown", at_weight(lambda e, k, g, a, D, z, A: one_element(g, seed)), "gradients", "weight"),
        Fault("unknown", at_weight(lambda e, k, g, a, D, z, A: another_function(g, seed)), "gradients", "weight"),
        Fault(
            "unknown",
            at_weight(lambda e, k, g, a, D, z, A: another_matrix(a.shape, seed).T @ D),
            "gradients",
            "weight",
        ),
        Fault("unknown", at_bias(lambda e, k, g, D: one_element(g, seed)), "gradients", "bias"),
        Fault("unknown", at_bias(lambda e, k, g, D: another_function(g, seed)), "gradients", "bias"),
    ]


def unknown_trials(count: int) -> Iterator[tuple[Fault, Exercise, int]]:
    """Faults in random networks and layers."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        faults = unknown_faults(seed)
        fault, exercise = faults[seed % len(faults)], NETWORKS[int(rng.integers(len(NETWORKS)))]
        layers = fault.places(len(exercise.W))
        yield fault, exercise, layers[int(rng.integers(len(layers)))]


@dataclass(frozen=True)
class Pair:
    """Two known mistakes in one program."""

    faults: tuple[Fault, Fault]
    layers: tuple[int, int]
    exercise: Exercise

    def program(self) -> Student:
        """The program with both."""
        first, second = (type(fault.program(layer)) for fault, layer in zip(self.faults, self.layers, strict=True))
        found: Student = type("Both", (first, second), {})()
        return found

    def expected(self) -> set[tuple[Quantity, str]]:
        """What has to be found."""
        return {(fault.quantity(layer), fault.cause) for fault, layer in zip(self.faults, self.layers, strict=True)}


def pairs(count: int) -> Iterator[Pair]:
    """Random pairs in two different rules."""
    seed = 0
    while count:
        rng = np.random.default_rng(seed)
        seed += 1
        exercise = NETWORKS[int(rng.integers(len(NETWORKS)))]
        chosen = []
        for _ in range(2):
            fault = FAULTS[int(rng.integers(len(FAULTS)))]
            layer = int(rng.choice(fault.places(len(exercise.W))))
            fits = not (fault.loss and fault.loss != exercise.loss) and not (fault.l2 and not exercise.l2)
            if fits and possible(fault, exercise, layer):
                chosen.append((fault, layer))
        if len(chosen) == 2 and chosen[0][0].quantity(chosen[0][1]) != chosen[1][0].quantity(chosen[1][1]):
            count -= 1
            (first, one), (second, two) = chosen
            yield Pair((first, second), (one, two), exercise)


FACTORS = {
    "multiplied-by-batch-size": 5.0,
    "sign-flipped": -1.0,
    "multiplied-by-two": 2.0,
    "divided-by-batch-size": 0.2,
}
STRUCTURES = {
    "missing-activation-derivative": at_delta,
    "derivative-at-activation": at_delta,
}


def pairs_in_one_rule() -> Iterator[tuple[str, Student, Exercise, int]]:
    """A factor and a mistake of another sort in the same delta."""
    exercise = NETWORKS[0]
    for fault in FAULTS:
        if fault.cause in STRUCTURES and fault.layers == "hidden":
            for cause, factor in FACTORS.items():
                for layer in fault.places(len(exercise.W)):
                    first = type(fault.program(layer))

                    class Scaled(first):  # type: ignore[misc, valid-type]
                        at, by = layer, factor

                        def hidden_delta(self, e: Exercise, k: int, D: Array, Z: Array, A: Array) -> Array:
                            found = super().hidden_delta(e, k, D, Z, A)
                            return np.asarray(found * self.by if k == self.at else found)

                    yield f"{cause}+{fault.cause}", Scaled(), exercise, layer
