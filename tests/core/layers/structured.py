"""What the tests of layers that decompose matrices share: matrices with a given spectrum, and gradients of one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.arrays import Array
from core.layers import Layer
from core.losses.upstream import Upstream
from core.plan import Plan, Retain
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate


def orthogonal(size: int, seed: int = 0) -> Array:
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng([seed, size]).standard_normal((size, size)))[0]


def with_values(*values: float, seed: int = 0) -> Array:
    """A symmetric matrix with those eigenvalues, up to rounding."""
    Q = orthogonal(len(values), seed)
    X = (Q * np.array(values)) @ Q.T
    return np.asarray((X + X.T) / 2)


def problem_of(layer: Layer | Sequence[Layer], X: Array, upstream: Array, **fields: Any) -> Problem:
    """The network, and the gradient that comes from above."""
    layers = [layer] if isinstance(layer, Layer) else layer
    inputs = {"input": np.asarray(X)}
    return validate(ProblemSpec(layers=layers, inputs=inputs, loss=Upstream(), upstream=np.asarray(upstream), **fields))


def planned(layer: Layer | Sequence[Layer], X: Array, upstream: Array, **fields: Any) -> Plan:
    """A plan that has run forward and backward."""
    plan = problem_of(layer, X, upstream, **fields).plan(retain=Retain(input_gradients=True))
    plan.forward()
    plan.backward()
    return plan


def gradient(layer: Layer | Sequence[Layer], X: Array, upstream: Array, **fields: Any) -> Array:
    """∂⟨upstream, Z⟩/∂X."""
    return planned(layer, X, upstream, **fields).gradients.input_gradients["input"]


def sym(G: Array) -> Array:
    """(G + Gᵀ)/2."""
    return np.asarray((G + G.swapaxes(-1, -2)) / 2)
