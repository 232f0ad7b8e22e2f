"""Updates of θ as compiled functions."""

from __future__ import annotations

import math
from typing import Any

from app.compiled.codes import MOMENTS, MOMENTUM, NESTEROV, PLAIN
from app.compiled.jit import compiled


@compiled
def clip(gradient: Any, limit: float) -> None:
    """Scale a gradient down to a norm."""
    squares = 0.0
    for i in range(gradient.size):
        squares += float(gradient[i]) * float(gradient[i])
    # In the precision of the gradient, in which NumPy has it: squares beyond all finite numbers leave a gradient of 0.
    norm = math.sqrt(gradient.dtype.type(squares))
    factor = limit / (norm + 1e-6)
    if not factor >= 1.0:  # NaN stays NaN.
        gradient *= gradient.dtype.type(factor)


@compiled
def update(
    kind: int, numbers: Any, rate: float, step: int, theta: Any, gradient: Any, first: Any, second: Any, largest: Any
) -> None:
    """Move θ by one step; `step` counts from 1, `numbers` is `Rule.numbers`."""
    number = theta.dtype.type
    momentum, damped, eta = number(numbers[0]), number(numbers[1] if step > 1 else 1.0), number(rate)
    decay = numbers[7]
    if numbers[8] and decay:
        shrinkage = number(rate * decay)
        for i in range(theta.size):
            theta[i] -= shrinkage * theta[i]
        decay = 0.0
    added = number(decay)
    if kind == PLAIN:
        for i in range(theta.size):
            theta[i] -= eta * (gradient[i] + added * theta[i])
    elif kind == MOMENTS:
        _move_by_moments(numbers, added, rate, step, theta, gradient, first, second, largest)
    elif kind in (MOMENTUM, NESTEROV):
        kept = number(0) if step == 1 else momentum
        for i in range(theta.size):
            g = gradient[i] + added * theta[i]
            first[i] = kept * first[i] + damped * g
            theta[i] -= eta * (g + momentum * first[i] if kind == NESTEROV else first[i])
    else:
        for i in range(theta.size):
            first[i] = momentum * first[i] + eta * (gradient[i] + added * theta[i])
            theta[i] -= first[i]


@compiled
def _move_by_moments(
    numbers: Any,
    added: Any,
    rate: float,
    step: int,
    theta: Any,
    gradient: Any,
    first: Any,
    second: Any,
    largest: Any,
) -> None:
    """θ ← θ − η √c₂ / c₁ · m / (√v + ε √c₂)."""
    number = theta.dtype.type
    b1, b2, n1, n2 = number(numbers[2]), number(numbers[3]), number(1 - numbers[2]), number(1 - numbers[3])
    c1 = 1 - numbers[2] ** step if numbers[6] else 1.0
    c2 = 1 - numbers[3] ** step if numbers[6] else 1.0
    root = math.sqrt(c2)
    floor, scale = number(numbers[4] * root), number(rate * (root / c1))
    for i in range(theta.size):
        g = gradient[i] + added * theta[i]
        first[i] = b1 * first[i] + n1 * g
        second[i] = b2 * second[i] + n2 * (g * g)
    if numbers[5]:
        for i in range(theta.size):
            largest[i] = max(largest[i], second[i])
            theta[i] -= first[i] / (math.sqrt(largest[i]) + floor) * scale
    else:
        for i in range(theta.size):
            theta[i] -= first[i] / (math.sqrt(second[i]) + floor) * scale
