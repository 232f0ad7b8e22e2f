"""The mistakes of pooling layers, made by a program that loops over examples, channels and windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking import Report, SubmissionSpec
from core.checking.quantity import Quantity
from tests.core.checking.other_programs import Array, layer, problem
from tests.core.checking.student import examined

MAXIMUM = {
    "nothing": None,
    "assigned": "overlapping-windows-overwritten",
    "assigned at the largest": "overlapping-windows-overwritten",
    "last mask": "mask-per-position",
    "any mask": "mask-per-position",
    "mask times input": "mask-times-input",
    "mask times input, assigned": "mask-times-input",
    "first of window": "first-of-window",
    "whole window": "maximum-to-whole-window",
}
MEAN = {
    "nothing": None,
    "assigned": "overlapping-windows-overwritten",
    "without its share": "mean-without-its-share",
    "padding not counted": "padding-not-counted",
}


def back(mistake: str, X: Array, D: Array, size: int, stride: int, padding: int) -> Array:
    """∂L/∂X of a maximum, window after window."""
    padded = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)), constant_values=-np.inf)
    found, gate = np.zeros_like(padded), np.zeros_like(padded)
    places = [(k, c, r, s) for k, c, r, s in np.ndindex(D.shape)]
    for k, c, r, s in places:
        window = padded[k, c, r * stride : r * stride + size, s * stride : s * stride + size]
        mask = (window == window.max()).astype(float)
        part = gate[k, c, r * stride : r * stride + size, s * stride : s * stride + size]
        part[...] = np.maximum(part, mask) if mistake == "any mask" else mask
    for k, c, r, s in places:
        rows, columns = slice(r * stride, r * stride + size), slice(s * stride, s * stride + size)
        window, delta, target = padded[k, c, rows, columns], D[k, c, r, s], found[k, c, rows, columns]
        mask = window == window.max()
        numbers = np.where(np.isfinite(window), window, 0)
        match mistake:
            case "nothing":
                target += mask * delta
            case "assigned":
                target[...] = mask * delta
            case "assigned at the largest":
                target[mask] = delta
            case "last mask" | "any mask":
                target += gate[k, c, rows, columns] * delta
            case "mask times input":
                target += mask * numbers
            case "mask times input, assigned":
                target[...] = mask * numbers
            case "first of window":
                target[0, 0] += delta
            case "whole window":
                target += delta
    height, width = X.shape[2:]
    return found[:, :, padding : padding + height, padding : padding + width]


def back_of_mean(mistake: str, X: Array, D: Array, size: int, stride: int, padding: int) -> Array:
    """∂L/∂X of a mean, window after window."""
    inside = np.pad(np.ones(X.shape), ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    found = np.zeros_like(inside)
    for k, c, r, s in np.ndindex(D.shape):
        rows, columns = slice(r * stride, r * stride + size), slice(s * stride, s * stride + size)
        share = D[k, c, r, s] / size**2
        if mistake == "without its share":
            share = D[k, c, r, s]
        elif mistake == "padding not counted":
            share = D[k, c, r, s] / inside[k, c, rows, columns].sum()
        if mistake == "assigned":
            found[k, c, rows, columns] = share
        else:
            found[k, c, rows, columns] += share
    height, width = X.shape[2:]
    return found[:, :, padding : padding + height, padding : padding + width]


def report_of(mistake: str, seed: int, *, mean: bool = False, deltas: bool = True) -> Report:
    """The report on conv2d 1x1, tanh; the pool; flatten; dense with half the squared error."""
    rng = np.random.default_rng(seed)
    n, size, stride, padding = 3, 3, 2, 1
    X, K, b = rng.standard_normal((n, 2, 6, 5)), rng.standard_normal((3, 2, 1, 1)), rng.standard_normal(3)
    Z1 = np.einsum("nchw,oc->nohw", X, K[:, :, 0, 0]) + b[:, None, None]
    A1 = np.tanh(Z1)
    padded = np.pad(A1, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=0 if mean else -np.inf)
    A2 = np.zeros((n, 3, 3, 3))
    for r in range(3):
        for s in range(3):
            window = padded[:, :, 2 * r : 2 * r + 3, 2 * s : 2 * s + 3]
            A2[:, :, r, s] = window.mean(axis=(2, 3)) if mean else window.max(axis=(2, 3))
    W, c, Y = rng.standard_normal((27, 2)), rng.standard_normal(2), rng.standard_normal((n, 2))
    A3 = A2.reshape(n, 27)
    D4 = (A3 @ W + c - Y) / n
    D2 = (D4 @ W.T).reshape(A2.shape)
    D1 = (back_of_mean if mean else back)(mistake, A1, D2, size, stride, padding) * (1 - A1**2)
    layers = [
        layer("conv2d", filters=3, kernel_size=1, activation="tanh"),
        layer("average_pool2d" if mean else "max_pool2d", size=size, stride=stride, padding=padding),
        layer("flatten"),
        layer("dense", units=2),
    ]
    parameters: dict[str, Any] = {"1": {"weight": K, "bias": b}, "4": {"weight": W, "bias": c}}
    gradients = {
        "1": {"weight": np.einsum("nohw,nchw->oc", D1, X)[:, :, None, None], "bias": D1.sum(axis=(0, 2, 3))},
        "4": {"weight": A3.T @ D4, "bias": D4.sum(axis=0)},
    }
    sent: dict[str, Any] = {"deltas": {"1": D1, "2": D2, "4": D4}} if deltas else {}
    return examined(
        problem(layers, X, Y, parameters, "half_squared_error"), SubmissionSpec(gradients=gradients, **sent)
    )


def assert_named(report: Report, cause: str | None) -> None:
    if cause is None:
        assert report.verdict == "correct", report.summary
        return
    assert [(blame.quantity, blame.cause) for blame in report.blame] == [(Quantity("deltas", "1"), cause)], (
        report.summary
    )


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", MAXIMUM)
def test_a_maximum_over_windows(mistake: str, seed: int, deltas: bool) -> None:
    assert_named(report_of(mistake, seed, deltas=deltas), MAXIMUM[mistake])


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", MEAN)
def test_a_mean_over_windows(mistake: str, seed: int, deltas: bool) -> None:
    assert_named(report_of(mistake, seed, mean=True, deltas=deltas), MEAN[mistake])
