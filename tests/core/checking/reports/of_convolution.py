"""Reports about convolution and pooling: loops over windows, written out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.core.checking.mistakes.test_pooling import back, back_of_mean
from tests.core.checking.reports.public_report import Body, PublicReport, body, dense
from tests.core.checking.student import Array

POOLED: list[tuple[str, str, str, str]] = [
    ("assigned", "overlapping-windows-overwritten", "windows of a max-pool overlap, = for +=", "cs231n, notes"),
    ("last mask", "mask-per-position", "one mask for each position of overlapping windows", "—"),
    ("mask times input", "mask-times-input", "the mask of a max-pool times its input", "—"),
]


def pooled(mistake: str, *, mean: bool = False, parts: Any = ("loss", "gradients")) -> Body:
    """conv2d 2x2, tanh; a pool of 3x3 with stride 2; flatten; dense; half the squared error."""
    rng = np.random.default_rng(51)
    n, filters = 3, 2
    X, K, b = rng.standard_normal((n, 1, 6, 6)), rng.standard_normal((filters, 1, 2, 2)), rng.standard_normal(filters)
    V, c, Y = rng.standard_normal((filters * 4, 2)), rng.standard_normal(2), rng.standard_normal((n, 2))
    Z1 = np.zeros((n, filters, 5, 5))
    for r, s in np.ndindex(5, 5):
        Z1[:, :, r, s] = np.einsum("ncij,ocij->no", X[:, :, r : r + 2, s : s + 2], K) + b
    A1 = np.tanh(Z1)
    A2 = np.zeros((n, filters, 2, 2))
    for r, s in np.ndindex(2, 2):
        window = A1[:, :, 2 * r : 2 * r + 3, 2 * s : 2 * s + 3]
        A2[:, :, r, s] = window.mean(axis=(2, 3)) if mean else window.max(axis=(2, 3))
    A3 = A2.reshape(n, -1)
    A4 = A3 @ V + c
    D4 = (A4 - Y) / n
    D2 = (D4 @ V.T).reshape(A2.shape)
    D1 = (back_of_mean if mean else back)(mistake, A1, D2, 3, 2, 0) * (1 - A1**2)
    dK = np.zeros_like(K)
    for r, s in np.ndindex(5, 5):
        dK += np.einsum("ncij,no->ocij", X[:, :, r : r + 2, s : s + 2], D1[:, :, r, s])
    layers = [
        {"kind": "conv2d", "filters": filters, "kernel_size": 2, "activation": "tanh"},
        {"kind": "average_pool2d" if mean else "max_pool2d", "size": 3, "stride": 2},
        {"kind": "flatten"},
        dense(2, name="out"),
    ]
    found: Body = {
        "loss": float(0.5 * ((A4 - Y) ** 2).sum() / n),
        "gradients": {
            "1": {"weight": dK, "bias": D1.sum(axis=(0, 2, 3))},
            "out": {"weight": A3.T @ D4, "bias": D4.sum(axis=0)},
        },
    }
    parameters = {"1": {"weight": K, "bias": b}, "out": {"weight": V, "bias": c}}
    return body(layers, X, Y, parameters, {part: found[part] for part in parts})


def two_kernels(mistake: str) -> Body:
    """conv2d 2x2, tanh; conv2d 2x2; flatten; dense, softmax, cross-entropy."""
    rng = np.random.default_rng(52)
    n, labels = 4, np.array([0, 2, 1, 1])
    X, K, L = (rng.standard_normal(shape) for shape in ((n, 1, 5, 5), (2, 1, 2, 2), (2, 2, 2, 2)))
    b, d, c, V = (rng.standard_normal(shape) for shape in ((2,), (2,), (3,), (18, 3)))

    def forward(A: Array, kernel: Array, bias: Array) -> Array:
        size = A.shape[2] - 1
        found = np.zeros((n, len(kernel), size, size))
        for r, s in np.ndindex(size, size):
            found[:, :, r, s] = np.einsum("ncij,ocij->no", A[:, :, r : r + 2, s : s + 2], kernel) + bias
        return found

    def by_kernel(A: Array, D: Array) -> Array:
        windows = ((r, s, A[:, :, r : r + 2, s : s + 2]) for r, s in np.ndindex(D.shape[2:]))
        return np.asarray(sum(np.einsum("ncij,no->ocij", window, D[:, :, r, s]) for r, s, window in windows))

    A1 = np.tanh(forward(X, K, b))
    A2 = forward(A1, L, d)
    A3 = A2.reshape(n, 18)
    E = np.exp(A3 @ V + c)
    P = E / E.sum(axis=1, keepdims=True)
    D4 = (P - np.eye(3)[labels]) / n
    D2 = (D4 @ V.T).reshape(A2.shape)
    if mistake == "columns first":
        D2 = D2.swapaxes(2, 3)
    if mistake == "channels last":
        D2 = (D4 @ V.T).reshape(n, 3, 3, 2).transpose(0, 3, 1, 2)
    dA1 = np.zeros_like(A1)
    back_through = L[:, :, ::-1, ::-1] if mistake == "kernel" else L
    for r, s in np.ndindex(3, 3):
        dA1[:, :, r : r + 2, s : s + 2] += np.einsum("no,ocij->ncij", D2[:, :, r, s], back_through)
    D1 = dA1 * (1 - A1**2)
    dL = by_kernel(A1, D2)
    gradients = {
        "1": {"weight": by_kernel(X, D1), "bias": D1.sum(axis=(0, 2, 3))},
        "2": {
            "weight": dL[:, :, ::-1, ::-1] if mistake == "turned" else dL,
            "bias": D2.sum(axis=0) if mistake == "bias" else D2.sum(axis=(0, 2, 3)),
        },
        "out": {"weight": A3.T @ D4, "bias": D4.sum(axis=0)},
    }
    layers = [
        {"kind": "conv2d", "filters": 2, "kernel_size": 2, "activation": "tanh"},
        {"kind": "conv2d", "filters": 2, "kernel_size": 2},
        {"kind": "flatten"},
        dense(3, "softmax", name="out"),
    ]
    parameters = {
        "1": {"weight": K, "bias": b},
        "2": {"weight": L, "bias": d},
        "out": {"weight": V, "bias": c},
    }
    loss = float(-np.log(P[np.arange(n), labels]).mean())
    return body(layers, X, labels, parameters, {"loss": loss, "gradients": gradients}, loss="cross_entropy")


REPORTS = (
    *(
        PublicReport(kind=kind, source=source, body=pooled(mistake), blame=[("1", "deltas", cause)])
        for mistake, cause, kind, source in POOLED
    ),
    PublicReport(
        kind="an average-pool without 1/k² on the way back",
        body=pooled("without its share", mean=True),
        blame=[("1", "deltas", "mean-without-its-share")],
    ),
    PublicReport(
        kind="overlapping windows of an average-pool, = for +=",
        source="cs231n, notes",
        body=pooled("assigned", mean=True),
        blame=[("1", "deltas", "overlapping-windows-overwritten")],
    ),
    PublicReport(
        kind="the kernel on the way back is not turned",
        source="soumith.ch, omaraflak",
        body=two_kernels("kernel"),
        blame=[("1", "deltas", "kernel-not-turned")],
    ),
    PublicReport(
        kind="the gradient of a kernel is turned by half",
        source="deeplearning.ai, rot180",
        body=two_kernels("turned"),
        blame=[("2", "gradients.weight", "kernel-gradient-turned")],
    ),
    PublicReport(
        kind="the bias gradient of a convolution keeps the positions",
        body=two_kernels("bias"),
        blame=[("2", "gradients.bias", "bias-gradient-over-examples-only")],
    ),
    PublicReport(
        kind="flattened by rows, folded back by columns",
        source="Zhang's derivation scans columns, NumPy rows",
        body=two_kernels("columns first"),
        blame=[("2", "deltas", "flatten-order")],
    ),
    PublicReport(
        kind="flattened with channels first, folded back with channels last",
        body=two_kernels("channels last"),
        blame=[("2", "deltas", "flatten-order")],
        fails="the layer and the rule are right, the order with channels last is not named",
    ),
)
