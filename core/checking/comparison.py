"""The comparison of two tensors: their difference, and whether rounding explains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.precision import AMPLIFIED, Criterion, Disturbed, disturb, disturb_network
from core.checking.quantity import Quantity, run, value_in
from core.checking.trace import Network, Trace

DRAWS = 3
"""Number of random disturbances with which rounding is tested."""

HOPELESS = 0.3
"""Above this difference, relative to the largest number of the tensor, rounding is not tested."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of a submitted tensor from the expected one."""

    relative_error: float
    """‖yours − expected‖ / (‖yours‖ + ‖expected‖), and 0 if both are 0."""
    cosine: float | None
    """Cosine of the angle between the two; None if one of them is 0."""
    worst: tuple[int, ...]
    """Index of the number that exceeds its allowed difference most."""
    mismatched: int
    """Number of values that differ by more than is allowed."""


def difference(yours: Array, expected: Array, allowed: Array) -> Difference:
    """Return the difference of two tensors of one shape."""
    apart = np.abs(yours - expected)
    scale = max(_largest(yours), _largest(expected)) or 1.0  # The squares of large numbers overflow float64.
    one, other = yours / scale, expected / scale
    sizes = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    both = sizes[0] + sizes[1]
    product = sizes[0] * sizes[1]
    cosine = float(np.sum(one * other)) / product if product > 0 else None
    excess = apart - allowed
    worst = np.unravel_index(int(np.argmax(excess)), excess.shape) if excess.ndim else ()
    return Difference(
        relative_error=float(np.linalg.norm(one - other)) / both if both else 0.0,
        cosine=None if cosine is None else max(-1.0, min(1.0, cosine)),
        worst=tuple(int(index) for index in worst),
        mismatched=int(np.count_nonzero(excess > 0)),
    )


Evaluated = Callable[[Trace], Array]
"""A rule, right or wrong: from a trace to a tensor."""


class Comparator:
    """Decides whether two tensors agree."""

    def __init__(self, network: Network, criterion: Criterion, truth: Trace, right: dict[Quantity, Array]) -> None:
        self.criterion = criterion
        self.truth = truth
        self.right = right
        """The right value of every quantity."""
        self._network = network
        self._disturbed: list[tuple[Network, Disturbed]] | None = None
        self._spread: dict[Quantity, Array] | None = None

    def allowed(self, quantity: Quantity) -> Array:
        """Return the allowed distance of a submitted quantity from the right one."""
        allowed = self.criterion.allowed(self.right[quantity])
        return allowed if self.criterion.chosen else np.asarray(allowed + AMPLIFIED * self._spreads()[quantity])

    def is_right(self, quantity: Quantity, yours: Array) -> bool:
        """Return True if a submitted quantity is right."""
        expected = self.right[quantity]
        if yours.shape != expected.shape:
            return False
        apart = np.abs(yours - expected)
        if np.all(apart <= self.criterion.allowed(expected)):
            return True
        return bool(np.all(apart <= self.allowed(quantity)))

    def agrees(self, yours: Array, rule: Evaluated, trace: Trace, value: Array | None = None) -> bool:
        """Return True if a rule gives the submitted tensor from the numbers of a trace."""
        expected = rule(trace) if value is None else value
        if yours.shape != expected.shape or not np.isfinite(expected).all():
            return False
        apart = np.abs(yours - expected)
        allowed = self.criterion.allowed(expected)
        if np.all(apart <= allowed):
            return True
        if not self._hopeful(apart, expected, trace):
            return False
        spread = np.zeros_like(allowed)
        for network, formulas in self._draws():
            moved = rule(disturb(trace, network, formulas, self.criterion.digits))
            spread = np.maximum(spread, _finite(np.abs(moved - expected)))
        return bool(np.all(apart <= allowed + AMPLIFIED * spread))

    def differs(self, one: Array, other: Array) -> bool:
        """Return True if two computed tensors differ by more than any tolerance, so that a submission separates them."""
        if one.shape != other.shape:
            return True
        apart = np.abs(one - other)
        return bool(np.any(apart > 4 * self.criterion.allowed(other) + 64 * self.criterion.unit * _largest(other)))

    def _hopeful(self, apart: Array, expected: Array, trace: Trace) -> bool:
        """Return True if rounding may explain the difference, for instance where large numbers cancel in a sum."""
        digits = self.criterion.digits
        coarse = 1e3 * float(digits.half_unit(expected).max(initial=0)) if digits else 0.0
        cancelled = 1e3 * self.criterion.unit * max((_largest(delta) for delta in trace.deltas.values()), default=0.0)
        limit = max(HOPELESS * _largest(expected), coarse, cancelled)
        return not self.criterion.chosen and float(apart.max(initial=0)) <= limit

    def _draws(self) -> list[tuple[Network, Disturbed]]:
        """Return the network with a few random disturbances."""
        if self._disturbed is None:
            formulas = [Disturbed(self.criterion.unit, seed) for seed in range(DRAWS)]
            self._disturbed = [(disturb_network(self._network, each), each) for each in formulas]
        return self._disturbed

    def _spreads(self) -> dict[Quantity, Array]:
        """Return the change of each right quantity when every number before it is disturbed."""
        if self._spread is None:
            self._spread = {quantity: np.zeros_like(array) for quantity, array in self.right.items()}
            for network, formulas in self._draws():
                trace = run(network, formulas)
                for quantity, array in self.right.items():
                    moved = _finite(np.abs(value_in(trace, quantity, formulas) - array))
                    self._spread[quantity] = np.maximum(self._spread[quantity], moved)
        return self._spread


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0))


def _finite(spread: Array) -> Array:
    """A number that a disturbance makes infinite, or none at all, may be anything."""
    return np.where(np.isfinite(spread), spread, np.inf)
