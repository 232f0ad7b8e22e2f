"""Hand-written programs for networks of other kinds of layers, each with one line that can be wrong.

Each returns a problem and what the program computed, in the words of a request. `wrong` is the name of the mistake.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.checking import SubmissionSpec
from core.layers import KINDS
from core.losses import LOSSES
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

Array = NDArray[np.float64]
RNG = np.random.default_rng(6)


def layer(kind: str, **fields: Any) -> Any:
    return KINDS[kind](**fields)


def problem(layers: list[Any], X: Array, Y: Array, parameters: dict[str, Any], loss: str) -> Problem:
    kind: Any = LOSSES[loss]
    return validate(
        ProblemSpec(layers=layers, inputs={"input": X}, parameters=parameters, targets=Y, loss=kind(), convention="row")
    )


def softmax(Z: Array) -> Array:
    e = np.exp(Z - Z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def convolutional(wrong: str, pool: str = "average_pool2d") -> tuple[Problem, SubmissionSpec]:
    """conv 3x3, relu; 2x2 pool; flatten; dense, softmax, cross-entropy. Loops over windows."""
    n, filters = 5, 2
    X, K, b = RNG.standard_normal((n, 1, 6, 6)), RNG.standard_normal((filters, 1, 3, 3)), np.array([0.3, -0.2])
    W, c, Y = RNG.standard_normal((8, 3)), np.array([0.1, 0.0, -0.4]), np.eye(3)[[0, 1, 2, 1, 0]]
    Z1 = np.zeros((n, filters, 4, 4))
    for r in range(4):
        for s in range(4):
            Z1[:, :, r, s] = np.einsum("ncij,ocij->no", X[:, :, r : r + 3, s : s + 3], K) + b
    A1 = np.maximum(Z1, 0)
    windows = A1.reshape(n, filters, 2, 2, 2, 2)  # rows, within, columns, within
    A2 = windows.mean(axis=(3, 5)) if pool == "average_pool2d" else windows.max(axis=(3, 5))
    A3 = A2.reshape(n, 8)
    A4 = softmax(A3 @ W + c)
    D4 = (A4 - Y) / n
    D3 = D4 @ W.T
    D2 = D3.reshape(n, filters, 2, 2)
    if wrong == "flatten-order":
        D2 = D2.swapaxes(2, 3)
    spread = np.broadcast_to(D2[:, :, :, None, :, None], windows.shape)
    if pool == "average_pool2d":
        dA1 = spread.reshape(A1.shape) / (1 if wrong == "mean-without-its-share" else 4)
    elif wrong in ("maximum-to-whole-window", "maximum-as-mean"):
        dA1 = spread.reshape(A1.shape) / (4 if wrong == "maximum-as-mean" else 1)
    else:
        dA1 = (spread * (windows == A2[:, :, :, None, :, None])).reshape(A1.shape)
    D1 = dA1 * (Z1 > 0)
    dK, dX = np.zeros_like(K), np.zeros_like(X)
    back = K[:, :, ::-1, ::-1] if wrong == "kernel-not-turned" else K
    for r in range(4):
        for s in range(4):
            dK += np.einsum("ncij,no->ocij", X[:, :, r : r + 3, s : s + 3], D1[:, :, r, s])
            dX[:, :, r : r + 3, s : s + 3] += np.einsum("no,ocij->ncij", D1[:, :, r, s], back)
    db = {
        "bias-gradient-over-examples-only": D1.sum(axis=0),
        "bias-gradient-mean-over-positions": D1.mean(axis=(2, 3)).sum(axis=0),
    }.get(wrong, D1.sum(axis=(0, 2, 3)))
    layers = [
        layer("conv2d", filters=filters, kernel_size=3, activation="relu"),
        layer(pool, size=2),
        layer("flatten"),
        layer("dense", units=3, activation="softmax"),
    ]
    parameters = {"1": {"weight": K, "bias": b}, "4": {"weight": W, "bias": c}}
    return problem(layers, X, Y, parameters, "cross_entropy"), SubmissionSpec(
        activations={"1": A1, "2": A2, "3": A3, "4": A4},
        deltas={"1": D1, "2": D2, "3": D3, "4": D4},
        gradients={
            "1": {"weight": dK[:, :, ::-1, ::-1] if wrong == "kernel-gradient-turned" else dK, "bias": db},
            "4": {"weight": A3.T @ D4, "bias": D4.sum(axis=0)},
        },
        input_gradient={"input": dX},
    )


def normalised(wrong: str, kind: str = "batch_norm") -> tuple[Problem, SubmissionSpec]:
    """dense; batch_norm or layer_norm, tanh; dense, half the squared error."""
    n, epsilon, axis = 7, 1e-5, 0 if kind == "batch_norm" else 1
    X, W, b = RNG.standard_normal((n, 3)), RNG.standard_normal((3, 4)), RNG.standard_normal(4)
    gamma, beta, V = RNG.uniform(0.5, 2, 4), RNG.standard_normal(4), RNG.standard_normal((4, 2))
    c, Y = RNG.standard_normal(2), RNG.standard_normal((n, 2))
    A1 = X @ W + b
    count = A1.shape[axis]
    variance = A1.var(axis=axis, keepdims=True)
    forward = variance * count / (count - 1) if wrong == "unbiased-variance" else variance
    hat = (A1 - A1.mean(axis=axis, keepdims=True)) / np.sqrt(forward + epsilon)
    Z2 = gamma * hat + beta
    A2 = np.tanh(Z2)
    A3 = A2 @ V + c
    D3 = (A3 - Y) / n
    D2 = (D3 @ V.T) * (1 - A2**2)
    G = D2 if wrong == "gamma-left-out" else gamma * D2
    mean, slope = G.mean(axis=axis, keepdims=True), (G * hat).mean(axis=axis, keepdims=True)
    mean = mean * (wrong not in ("statistics-as-constants", "mean-term-missing"))
    slope = slope * (wrong not in ("statistics-as-constants", "variance-term-missing"))
    D1 = (G - mean - hat * slope) / np.sqrt(variance + epsilon)
    layers = [layer("dense", units=4), layer(kind, activation="tanh"), layer("dense", units=2)]
    parameters = {
        "1": {"weight": W, "bias": b},
        "2": {"gamma": gamma, "beta": beta},
        "3": {"weight": V, "bias": c},
    }
    raw = A1 if wrong == "gamma-gradient-of-raw-input" else hat
    return problem(layers, X, Y, parameters, "half_squared_error"), SubmissionSpec(
        preactivations={"2": Z2},
        activations={"1": A1, "2": A2, "3": A3},
        deltas={"3": D3, "2": D2} | ({} if wrong == "unbiased-variance" else {"1": D1}),
        gradients={
            "2": {"gamma": (D2 * raw).sum(axis=0), "beta": D2.sum(axis=0)},
            "3": {"weight": A2.T @ D3, "bias": D3.sum(axis=0)},
        }
        | ({} if wrong == "unbiased-variance" else {"1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)}}),
    )


def recurrent(wrong: str) -> tuple[Problem, SubmissionSpec]:
    """rnn over four steps; dense, half the squared error."""
    n, steps, u = 5, 4, 3
    X, W, U = (RNG.standard_normal(shape) for shape in ((n, steps, 2), (2, u), (u, u)))
    b, V, c, Y = (RNG.standard_normal(shape) for shape in ((u,), (u, 2), (2,), (n, 2)))
    H = [np.zeros((n, u))]
    for t in range(steps):
        H.append(np.tanh(X[:, t] @ W + H[-1] @ U + b))
    A2 = H[-1] @ V + c
    D2 = (A2 - Y) / n
    D1 = D2 @ V.T
    dW, dU, db, dX, dh = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b), np.zeros_like(X), D1
    for t in reversed(range(steps)):
        da = dh if wrong == "time-derivative-missing" else dh * (1 - H[t + 1] ** 2)
        dW += X[:, t].T @ da
        dU += H[t + (wrong == "recurrent-gradient-of-current-state")].T @ da
        db += da.sum(axis=0)
        dX[:, t] = da @ W.T
        dh = da @ (U if wrong == "recurrent-weight-not-transposed" else U.T) * (wrong != "time-truncated")
    parameters = {"1": {"weight": W, "recurrent_weight": U, "bias": b}, "2": {"weight": V, "bias": c}}
    layers = [layer("rnn", units=u), layer("dense", units=2)]
    return problem(layers, X, Y, parameters, "half_squared_error"), SubmissionSpec(
        activations={"1": H[-1], "2": A2},
        deltas={"1": D1, "2": D2},
        gradients={
            "1": {"weight": dW, "recurrent_weight": dU, "bias": db},
            "2": {"weight": H[-1].T @ D2, "bias": D2.sum(axis=0)},
        },
    )


def embedded(wrong: str) -> tuple[Problem, SubmissionSpec]:
    """embedding of two words; flatten; dense, half the squared error."""
    X, E = np.array([[0, 1], [1, 1], [3, 0]]), RNG.standard_normal((4, 2))
    V, c, Y = RNG.standard_normal((4, 2)), RNG.standard_normal(2), RNG.standard_normal((3, 2))
    A = E[X].reshape(3, 4)
    D3 = (A @ V + c - Y) / 3
    D1 = (D3 @ V.T).reshape(3, 2, 2)
    dE = np.zeros_like(E)
    if wrong == "repeated-rows-overwritten":
        dE[X] += D1
    else:
        np.add.at(dE, X, D1)
    layers = [layer("embedding", vocabulary_size=4, units=2), layer("flatten"), layer("dense", units=2)]
    parameters = {"1": {"weight": E}, "3": {"weight": V, "bias": c}}
    return problem(layers, X.astype(float), Y, parameters, "half_squared_error"), SubmissionSpec(
        deltas={"3": D3, "1": D1},
        gradients={"1": {"weight": dE}, "3": {"weight": A.T @ D3, "bias": D3.sum(axis=0)}},
    )


def dropped(wrong: str) -> tuple[Problem, SubmissionSpec]:
    """dense, tanh; dropout; dense, half the squared error. The mask is the server's."""
    n, dropout = 6, KINDS["dropout"](drop_probability=0.4, seed=3)  # type: ignore[call-arg]
    X, W, b = RNG.standard_normal((n, 3)), RNG.standard_normal((3, 4)), RNG.standard_normal(4)
    V, c, Y = RNG.standard_normal((4, 2)), RNG.standard_normal(2), RNG.standard_normal((n, 2))
    mask = dropout.mask((n, 4), 1)  # type: ignore[attr-defined]
    A1 = np.tanh(X @ W + b)
    A2 = A1 * mask
    D3 = (A2 @ V + c - Y) / n
    D2 = D3 @ V.T
    back = {"dropout-mask-forgotten": np.ones_like(mask), "dropout-scale-forgotten": mask > 0}.get(wrong, mask)
    D1 = D2 * back * (1 - A1**2)
    layers = [layer("dense", units=4, activation="tanh"), dropout, layer("dense", units=2)]
    parameters = {"1": {"weight": W, "bias": b}, "3": {"weight": V, "bias": c}}
    return problem(layers, X, Y, parameters, "half_squared_error"), SubmissionSpec(
        deltas={"1": D1, "2": D2, "3": D3},
        gradients={
            "1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
            "3": {"weight": A2.T @ D3, "bias": D3.sum(axis=0)},
        },
    )
