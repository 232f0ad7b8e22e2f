"""Hand-written training programs, right and wrong, that make the numbers which the check of updates gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Arrays = dict[str, dict[str, Any]]
Program = Callable[[int, Any, Any, dict[str, Any]], Any]
"""From the number of the step, the parameters, their gradient function and a dict that is kept to new parameters."""

RNG = np.random.default_rng(7)
X = RNG.standard_normal((5, 3))
Y = RNG.standard_normal((5, 2))
START = [
    RNG.standard_normal((3, 4)),
    RNG.standard_normal(4) / 3,
    RNG.standard_normal((4, 2)),
    RNG.standard_normal(2) / 3,
]
RATE = 0.01


def gradients(theta: list[Any], l2: float = 0.0) -> list[Any]:
    """Return the gradients of the mean of ½ ‖tanh(X W + b) V + c − Y‖², and of the penalty."""
    W, b, V, c = theta
    H = np.tanh(X @ W + b)
    D = (H @ V + c - Y) / len(X)
    E = (D @ V.T) * (1 - H**2)
    return [X.T @ E + l2 * W, E.sum(0), H.T @ D + l2 * V, D.sum(0)]


def written(theta: list[Any]) -> Arrays:
    """Return parameters as a request writes them."""
    W, b, V, c = (np.asarray(array).tolist() for array in theta)
    return {"1": {"weight": W, "bias": b}, "2": {"weight": V, "bias": c}}


def problem(optimizer: dict[str, Any], sent: list[list[Any]], **more: Any) -> dict[str, Any]:
    """Return the body of a check of these parameters after each step."""
    step = {"optimizer": optimizer, "steps": [{"parameters": written(theta)} for theta in sent]}
    return {
        "network": {"layers": [{"kind": "dense", "units": 4, "activation": "tanh"}, {"kind": "dense", "units": 2}]},
        "parameters": written(START),
        "batch": {"inputs": X.tolist(), "targets": Y.tolist()},
        "loss": {"kind": "half_squared_error", **more.pop("loss", {})},
        "convention": "row",
        "submission": {"step": step},
        **more,
    }


def run(program: Program, steps: int = 3, l2: float = 0.0) -> list[list[Any]]:
    """Run a program for some steps, parameter by parameter: it never sees the others."""
    kept: list[dict[str, Any]] = [{} for _ in START]
    theta, found = [array.copy() for array in START], []
    for t in range(1, steps + 1):
        present = gradients(theta, l2)
        theta = [program(t, array, g, keep) for array, g, keep in zip(theta, present, kept, strict=True)]
        found.append([array.copy() for array in theta])
    return found


def adam(  # Every way to have it wrong is an argument.
    first: str = "divide",
    second: str = "divide",
    *,
    power: bool = True,
    in_place: bool = False,
    epsilon: str = "outside",
    ahead: int = 0,
    root: bool = True,
    scaled: bool = True,
    size: float = 1e-8,
    betas: tuple[float, float] = (0.9, 0.999),
    decay: float = 0.0,
    couple: bool = True,
) -> Program:
    """Adam as many people write it, with one line changed."""
    b1, b2 = betas

    def program(t: int, theta: Any, g: Any, kept: dict[str, Any]) -> Any:
        g = g + decay * theta if couple else g
        theta = theta if couple else theta - RATE * decay * theta
        m = b1 * kept.get("m", 0) + ((1 - b1) if scaled else 1) * g
        v = b2 * kept.get("v", 0) + ((1 - b2) if scaled else 1) * g * g
        c1, c2 = (1 - b1 ** (t + ahead), 1 - b2 ** (t + ahead)) if power else (1 - b1, 1 - b2)
        ways = {"divide": lambda a, c: a / c, "multiply": lambda a, c: a * c, "leave": lambda a, c: a}
        mh, vh = ways[first](m, c1), ways[second](v, c2)
        kept["m"], kept["v"] = (mh, vh) if in_place else (m, v)
        match epsilon:
            case "outside":
                below = (np.sqrt(vh) if root else vh) + size
            case "inside":
                below = np.sqrt(vh + size)
            case "keras":
                below = (np.sqrt(v) + size) / np.sqrt(c2)
            case _:
                below = np.sqrt(vh)
        return theta - RATE * mh / below

    return program


def momentum(  # Every way to have it wrong is an argument.
    gain: float = 1.0,
    used: float = 1.0,
    *,
    mu: float = 0.9,
    stale: bool = False,
    keep: float = 1.0,
    sign: float = 1.0,
    factor: float = 1.0,
) -> Program:
    """Gradient descent with momentum, with one line changed."""

    def program(_: int, theta: Any, g: Any, kept: dict[str, Any]) -> Any:
        old = kept.get("v", np.zeros_like(g))
        kept["v"] = mu * keep * old + gain * factor * g
        return theta - sign * RATE * used * (old if stale else kept["v"])

    return program


def nesterov_with_interim(steps: int = 3) -> list[list[Any]]:
    """Nesterov's method which forgets to take the interim step back, v in units of the parameters."""
    theta, v, found = [array.copy() for array in START], [np.zeros_like(array) for array in START], []
    for _ in range(steps):
        theta = [array - 0.9 * each for array, each in zip(theta, v, strict=True)]
        v = [0.9 * each + RATE * g for each, g in zip(v, gradients(theta), strict=True)]
        theta = [array - each for array, each in zip(theta, v, strict=True)]
        found.append([array.copy() for array in theta])
    return found


def nesterov(steps: int = 3) -> list[list[Any]]:
    """Nesterov's method with the gradient at the point ahead, as in Ruder's survey."""
    theta, v, found = [array.copy() for array in START], [np.zeros_like(array) for array in START], []
    for _ in range(steps):
        ahead = gradients([array - 0.9 * each for array, each in zip(theta, v, strict=True)])
        v = [0.9 * each + RATE * g for each, g in zip(v, ahead, strict=True)]
        theta = [array - each for array, each in zip(theta, v, strict=True)]
        found.append([array.copy() for array in theta])
    return found


def layer_by_layer(steps: int = 2, momentum: float = 0.0) -> list[list[Any]]:
    """Gradient descent that updates V and c before the error comes back through V."""
    theta, kept, found = [array.copy() for array in START], [np.zeros_like(array) for array in START], []
    for _ in range(steps):
        W, b, V, c = theta
        H = np.tanh(X @ W + b)
        D = (H @ V + c - Y) / len(X)
        for number, g in ((2, H.T @ D), (3, D.sum(0))):
            kept[number] = momentum * kept[number] + g
            theta[number] = theta[number] - RATE * kept[number]
        E = (D @ theta[2].T) * (1 - H**2)
        for number, g in ((0, X.T @ E), (1, E.sum(0))):
            kept[number] = momentum * kept[number] + g
            theta[number] = theta[number] - RATE * kept[number]
        found.append([array.copy() for array in theta])
    return found


def saturated(kind: str, seed: int) -> dict[str, Any]:
    """Return a check of a right program in float32 whose tanh units are saturated: 1 − H² is 0, or one rounding error."""
    single, rng = np.float32, np.random.default_rng(seed)
    inputs = np.round(10 * rng.standard_normal((6, 3)), 4).astype(single)
    targets = np.round(rng.standard_normal((6, 2)), 4).astype(single)
    theta = [np.round(rng.standard_normal(size), 4).astype(single) for size in ((3, 4), (4,), (4, 2), (2,))]
    start, kept, sent = theta, [np.zeros_like(array) for array in theta], []
    for _ in range(2):
        W, b, V, c = theta
        H = np.tanh(inputs @ W + b)
        D = (H @ V + c - targets) / single(6)
        E = (D @ V.T) * (single(1) - H * H)
        present = [inputs.T @ E, E.sum(0), H.T @ D, D.sum(0)]
        keep, gain = (single(0.99), single(0.01)) if kind == "rmsprop" else (single(1), single(1))
        kept = [keep * s + gain * g * g for s, g in zip(kept, present, strict=True)]
        theta = [
            array - single(RATE) * g / (np.sqrt(s) + single(1e-8))
            for array, g, s in zip(theta, present, kept, strict=True)
        ]
        sent.append(theta)
    optimizer = {"kind": kind, "learning_rate": RATE, "epsilon": 1e-8}
    body = problem(optimizer, sent, parameters=written(start))
    body["batch"] = {"inputs": inputs.tolist(), "targets": targets.tolist()}
    return body


def squares(
    *, start: str = "zero", epsilon: str = "outside", average: bool = True, size: float = 1e-4, root: bool = True
) -> Program:
    """RMSprop with α = 0.9, or Adagrad, with one line changed."""

    def program(t: int, theta: Any, g: Any, kept: dict[str, Any]) -> Any:
        s = kept.get("s", 0.1 if start == "tenth" else 0.0)
        s = 0.9 * s + 0.1 * g * g if average else s + g * g
        if start == "square" and t == 1:
            s = g * g
        kept["s"] = s
        if not root:
            return theta - RATE * g / (s + size)
        return theta - RATE * g / (np.sqrt(s + size) if epsilon == "inside" else np.sqrt(s) + size)

    return program
