"""The slopes at kinks with which a submission is right.

Where a delta was submitted, its slopes are quotients of the submitted numbers. Where only gradients were, they are solved
for: a gradient is linear in every slope, so that its change from x = 0 to x = 1 is its derivative, and least squares
within the bounds find the slopes, from the top layer down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.formulas import RIGHT
from core.checking.quantity import Quantity, quantities
from core.checking.slopes.choice import Choice
from core.checking.slopes.least_squares import bounded_least_squares
from core.checking.slopes.places import NEAR, may_have_kinks, with_choices
from core.checking.submission import Submission, SubmissionSpec, read
from core.checking.trace import Network, Trace
from core.problem import Problem

MOST = 64
"""The largest number of slopes that are solved for; of more, only equal ones are tried."""

ROUNDS, FITS = 8, 1e-3
"""The rounds of least squares, and the relative difference of a gradient that has been fitted."""


def fitted(problem: Problem, sent: SubmissionSpec) -> tuple[Problem, list[Choice]] | None:
    """Return the problem with the slopes of a submission, and the choices; None if they are this service's own."""
    if not may_have_kinks(problem):
        return None
    network = Network(problem)
    submission = read(network, sent)
    changed, choices = with_choices(_forward(network, submission), NEAR)
    if not choices:
        return None
    trace = _forward(Network(changed), submission)
    wanted = {
        quantity: submission.values[quantity]
        for quantity in quantities(network)
        if quantity.part in ("deltas", "gradients", "input_gradient")
        and quantity in submission.values
        and submission.fits(network, quantity)
    }
    fit = _Fit(trace, choices, wanted)
    fit.by_deltas()
    fit.by_gradients()
    if np.allclose(fit.x, np.concatenate([choice.own for choice in choices]), rtol=0, atol=1e-9):
        return None
    return changed, choices


def _forward(network: Network, submission: Submission) -> Trace:
    """Return the forward pass with the submitted tensors in their places."""
    given = {(q.layer, q.part) for q in submission.values if submission.fits(network, q)}
    trace = Trace(network, given=frozenset(given))
    with np.errstate(all="ignore"):
        for layer in network.nodes:
            for part, kept in (("preactivations", trace.preactivations), ("activations", trace.activations)):
                quantity = Quantity(part, layer)
                kept[layer] = submission.values[quantity] if (layer, part) in given else quantity.by_rule(RIGHT, trace)
    return trace


@dataclass(slots=True)
class _Fit:
    """The search for the slopes."""

    trace: Trace
    choices: Sequence[Choice]
    wanted: Mapping[Quantity, Array]
    """The submitted tensors of the backward pass, in its order."""

    @property
    def x(self) -> Array:
        """All slopes, each as its part of the way from the lower to the higher one."""
        return np.concatenate([choice.x for choice in self.choices])

    def _take(self, x: Array) -> None:
        start = 0
        for choice in self.choices:
            choice.x = x[start : start + len(choice.x)].copy()
            start += len(choice.x)

    def _backward(self, x: Array) -> dict[Quantity, Array]:
        """Return what a program with these slopes submits, with the submitted deltas in their places."""
        self._take(x)
        trace, found = self.trace.branch(), {}
        trace._backward.clear()
        with np.errstate(all="ignore"):
            for node in reversed(trace.network.problem.nodes):
                quantity = Quantity("deltas", node.name)
                found[quantity] = RIGHT.delta(trace, node.name)
                trace.deltas[node.name] = self.wanted.get(quantity, found[quantity])
            for quantity in self.wanted:
                if quantity.part != "deltas":
                    found[quantity] = quantity.by_rule(RIGHT, trace)
        return found

    def by_deltas(self) -> None:
        """Read the slopes off the deltas that they multiply."""
        zeros, ones = self._backward(0 * self.x), self._backward(0 * self.x + 1)
        targets = [choice.target for choice in self.choices]
        self._take(np.concatenate([choice.own for choice in self.choices]))
        for choice in self.choices:
            quantity = Quantity("deltas", choice.target)
            if quantity not in self.wanted or targets.count(choice.target) > 1:
                continue
            low, high, yours = (each[quantity][choice.where] for each in (zeros, ones, self.wanted))
            apart = high - low
            with np.errstate(all="ignore"):
                choice.x = np.clip(np.where(apart != 0, (yours - low) / apart, choice.own), 0, 1)

    def by_gradients(self) -> None:
        """Solve for the other slopes, from the top layer down; a gradient that no slopes reproduce is left out."""
        targets = [choice.target for choice in self.choices]
        known = [
            Quantity("deltas", each) in self.wanted and bool(each) and targets.count(each) == 1 for each in targets
        ]
        sizes = [len(choice.x) for choice in self.choices]
        open_slopes = np.flatnonzero(np.repeat(np.logical_not(known), sizes))
        if not len(open_slopes):
            return
        x, equations = self.x, list[Quantity]()
        candidates = self._candidates(x, open_slopes)
        for quantity in self.wanted:
            tried = [*equations, quantity]
            starts = [x, *candidates]
            starts.sort(key=lambda each: float(np.linalg.norm(self._error(each, tried))))
            for start in starts[:2]:
                solved = start
                if np.abs(self._error(start, tried)).max(initial=0) > 1e-9 and len(open_slopes) <= MOST:
                    solved = self._solved(start, open_slopes, tried)
                if np.abs(self._error(solved, tried)).max(initial=0) <= FITS:
                    x, equations = solved, tried
                    break
        self._take(x)

    def _candidates(self, x: Array, open_slopes: Array) -> list[Array]:
        """Return the slopes that programs have: of functions 1, 0 or ½, and the ties of a pool whole, shared or the first."""
        ties = np.concatenate([choice.ties for choice in self.choices])[open_slopes]
        pooled = np.repeat([choice.windows is not None for choice in self.choices], [len(c.x) for c in self.choices])
        pooled, own = pooled[open_slopes], x[open_slopes]
        functions = (1.0, 0.0, 0.5) if not pooled.all() else (0.0,)
        pools = (1.0, 1 / ties, own) if pooled.any() else (0.0,)
        return [_with(x, open_slopes, np.where(pooled, pool, slope)) for slope in functions for pool in pools]

    def _error(self, x: Array, equations: Sequence[Quantity]) -> Array:
        """Return submitted minus computed numbers, each tensor relative to its largest."""
        found = self._backward(x)
        parts = [
            (self.wanted[each] - found[each]).ravel() / (float(np.abs(self.wanted[each]).max(initial=0)) or 1.0)
            for each in equations
        ]
        return np.nan_to_num(np.concatenate(parts), nan=1e3, posinf=1e3, neginf=-1e3)

    def _solved(self, x: Array, open_slopes: Array, equations: Sequence[Quantity]) -> Array:
        """Return the slopes after some rounds of least squares."""
        error = self._error(x, equations)
        for _ in range(ROUNDS):
            columns = []
            for k in open_slopes:
                other = x.copy()
                other[k] = 1.0 if x[k] < 0.5 else 0.0
                columns.append((error - self._error(other, equations)) / (other[k] - x[k]))
            here = x[open_slopes]
            step = bounded_least_squares(np.stack(columns, axis=1), error, -here, 1 - here)
            moved = x.copy()
            moved[open_slopes] = np.clip(here + step, 0, 1)
            after = self._error(moved, equations)
            if not np.linalg.norm(after) < (1 - 1e-3) * np.linalg.norm(error):
                break
            x, error = moved, after
            if np.abs(error).max(initial=0) <= 1e-12:
                break
        return x


def _with(x: Array, places: Array, value: Array) -> Array:
    found = x.copy()
    found[places] = value
    return found
