"""initial-state: a recurrent layer that does not start at 0, with the state recovered from the submission."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.formulas import RIGHT
from core.checking.forward_readings.base import Changed, Variant, at, changed
from core.checking.forward_readings.passes import network_of
from core.checking.forward_readings.wrapped import Wrapped
from core.checking.quantity import Quantity, run, value_in
from core.checking.trace import Network
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.lstm import Lstm
from core.layers.shared.directions import FORWARD, REVERSE
from core.layers.shared.recurrence import Recurrent
from core.network import Node
from core.problem import Problem

MOST = 40
"""The most unknown numbers that are looked for."""

MARGIN = 6
"""Numbers that must be submitted beyond the unknown ones, so that a recovered state is confirmed by others."""

ROUNDS = 25
"""Steps of least squares; a consistent system needs few, because they converge quadratically in the end."""

SLOW = 0.05
"""The share of the squares by which a step after the first six has to reduce them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FromState(Wrapped):
    """The recurrent layer with h_0, and c_0 for an lstm, as constants."""

    start: Array
    """[h_0 c_0], n x u or n x 2u, and in both directions twice that; with one row, the same for every example."""

    def forward(self, context: LayerContext) -> Ops:
        ops = list(self.inner.forward(context))
        names = [f"{name}{end}" for name in ("H", "cells") for end in (FORWARD, REVERSE)]
        states = [context.saved[name] for name in names if name in context.saved]
        for state, start in zip(states, np.split(self.start, len(states), axis=1), strict=True):
            state[0] = start
        return ops


def initial_states(
    problem: Problem, values: Mapping[Quantity, Array], check_deadline: CheckDeadline
) -> Iterator[Variant]:
    """Yield the problem with the initial state of one recurrent layer that fits the submission best, where one fits.

    The state h_1 = f(x_1 W + h_0 U + b), everything behind it, and ∂L/∂U = Σ_t h_{t−1}ᵀ ∂L/∂a_t depend on h_0: the state is
    found by the method of Gauss and Newton, with damping, from everything that was submitted, and is believed only if more
    numbers agree than it has itself.
    """
    if problem.objective is None:
        return
    for node in problem.nodes:
        layer = node.layer
        if not isinstance(layer, Recurrent) or len(node.reads) > 1:
            continue
        n = node.shape[0]
        width = layer.width() * (2 if isinstance(layer, Lstm) else 1)
        for examples in dict.fromkeys((1, n)):
            size = sum(array.size for array in values.values())
            if examples * width > MOST or size < examples * width + MARGIN:
                continue
            fit = _Fit(problem, node, values, (examples, width), check_deadline)
            start = fit.solution()
            if start is not None:
                what = "h_0 and c_0" if isinstance(layer, Lstm) else "h_0"
                said = (
                    f"The initial state of your layer {node.name!r} is not 0: with {what} = {_written(start)}, everything "
                    "that you sent follows. Send it as an input that the layer reads."
                )
                yield Variant(
                    problem=fit.problem(start),
                    slug="initial-state",
                    places=at("preactivations", (node.name,)),
                    said=said,
                )


def _written(start: Array) -> str:
    rows = ", ".join("[" + ", ".join(f"{number:.4g}" for number in row) + "]" for row in start[:4])
    return f"[{rows}{', …' if len(start) > 4 else ''}]"


class _Fit:
    """Least squares for the initial state of one layer."""

    def __init__(
        self,
        problem: Problem,
        node: Node,
        values: Mapping[Quantity, Array],
        shape: tuple[int, int],
        check_deadline: CheckDeadline,
    ) -> None:
        self._problem, self._node, self._values, self._shape = problem, node, values, shape
        self._check_deadline = check_deadline
        self._network = Network(problem)
        self._scale = {q: float(np.abs(array).max(initial=0)) or 1.0 for q, array in values.items()}

    def problem(self, start: Array) -> Problem:
        """Return the problem with that initial state."""
        node = replace(self._node, layer=FromState(inner=self._node.layer, start=start))
        return changed(self._problem, {node.name: Changed(node)})

    def solution(self) -> Array | None:
        """Return the initial state, or None if the numbers do not determine one."""
        x = np.zeros(self._shape[0] * self._shape[1])
        residual, damping = self._residual(x), 1e-3
        if residual is None:
            return None
        for count in range(ROUNDS):
            self._check_deadline()
            if np.abs(residual).max() < 1e-13:
                break
            J = self._jacobian(x, residual)
            if np.linalg.matrix_rank(J) < len(x):
                return None
            A, b = J.T @ J, J.T @ residual
            for _ in range(8):
                step = np.linalg.solve(A + damping * np.diag(np.diag(A)), -b)
                tried = self._residual(x + step)
                if tried is not None and tried @ tried < residual @ residual:
                    break
                damping *= 8
            else:
                break
            gained = 1 - (tried @ tried) / (residual @ residual)
            x, residual, damping = x + step, tried, damping / 16
            if count > 5 and gained < SLOW:
                break
        if np.abs(residual).max() > 1e-2:
            return None
        return x.reshape(self._shape)

    def _residual(self, x: Array) -> Array | None:
        """Return everything that was submitted minus what follows from the state, each tensor relative to its size."""
        trace = run(network_of(self.problem(x.reshape(self._shape)), self._network), RIGHT)
        found = []
        for quantity, yours in self._values.items():
            expected = np.asarray(value_in(trace, quantity, RIGHT))
            if expected.shape != yours.shape:
                return None
            found.append(((expected - yours) / self._scale[quantity]).ravel())
        residual = np.concatenate(found)
        return residual if np.isfinite(residual).all() else None

    def _jacobian(self, x: Array, residual: Array) -> Array:
        """Return ∂(residual)/∂x by forward differences, which is near enough for a step."""
        step = 1e-6
        columns = []
        for k in range(len(x)):
            moved = np.array(x)
            moved[k] += step
            other = self._residual(moved)
            columns.append(np.zeros_like(residual) if other is None else (other - residual) / step)
        return np.stack(columns, axis=1)
