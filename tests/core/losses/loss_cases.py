"""Every loss beside a formula of its own for one example, and numbers that it can compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import Array, Shape
from core.layers import Layer
from core.losses import LOSSES, Loss
from core.problem import Problem
from tests.core.activations.activation_cases import log_softmax, softplus
from tests.core.sample import sampled

Numbers = Sequence[float]
Draw = Callable[[np.random.Generator, Shape], Array]


def anything(generator: np.random.Generator, shape: Shape) -> Array:
    """Numbers of both signs."""
    return 2 * generator.standard_normal(shape)


def chances(generator: np.random.Generator, shape: Shape) -> Array:
    """Numbers between 0 and 1."""
    return generator.uniform(0.05, 0.95, shape)


def distributions(generator: np.random.Generator, shape: Shape) -> Array:
    """Numbers between 0 and 1 that sum to 1 along the last axis."""
    chosen = chances(generator, shape)
    return np.asarray(chosen / chosen.sum(axis=-1, keepdims=True))


def sparse(generator: np.random.Generator, shape: Shape) -> Array:
    """Numbers from 0 on, some of them 0, that sum to anything."""
    return np.asarray(generator.integers(0, 3, shape) * chances(generator, shape))


def bits(generator: np.random.Generator, shape: Shape) -> Array:
    """0 and 1."""
    return generator.integers(0, 2, shape).astype(float)


def signs(generator: np.random.Generator, shape: Shape) -> Array:
    """-1 and 1."""
    return 2 * bits(generator, shape) - 1


@dataclass(frozen=True)
class Case:
    """A loss of one example, and what it compares."""

    kind: str
    reference: Callable[[Numbers, Numbers], float]
    outputs: Draw
    targets: Draw
    delta: float | None = None
    least_rank: int = 1
    """2 for a loss that runs over the last axis of its outputs."""

    @property
    def name(self) -> str:
        """The loss and its targets."""
        return f"{self.kind}-{self.targets.__name__}" + (f"-{self.delta}" if self.delta else "")

    def value(self, a: Array, y: Array) -> float:
        """The loss of one example of any rank."""
        width = a.shape[-1] if self.least_rank == 2 else a.size
        rows = zip(a.reshape(-1, width).tolist(), y.reshape(-1, width).tolist(), strict=True)
        return math.fsum(self.reference(outputs, targets) for outputs, targets in rows)

    def loss(self, **fields: object) -> Loss:
        """The loss with other fields."""
        construct: Callable[..., Loss] = LOSSES[self.kind]
        return construct(**fields, **({} if self.delta is None else {"delta": self.delta}))

    def problem(
        self, layers: Sequence[Layer], shape: Shape, *, loss: Loss | None = None, seed: int = 0, **fields: Any
    ) -> Problem:
        """A network of these layers over inputs that this loss can compare."""
        generator = np.random.default_rng(seed)
        fields |= {"upstream" if self.kind == "upstream" else "targets": self.targets(generator, shape)}
        problem = sampled(layers, {"input": shape}, loss=loss or self.loss(), **fields)
        problem.inputs["input"][...] = self.outputs(generator, shape)
        return problem


def _entropy(y: Numbers) -> float:
    return -math.fsum(p * math.log(p) for p in y if p)


def _cross_entropy(a: Numbers, y: Numbers) -> float:
    return -math.fsum(p * math.log(q) for q, p in zip(a, y, strict=True) if p)


def _binary(a: Numbers, y: Numbers) -> float:
    return _cross_entropy(a, y) + _cross_entropy([1 - q for q in a], [1 - p for p in y])


def _errors(a: Numbers, y: Numbers) -> list[float]:
    return [q - p for q, p in zip(a, y, strict=True)]


def _huber(delta: float) -> Callable[[Numbers, Numbers], float]:
    def one(e: float) -> float:
        return 0.5 * e * e if abs(e) <= delta else delta * (abs(e) - 0.5 * delta)

    return lambda a, y: math.fsum(map(one, _errors(a, y))) / len(a)


def _softmax_cross_entropy(z: Numbers, y: Numbers) -> float:
    return -math.fsum(p * q for q, p in zip(log_softmax(z), y, strict=True))


def _sigmoid_cross_entropy(z: Numbers, y: Numbers) -> float:
    return math.fsum(p * softplus(-q) + (1 - p) * softplus(q) for q, p in zip(z, y, strict=True))


CASES = [
    Case("half_squared_error", lambda a, y: 0.5 * math.fsum(e * e for e in _errors(a, y)), anything, anything),
    Case("mean_squared_error", lambda a, y: math.fsum(e * e for e in _errors(a, y)) / len(a), anything, anything),
    Case("mean_absolute_error", lambda a, y: math.fsum(map(abs, _errors(a, y))) / len(a), anything, anything),
    Case("huber", _huber(1.0), anything, anything),
    Case("huber", _huber(0.3), anything, anything, delta=0.3),
    Case("cross_entropy", _cross_entropy, distributions, distributions),
    Case("cross_entropy", _cross_entropy, distributions, sparse),
    Case("binary_cross_entropy", _binary, chances, chances),
    Case("binary_cross_entropy", _binary, chances, bits),
    Case("softmax_cross_entropy", _softmax_cross_entropy, anything, distributions, least_rank=2),
    Case("softmax_cross_entropy", _softmax_cross_entropy, anything, sparse, least_rank=2),
    Case("sigmoid_cross_entropy", _sigmoid_cross_entropy, anything, chances),
    Case("sigmoid_cross_entropy", _sigmoid_cross_entropy, anything, bits),
    Case("kullback_leibler", lambda a, y: _cross_entropy(a, y) - _entropy(y), distributions, distributions),
    Case("kullback_leibler", lambda a, y: _cross_entropy(a, y) - _entropy(y), distributions, sparse),
    Case("hinge", lambda a, y: math.fsum(max(0.0, 1 - p * q) for q, p in zip(a, y, strict=True)), anything, signs),
    Case("upstream", lambda a, u: math.fsum(p * q for q, p in zip(a, u, strict=True)), anything, anything),
]
