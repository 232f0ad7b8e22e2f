"""The comparison of two tensors: their difference, and whether rounding explains it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.digits import Digits
from core.checking.disturbance import Disturbed, disturb, disturb_network
from core.checking.precision import AMPLIFIED, Criterion
from core.checking.quantity import Quantity, run, value_in
from core.checking.slopes.places import NEAR, may_have_kinks, with_choices
from core.checking.trace import Network, Trace

DRAWS = 16
"""Number of random disturbances with which rounding is tested."""

FEW = 4
"""Number of them after which a test that is far from passing is given up."""

FAR = 6
"""A difference is far from passing if it exceeds what is allowed by this factor."""

SHARE = 1.0
"""The least effect of rounding on a number, as a part of the median effect on its tensor: a few draws may miss it."""

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


HURRIED = 1e-3
"""Difference relative to the largest number that may be rounding, where there is no time to try it out."""

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
        self._networks: dict[int, Network] = {}
        self._steady: Network | None = None
        self._spread: dict[Quantity, Array] | None = None
        self._largest_delta = _largest_of(truth.deltas)
        self._digits: dict[int, tuple[Array, Digits | None]] = {}

    def allowed(self, quantity: Quantity, yours: Array | None = None) -> Array:
        """Return the allowed distance of a submitted quantity from the right one.

        Args:
            quantity: the quantity.
            yours: what was submitted. If it agrees without the effect of rounding, that effect is not tried out.
        """
        expected = self.right[quantity]
        allowed = self.criterion.allowed(expected, self.criterion.digits_for(quantity))
        if self.criterion.chosen or (yours is not None and bool(np.all(np.abs(yours - expected) <= allowed))):
            return allowed
        return np.asarray(allowed + AMPLIFIED * self._spreads()[quantity])

    def is_right(self, quantity: Quantity, yours: Array) -> bool:
        """Return True if a submitted quantity is right."""
        expected = self.right[quantity]
        if yours.shape != expected.shape:
            return False
        apart = np.abs(yours - expected)
        allowed = self.criterion.allowed(expected, self.criterion.digits_for(quantity))
        if np.all(apart <= allowed):
            return True
        if self.criterion.chosen or not self._hopeful(apart, expected, allowed, self.truth):
            return False
        return bool(np.all(apart <= allowed + AMPLIFIED * self._spreads()[quantity]))

    def agrees(
        self, yours: Array, rule: Evaluated, trace: Trace, value: Array | None = None, *, hurried: bool = False
    ) -> bool:
        """Return True if a rule gives the submitted tensor from the numbers of a trace.

        If it is hurried, rounding is not tried out: a difference that it may explain agrees.
        """
        expected = rule(trace) if value is None else value
        if yours.shape != expected.shape or not np.isfinite(expected).all():
            return False
        apart = np.abs(yours - expected)
        allowed = self.criterion.allowed(expected)
        if np.all(apart <= allowed):
            return True
        if self.criterion.chosen:
            return False
        allowed = self.criterion.allowed(expected, self._digits_in(yours))
        if not self._hopeful(apart, expected, allowed, trace):
            return False
        if hurried:
            return bool(np.all(apart <= HURRIED * _largest(expected)))
        spread = np.zeros_like(allowed)
        for draw in range(DRAWS):
            formulas = Disturbed(self.criterion.unit, (1, draw))
            moved = rule(disturb(trace, self._disturbed(draw), formulas, self.criterion))
            spread = np.maximum(spread, _moved_by(moved, expected))
            limit = allowed + AMPLIFIED * _at_least_a_share(spread)
            if np.all(apart <= limit):
                return True
            if draw + 1 >= FEW and np.any(apart > FAR * limit):
                return False
        return False

    def differs(self, one: Array, other: Array) -> bool:
        """Return True if two computed tensors differ by more than any tolerance, so that a submission separates them."""
        if one.shape != other.shape:
            return True
        apart = np.abs(one - other)
        return bool(np.any(apart > 4 * self.criterion.allowed(other) + 64 * self.criterion.unit * _largest(other)))

    def _digits_in(self, yours: Array) -> Digits | None:
        """Return the digits of a submitted tensor, which is compared with the result of every mistake."""
        if id(yours) not in self._digits:
            self._digits[id(yours)] = (yours, self.criterion.digits_in(yours))
        return self._digits[id(yours)][1]

    def _hopeful(self, apart: Array, expected: Array, allowed: Array, trace: Trace) -> bool:
        """Return True if rounding may explain the difference, for instance where large numbers cancel in a sum."""
        coarse = 1e3 * _largest(allowed) if self.criterion.digits or any(self.criterion.by_quantity.values()) else 0.0
        deltas = self._largest_delta if trace is self.truth else _largest_of(trace.deltas)
        cancelled = 1e3 * self.criterion.unit * deltas
        limit = max(HOPELESS * _largest(expected), coarse, cancelled)
        return float(apart.max(initial=0)) <= limit

    def _disturbed(self, draw: int) -> Network:
        """Return the network in the precision of the submission, with a random disturbance of all that it is given."""
        if draw not in self._networks:
            formulas = Disturbed(self.criterion.unit, (0, draw))
            self._networks[draw] = disturb_network(self._held(), formulas, self.criterion.dtype)
        return self._networks[draw]

    def _held(self) -> Network:
        """Return the network with the slopes at its kinks held: a side changed by a disturbance is no rounding error."""
        if self._steady is None:
            self._steady = self._network
            if may_have_kinks(self._network.problem):
                problem, choices = with_choices(self.truth, NEAR)
                self._steady = Network(problem) if choices else self._network
        return self._steady

    def _spreads(self) -> dict[Quantity, Array]:
        """Return the change of each right quantity when every number before it is disturbed."""
        if self._spread is None:
            spread = {quantity: np.zeros_like(array) for quantity, array in self.right.items()}
            for draw in range(DRAWS):
                formulas = Disturbed(self.criterion.unit, (2, draw))
                with np.errstate(all="ignore"):
                    trace = run(self._disturbed(draw), formulas)
                    for quantity, array in self.right.items():
                        moved = _moved_by(value_in(trace, quantity, formulas), array)
                        spread[quantity] = np.maximum(spread[quantity], moved)
            self._spread = {quantity: _at_least_a_share(array) for quantity, array in spread.items()}
        return self._spread


def _largest_of(arrays: Mapping[str, Array]) -> float:
    return max((_largest(array) for array in arrays.values()), default=0.0)


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0))


def _moved_by(moved: Array, expected: Array) -> Array:
    """Return the distance that a disturbance moved each number: one that it makes infinite may be anything.

    Where a layer refuses the disturbed numbers altogether, nothing is learnt.
    """
    if moved.shape != expected.shape or (moved.size and np.isnan(moved).all()):
        return np.zeros(expected.shape)
    apart = np.abs(moved - expected)
    return np.where(np.isfinite(apart), apart, np.inf)


def _at_least_a_share(spread: Array) -> Array:
    """Return the spread, of every number at least a share of the median of all."""
    return np.maximum(spread, SHARE * float(np.median(spread))) if spread.size else spread
