"""Reports about batch and layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.core.checking.reports.public_report import Body, PublicReport, body, dense
from tests.core.checking.student import Array


def batch(wrong: str = "", epsilon: float = 1e-5, ddof: int = 0, parts: Sequence[str] = ()) -> Body:
    """dense; batch_norm, tanh; dense; half the squared error, with the gradient through x̂, σ² and μ in turn."""
    rng = np.random.default_rng(61)
    n = 7
    X, W, b = rng.standard_normal((n, 3)), rng.standard_normal((3, 4)), rng.standard_normal(4)
    gamma, beta = rng.uniform(0.5, 2, 4), rng.standard_normal(4)
    V, c, Y = rng.standard_normal((4, 2)), rng.standard_normal(2), rng.standard_normal((n, 2))
    A1 = X @ W + b
    centred = A1 - A1.mean(axis=0)
    variance = (centred**2).sum(axis=0) / (n - ddof)
    root = np.sqrt(variance + epsilon)
    hat = centred / root
    A2 = np.tanh(gamma * hat + beta)
    A3 = A2 @ V + c
    D3 = (A3 - Y) / n
    D2 = (D3 @ V.T) * (1 - A2**2)
    G = D2 if wrong == "gamma" else D2 * gamma
    d_variance = (G * centred).sum(axis=0) * -0.5 / root**3
    d_mean = -(G / root).sum(axis=0)
    if wrong == "extra term":  # It is zero: the deviations from a mean sum to 0.
        d_mean = d_mean + d_variance * (-2 * centred).sum(axis=0) / n
    if wrong in ("constants", "variance"):
        d_variance = np.zeros_like(d_variance)
    if wrong in ("constants", "mean"):
        d_mean = np.zeros_like(d_mean)
    count = n if wrong == "formula for n" else n - ddof
    D1 = G / root + d_variance * 2 * centred / count + d_mean / n
    d_gamma = (D2 * (A1 if wrong == "raw" else hat)).sum(axis=0)
    gradients = {
        "1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
        "bn": {"gamma": d_gamma, "beta": D2.sum(axis=0)},
        "3": {"weight": A2.T @ D3, "bias": D3.sum(axis=0)},
    }
    layers = [dense(4), {"kind": "batch_norm", "activation": "tanh", "name": "bn"}, dense(2)]
    parameters = {"1": {"weight": W, "bias": b}, "bn": {"gamma": gamma, "beta": beta}, "3": {"weight": V, "bias": c}}
    sent: Body = {"loss": float(0.5 * ((A3 - Y) ** 2).sum() / n), "gradients": gradients}
    forward = {"activations": {"1": A1, "bn": A2, "3": A3}, "preactivations": {"bn": gamma * hat + beta}}
    sent |= {part: forward[part] for part in parts}
    return body(layers, X, Y, parameters, sent)


def layer(axes: tuple[int, ...]) -> Body:
    """dense; layer_norm; half the squared error on n x time x features, with means over these axes on the way back."""
    rng = np.random.default_rng(62)
    n, epsilon = 3, 1e-5
    X, W, b = rng.standard_normal((n, 4, 2)), rng.standard_normal((2, 5)), rng.standard_normal(5)
    gamma, beta, Y = rng.uniform(0.5, 2, 5), rng.standard_normal(5), rng.standard_normal((n, 4, 5))
    A1: Array = X @ W + b
    root = np.sqrt(A1.var(axis=-1, keepdims=True) + epsilon)
    hat = (A1 - A1.mean(axis=-1, keepdims=True)) / root
    A2 = gamma * hat + beta
    D2 = (A2 - Y) / n
    G = gamma * D2
    D1 = (G - G.mean(axis=axes, keepdims=True) - hat * (G * hat).mean(axis=axes, keepdims=True)) / root
    gradients: Any = {
        "1": {"weight": np.einsum("nti,ntj->ij", X, D1), "bias": D1.sum(axis=(0, 1))},
        "ln": {"gamma": (D2 * hat).sum(axis=(0, 1)), "beta": D2.sum(axis=(0, 1))},
    }
    parameters = {"1": {"weight": W, "bias": b}, "ln": {"gamma": gamma, "beta": beta}}
    loss = float(0.5 * ((A2 - Y) ** 2).sum() / n)
    layers = [dense(5), {"kind": "layer_norm", "name": "ln"}]
    return body(layers, X, Y, parameters, {"loss": loss, "gradients": gradients})


THREAD = "stats.SE 328242"
FORWARD = ("preactivations", "activations")
REPORTS = (
    PublicReport(
        kind="layer norm: means over time and features on the way back",
        body=layer((1, 2)),
        blame=[("1", "deltas", "means-over-wrong-axes")],
    ),
    PublicReport(
        kind="layer norm: means over the examples on the way back",
        body=layer((0,)),
        blame=[("1", "deltas", "means-over-wrong-axes")],
    ),
    PublicReport(
        kind="batch norm: a term more through the mean, which is zero",
        body=batch("extra term"),
        verdicts=("correct",),
    ),
    PublicReport(
        kind="batch norm: mean and variance held constant",
        source=THREAD,
        body=batch("constants"),
        blame=[("1", "deltas", "statistics-as-constants")],
    ),
    PublicReport(
        kind="batch norm: the term of the variance is missing",
        source=THREAD,
        body=batch("variance"),
        blame=[("1", "deltas", "variance-term-missing")],
    ),
    PublicReport(
        kind="batch norm: the term of the mean is missing",
        source=THREAD,
        body=batch("mean"),
        blame=[("1", "deltas", "mean-term-missing")],
    ),
    PublicReport(
        kind="batch norm: γ is left out on the way back",
        source=THREAD,
        body=batch("gamma"),
        blame=[("1", "deltas", "gamma-left-out")],
    ),
    PublicReport(
        kind="batch norm: dγ from x for x̂",
        source=THREAD,
        body=batch("raw"),
        blame=[("bn", "gradients.gamma", "gamma-gradient-of-raw-input")],
    ),
    PublicReport(
        kind="batch norm: ε = 0.001 as in Keras",
        source="documentation of Keras",
        body=batch(epsilon=1e-3),
        verdicts=("equivalent-layout",),
        says=["another-epsilon"],
    ),
    PublicReport(
        kind="batch norm: ε = 1e-8 as in much NumPy code",
        body=batch(epsilon=1e-8),
        verdicts=("correct", "equivalent-layout"),
    ),
    PublicReport(
        kind="batch norm: variance over n − 1, with its own gradient",
        source="NumPy's var and torch's",
        body=batch(ddof=1, parts=FORWARD),
        blame=[("bn", "preactivations", "unbiased-variance")],
    ),
    PublicReport(
        kind="the same without activations",
        source="NumPy's var and torch's",
        body=batch(ddof=1),
        blame=[("bn", "preactivations", "unbiased-variance")],
    ),
    PublicReport(
        kind="batch norm: variance over n − 1 forward, formula for n backward",
        source="NumPy's var and torch's",
        body=batch("formula for n", ddof=1, parts=FORWARD),
        blame=[
            ("bn", "preactivations", "unbiased-variance"),
            ("1", "deltas", "unbiased-variance-backward | variance-term-count-minus-one | unknown"),
        ],
        fails="the weight gradient below is accused and not the delta, of which the bias gradient shows nothing",
    ),
)
