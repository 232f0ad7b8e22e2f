"""The mistakes of transposed convolutions, of padding and of resampling, made by programs of loops and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from core.checking import Report, SubmissionSpec
from core.checking.quantity import Quantity
from core.layers import Layer
from tests.core.checking.other_programs import Array, layer, problem
from tests.core.checking.student import examined

N, CHANNELS, HEIGHT, WIDTH, SIZE, STRIDE, PADDING = 3, 2, 4, 3, 3, 2, 1

INPUT = {
    "turned": "kernel-turned",
    "stride": "stride-ignored",
    "padding": "padding-ignored",
    "swapped": "filters-and-channels-swapped",
}
KERNEL = {"kernel turned": "kernel-gradient-turned"} | {key: INPUT[key] for key in ("stride", "padding", "swapped")}


def report_of(mapped: Layer, X: Array, Z: Array, gradients: Any, parameters: Any) -> Report:
    """The report on the layer with tanh; flatten; dense with half the squared error.

    Args:
        mapped: the layer.
        X: what it reads.
        Z: its result.
        gradients: returns ∂L/∂X and the gradients of the layer's parameters from ∂L/∂Z.
        parameters: those of the layer.
    """
    rng = np.random.default_rng(7)
    A, features = np.tanh(Z), Z[0].size
    W, c, Y = rng.standard_normal((features, 2)), rng.standard_normal(2), rng.standard_normal((N, 2))
    D3 = (A.reshape(N, -1) @ W + c - Y) / N
    D1 = (D3 @ W.T).reshape(A.shape) * (1 - A**2)
    dX, found = gradients(D1)
    sent = {"3": {"weight": A.reshape(N, -1).T @ D3, "bias": D3.sum(axis=0)}} | ({"1": found} if found else {})
    return examined(
        problem(
            [mapped, layer("flatten"), layer("dense", units=2)],
            X,
            Y,
            ({"1": parameters} if parameters else {}) | {"3": {"weight": W, "bias": c}},
            "half_squared_error",
        ),
        SubmissionSpec(gradients=sent, input_gradient={"input": dX}),
    )


def transposed(kernel: str, data: str, seed: int) -> Report:
    """The report on a transposed convolution in loops, with mistakes in ∂L/∂K and ∂L/∂X."""
    rng = np.random.default_rng(seed)
    X, b = rng.standard_normal((N, CHANNELS, HEIGHT, WIDTH)), rng.standard_normal(CHANNELS)
    K = rng.standard_normal((CHANNELS, CHANNELS, SIZE, SIZE))
    rows, columns = ((length - 1) * STRIDE + SIZE - 2 * PADDING for length in (HEIGHT, WIDTH))
    Z = np.zeros((N, CHANNELS, rows, columns))

    def places(stride: int, padding: int) -> Any:
        for r, s, i, j in np.ndindex(HEIGHT, WIDTH, SIZE, SIZE):
            y, x = r * stride - padding + i, s * stride - padding + j
            if 0 <= y < rows and 0 <= x < columns:
                yield r, s, i, j, y, x

    for r, s, i, j, y, x in places(STRIDE, PADDING):
        Z[:, :, y, x] += X[:, :, r, s] @ K[:, :, i, j]

    def gradients(D: Array) -> tuple[Array, Any]:
        dX, dK = np.zeros_like(X), np.zeros_like(K)
        back = {"turned": K[:, :, ::-1, ::-1], "swapped": K.swapaxes(0, 1)}.get(data, K)
        for r, s, i, j, y, x in places(1 if data == "stride" else STRIDE, 0 if data == "padding" else PADDING):
            dX[:, :, r, s] += D[:, :, y, x] @ back[:, :, i, j].T
        for r, s, i, j, y, x in places(1 if kernel == "stride" else STRIDE, 0 if kernel == "padding" else PADDING):
            dK[:, :, i, j] += X[:, :, r, s].T @ D[:, :, y, x]
        dK = {"kernel turned": dK[:, :, ::-1, ::-1], "swapped": dK.swapaxes(0, 1)}.get(kernel, dK)
        return dX, {"weight": dK, "bias": D.sum(axis=(0, 2, 3))}

    made = layer(
        "conv_transpose2d",
        filters=CHANNELS,
        kernel_size=SIZE,
        stride=STRIDE,
        padding=PADDING,
        activation="tanh",
    )
    return report_of(made, X, Z + b[:, None, None], gradients, {"weight": K, "bias": b})


def assert_named(report: Report, quantity: Quantity, cause: str) -> None:
    assert [(blame.quantity, blame.cause) for blame in report.blame] == [(quantity, cause)], report.summary


def test_the_transposed_convolution_without_a_mistake_is_right() -> None:
    assert transposed("nothing", "nothing", 1).verdict == "correct"


@pytest.mark.parametrize("mistake", KERNEL)
def test_a_kernel_gradient(mistake: str) -> None:
    assert_named(transposed(mistake, "nothing", 1), Quantity("gradients", "1", "weight"), KERNEL[mistake])


@pytest.mark.parametrize("mistake", INPUT)
def test_an_input_gradient(mistake: str) -> None:
    assert_named(transposed("nothing", mistake, 1), Quantity("input_gradient", "input"), INPUT[mistake])


def padded(mode: str, padding: list[int]) -> tuple[Layer, Array, Array]:
    """The layer and its matrices, by NumPy's own padding."""
    top, left, bottom, right = padding
    R, S = (
        np.pad(np.eye(length), ((before, after), (0, 0)), mode=mode)  # type: ignore[call-overload]
        for length, before, after in ((HEIGHT, top, bottom), (WIDTH, left, right))
    )
    return layer("pad", padding=padding, mode=mode, activation="tanh"), R, S


def resampled(**fields: Any) -> tuple[Layer, Array, Array]:
    """The layer at twice the resolution, and its matrices written out."""
    near = [np.repeat(np.eye(length), 2, axis=0) for length in (HEIGHT, WIDTH)]
    if fields.get("mode") == "linear":
        for R in near:
            for r in range(1, len(R) - 1):  # A quarter of the neighbour on the other side of the result's centre.
                R[r] = 0
                R[r, r // 2], R[r, r // 2 + (1 if r % 2 else -1)] = 0.75, 0.25
    return layer("upsample", scale=2, activation="tanh", **fields), near[0], near[1]


SIDES = [2, 1, 1, 0]
ALONE: dict[str, tuple[tuple[Layer, Array, Array], Any]] = {
    "border-deltas-lost": (padded("reflect", SIDES), lambda D: D[:, :, 2:-1, 1:]),
    "padding-cut-behind-only": (padded("constant", SIDES), lambda D: D[:, :, :HEIGHT, :WIDTH]),
    "padding-sides-exchanged": (padded("constant", SIDES), lambda D: D[:, :, 1 : 1 + HEIGHT, :WIDTH]),
    "first-copy-only": (resampled(), lambda D: D[:, :, ::2, ::2]),
    "mean-over-copies": (
        resampled(mode="linear"),
        lambda D: (
            np.einsum("ncrs,rh,sw->nchw", D, *resampled(mode="linear")[1:])
            / np.outer(*(R.sum(axis=0) for R in resampled(mode="linear")[1:]))
        ),
    ),
    "linear-as-nearest": (
        resampled(mode="linear"),
        lambda D: D.reshape(N, CHANNELS, HEIGHT, 2, WIDTH, 2).sum(axis=(3, 5)),
    ),
}


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("cause", ALONE)
def test_a_layer_without_parameters(cause: str, right: bool) -> None:
    (made, R, S), wrong = ALONE[cause]
    X = np.random.default_rng(3).standard_normal((N, CHANNELS, HEIGHT, WIDTH))
    Z = np.einsum("nchw,rh,sw->ncrs", X, R, S)

    def gradients(D: Array) -> tuple[Array, Any]:
        return (np.einsum("ncrs,rh,sw->nchw", D, R, S) if right else wrong(D)), None

    report = report_of(made, X, Z, gradients, None)
    if right:
        assert report.verdict == "correct", report.summary
    else:
        assert_named(report, Quantity("input_gradient", "input"), cause)
