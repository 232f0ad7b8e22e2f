"""The mistakes of convolutions, made by a program that loops over the windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking import Report, SubmissionSpec
from core.checking.quantity import Quantity
from tests.core.checking.other_programs import Array, layer, problem
from tests.core.checking.student import examined

N, CHANNELS, HEIGHT, WIDTH, SIZE, STRIDE, PADDING, DILATION = 3, 2, 9, 8, 2, 2, 1, 2

KERNEL = {
    "stride": "stride-ignored",
    "dilation": "dilation-ignored",
    "padding": "padding-ignored",
    "channels": "channels-summed",
    "swapped": "filters-and-channels-swapped",
    "last position": "last-position-only",
    "last window": "last-position-only",
    "mean over positions": "divided-by-positions",
    "mean over all": "divided-by-batch-size-and-positions",
}
INPUT = {key: KERNEL[key] for key in ("stride", "dilation", "padding", "channels", "swapped")}


def backward(mistake: str, X: Array, K: Array, D: Array) -> tuple[Array, Array]:
    """∂L/∂X and ∂L/∂K from the delta, by loops over windows and offsets; numbers outside the image count for nothing."""
    dX, dK = np.zeros_like(X), np.zeros_like(K)
    stride = 1 if mistake == "stride" else STRIDE
    dilation = 1 if mistake == "dilation" else DILATION
    padding = {"padding": 0}.get(mistake, PADDING)
    back = K.sum(axis=1, keepdims=True) + 0 * K if mistake == "channels" else K
    back = K.transpose(1, 0, 2, 3) if mistake == "swapped" else back
    read = X.sum(axis=1, keepdims=True) + 0 * X if mistake == "channels" else X
    for r, s in np.ndindex(D.shape[2:]):
        if mistake in ("last position", "last window"):
            dK[...] = 0
        for i, j in np.ndindex(K.shape[2:]):
            y, x = r * stride - padding + i * dilation, s * stride - padding + j * dilation
            if not (0 <= y < HEIGHT and 0 <= x < WIDTH):
                continue
            dX[:, :, y, x] += D[:, :, r, s] @ back[:, :, i, j]
            rows = slice(-1, None) if mistake == "last window" else slice(None)
            dK[:, :, i, j] += D[rows, :, r, s].T @ read[rows, :, y, x]
    count = {"mean over positions": D[0, 0].size, "mean over all": D[:, 0].size}.get(mistake, 1)
    return dX, (dK.transpose(1, 0, 2, 3) if mistake == "swapped" else dK) / count


def report_of(kernel: str, data: str, seed: int, *, deltas: bool = False) -> Report:
    """The report on a convolution, tanh; flatten; dense with half the squared error; mistakes in ∂L/∂K and ∂L/∂X."""
    rng = np.random.default_rng(seed)
    X, b = rng.standard_normal((N, CHANNELS, HEIGHT, WIDTH)), rng.standard_normal(CHANNELS)
    K = rng.standard_normal((CHANNELS, CHANNELS, SIZE, SIZE))
    rows, columns = ((length + 2 * PADDING - DILATION * (SIZE - 1) - 1) // STRIDE + 1 for length in (HEIGHT, WIDTH))
    padded = np.pad(X, ((0, 0), (0, 0), (PADDING, PADDING), (PADDING, PADDING)))
    Z = np.zeros((N, CHANNELS, rows, columns))
    for r, s in np.ndindex(rows, columns):
        window = padded[:, :, STRIDE * r : STRIDE * r + 3 : DILATION, STRIDE * s : STRIDE * s + 3 : DILATION]
        Z[:, :, r, s] = np.einsum("ncij,ocij->no", window, K) + b
    A, features = np.tanh(Z), CHANNELS * rows * columns
    W, c, Y = rng.standard_normal((features, 2)), rng.standard_normal(2), rng.standard_normal((N, 2))
    D3 = (A.reshape(N, -1) @ W + c - Y) / N
    D1 = (D3 @ W.T).reshape(A.shape) * (1 - A**2)
    dX, dK = backward(data, X, K, D1)[0], backward(kernel, X, K, D1)[1]
    layers = [
        layer(
            "conv2d",
            filters=CHANNELS,
            kernel_size=SIZE,
            stride=STRIDE,
            padding=PADDING,
            dilation=DILATION,
            activation="tanh",
        ),
        layer("flatten"),
        layer("dense", units=2),
    ]
    parameters: dict[str, Any] = {"1": {"weight": K, "bias": b}, "3": {"weight": W, "bias": c}}
    gradients = {
        "1": {"weight": dK, "bias": D1.sum(axis=(0, 2, 3))},
        "3": {"weight": A.reshape(N, -1).T @ D3, "bias": D3.sum(axis=0)},
    }
    sent: dict[str, Any] = {"deltas": {"1": D1, "3": D3}} if deltas else {}
    return examined(
        problem(layers, X, Y, parameters, "half_squared_error"),
        SubmissionSpec(gradients=gradients, input_gradient={"input": dX}, **sent),
    )


def test_the_program_without_a_mistake_is_right() -> None:
    assert report_of("nothing", "nothing", 1).verdict == "correct"


@pytest.mark.parametrize("deltas", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", KERNEL)
def test_a_kernel_gradient(mistake: str, seed: int, deltas: bool) -> None:
    report = report_of(mistake, "nothing", seed, deltas=deltas)
    blamed = [(blame.quantity, blame.cause) for blame in report.blame]
    assert blamed == [(Quantity("gradients", "1", "weight"), KERNEL[mistake])], report.summary
    assert report.blame[0].certainty == "exact"


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("mistake", INPUT)
def test_an_input_gradient(mistake: str, seed: int) -> None:
    report = report_of("nothing", mistake, seed)
    blamed = [(blame.quantity, blame.cause) for blame in report.blame]
    assert blamed == [(Quantity("input_gradient", "input"), INPUT[mistake])], report.summary
