"""Hand-written forward passes, each with one line that may be another convention or a mistake.

Their gradients are those of the pass itself: ∂L/∂θ_k = Im L(θ + i h e_k)/h, the complex step, which no code of the core
takes part in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.checking import SubmissionSpec
from core.checking.checker import Checker, Tolerance
from core.checking.report import Report
from core.layers import KINDS
from core.losses import LOSSES
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

Parameters = dict[str, dict[str, Any]]
Pass = Callable[[Parameters, Any], tuple[Any, dict[str, Any]]]
"""From parameters and inputs to the loss and the activations by layer."""


def layer(kind: str, **fields: Any) -> Any:
    return KINDS[kind](**fields)


def loss(kind: str) -> Any:
    losses: Any = LOSSES
    return losses[kind]()


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    e = np.exp(z - z.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(P: Any, Y: Any) -> Any:
    return -(Y * np.log(P)).sum() / len(Y)


def squares(A: Any, Y: Any) -> Any:
    return 0.5 * ((A - Y) ** 2).sum() / len(Y)


@dataclass
class Exercise:
    """A request, whose forward pass a program may compute otherwise."""

    layers: list[Any]
    X: Any
    Y: Any
    parameters: Parameters
    loss: Any

    def report(self, forward: Pass, parts: str, gradients: Callable[[Parameters], Parameters] = dict) -> Report:
        """Check a program: "gradients", "loss" with gradients, or "all" with activations too."""
        problem = validate(
            ProblemSpec(
                layers=self.layers,
                inputs={"input": self.X},
                parameters=self.parameters,
                targets=self.Y,
                loss=self.loss,
                convention="row",
            )
        )
        loss, activations = forward(self.parameters, self.X)
        found: Parameters = {}
        for name, own in self.parameters.items():
            found[name] = {}
            for parameter, array in own.items():
                gradient = np.zeros(array.shape)
                for at in np.ndindex(array.shape):
                    moved = array.astype(complex)
                    moved[at] += 1e-30j
                    gradient[at] = forward({**self.parameters, name: {**own, parameter: moved}}, self.X)[0].imag / 1e-30
                found[name][parameter] = gradient
        sent = SubmissionSpec(
            loss=float(loss.real) if parts != "gradients" else None,
            activations={k: np.real(v) for k, v in activations.items()} if parts == "all" else {},
            gradients=gradients(found),
        )
        checker = Checker(problem, lambda: None)
        return checker.report(sent, {"float64"}, Tolerance())


def random(seed: int) -> Callable[..., Any]:
    generator = np.random.default_rng(seed)
    return lambda *shape: generator.standard_normal(shape)


def dense(draw: Any, inputs: int, units: int) -> dict[str, Any]:
    return {"weight": draw(inputs, units), "bias": draw(units)}


def through(p: dict[str, Any], X: Any) -> Any:
    return X @ p["weight"] + p["bias"]


def classifier(activation: Any = "tanh", seed: int = 1, units: int = 4) -> Exercise:
    draw = random(seed)
    layers = [
        layer("dense", units=units, activation=activation),
        layer("dense", units=units, activation="tanh"),
        layer("dense", units=3, activation="softmax"),
    ]
    parameters = {"1": dense(draw, 4, units), "2": dense(draw, units, units), "3": dense(draw, units, 3)}
    return Exercise(layers, draw(5, 4), np.eye(3)[[0, 1, 2, 1, 0]], parameters, loss("cross_entropy"))


def classify(
    e: Exercise,
    first: Any = np.tanh,
    second: Any = np.tanh,
    last: Any = softmax,
    affine: Any = through,
    affine_2: Any = through,
) -> Pass:
    def forward(p: Parameters, X: Any) -> tuple[Any, dict[str, Any]]:
        A1 = first(affine(p["1"], X))
        A2 = second(affine_2(p["2"], A1))
        A3 = last(affine(p["3"], A2))
        return cross_entropy(A3, e.Y), {"1": A1, "2": A2, "3": A3}

    return forward


def normalised(kind: str, seed: int = 2) -> Exercise:
    draw = random(seed)
    layers = [layer("dense", units=4), layer(kind), layer("dense", units=2)]
    parameters = {
        "1": dense(draw, 3, 4),
        "2": {"gamma": draw(4), "beta": draw(4)},
        "3": dense(draw, 4, 2),
    }
    return Exercise(layers, draw(5, 3), draw(5, 2), parameters, loss("half_squared_error"))


def normalise(e: Exercise, axis: Any, epsilon: float = 1e-5, outside: bool = False) -> Pass:
    def forward(p: Parameters, X: Any) -> tuple[Any, dict[str, Any]]:
        A1 = through(p["1"], X)
        centred = A1 - A1.mean(axis=axis, keepdims=True)
        variance = (centred * centred).mean(axis=axis, keepdims=True)
        divisor = np.sqrt(variance) + epsilon if outside else np.sqrt(variance + epsilon)
        A2 = p["2"]["gamma"] * centred / divisor + p["2"]["beta"]
        A3 = through(p["3"], A2)
        return squares(A3, e.Y), {"1": A1, "2": A2, "3": A3}

    return forward


def recurrent(kind: str, seed: int = 3, sequences: bool = False) -> Exercise:
    draw, blocks, u = random(seed), {"lstm": 4, "gru": 3, "rnn": 1}[kind], 3
    own = {"weight": draw(2, blocks * u), "recurrent_weight": draw(u, blocks * u), "bias": draw(blocks * u)}
    if kind == "gru":
        own["recurrent_bias"] = draw(blocks * u)
    layers = [layer(kind, units=u, return_sequences=sequences), layer("dense", units=2)]
    Y = draw(3, 4, 2) if sequences else draw(3, 2)
    return Exercise(layers, draw(3, 4, 2), Y, {"1": own, "2": dense(draw, u, 2)}, loss("half_squared_error"))


def remember(e: Exercise, order: str = "ifgo", bias: Any = None, shown: Any = np.tanh, start: Any = 0.0) -> Pass:
    """An lstm, with the blocks in some order."""

    def forward(p: Parameters, X: Any) -> tuple[Any, dict[str, Any]]:
        own = p["1"]
        b = dict(zip(order, np.split(own["bias"], 4), strict=True))
        b = bias(b) if bias else b
        h = c = np.zeros((len(X), 3)) + start
        for t in range(X.shape[1]):
            a = dict(
                zip(order, np.split(X[:, t] @ own["weight"] + h @ own["recurrent_weight"], 4, axis=1), strict=True)
            )
            c = sigmoid(a["f"] + b["f"]) * c + sigmoid(a["i"] + b["i"]) * np.tanh(a["g"] + b["g"])
            h = sigmoid(a["o"] + b["o"]) * shown(c)
        A2 = through(p["2"], h)
        return squares(A2, e.Y), {"1": h, "2": A2}

    return forward


def gated(e: Exercise, order: str = "rzn", before: bool = False, turned: bool = False) -> Pass:
    """A gru."""

    def forward(p: Parameters, X: Any) -> tuple[Any, dict[str, Any]]:
        own, h = p["1"], np.zeros((len(X), 3))
        blocks = {name: dict(zip(order, np.split(array, 3, axis=-1), strict=True)) for name, array in own.items()}
        W, U, b, c = (blocks[name] for name in ("weight", "recurrent_weight", "bias", "recurrent_bias"))
        for t in range(X.shape[1]):
            x = X[:, t]
            r = sigmoid(x @ W["r"] + b["r"] + h @ U["r"] + c["r"])
            z = sigmoid(x @ W["z"] + b["z"] + h @ U["z"] + c["z"])
            z = 1 - z if turned else z
            kept = (r * h) @ U["n"] + c["n"] if before else r * (h @ U["n"] + c["n"])
            h = (1 - z) * np.tanh(x @ W["n"] + b["n"] + kept) + z * h
        A2 = through(p["2"], h)
        return squares(A2, e.Y), {"1": h, "2": A2}

    return forward


def elman(e: Exercise, start: Any = 0.0, function: Any = np.tanh) -> Pass:
    """An rnn with the states of all time steps."""

    def forward(p: Parameters, X: Any) -> tuple[Any, dict[str, Any]]:
        own, h, states = p["1"], np.zeros((len(X), 3)) + start, []
        for t in range(X.shape[1]):
            h = function(X[:, t] @ own["weight"] + h @ own["recurrent_weight"] + own["bias"])
            states.append(h)
        A1 = np.stack(states, axis=1)
        A2 = through(p["2"], A1)
        return squares(A2, e.Y), {"1": A1, "2": A2}

    return forward


def attentive(seed: int = 4, causal: bool = False) -> Exercise:
    draw = random(seed)
    layers = [layer("multi_head_attention", heads=2, causal=causal)]
    own = {"in_weight": draw(4, 12), "in_bias": draw(12), "out_weight": draw(4, 4), "out_bias": draw(4)}
    return Exercise(layers, draw(2, 3, 4), draw(2, 3, 4), {"1": own}, loss("half_squared_error"))


def attend(e: Exercise, scale: float = 1 / math.sqrt(2), causal: bool = False, order: str = "QKV") -> Pass:
    def forward(p: Parameters, X: Any) -> tuple[Any, dict[str, Any]]:
        own, heads = p["1"], []
        blocks = dict(zip(order, np.split(X @ own["in_weight"] + own["in_bias"], 3, axis=-1), strict=True))
        for k in (slice(0, 2), slice(2, 4)):
            Q, K, V = (blocks[letter][..., k] for letter in "QKV")
            S = scale * Q @ K.swapaxes(1, 2) + (np.triu(np.full((3, 3), -1e9), 1) if causal else 0)
            heads.append(softmax(S) @ V)
        A1 = np.concatenate(heads, axis=-1) @ own["out_weight"] + own["out_bias"]
        return squares(A1, e.Y), {"1": A1}

    return forward
