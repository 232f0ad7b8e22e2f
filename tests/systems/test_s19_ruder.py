"""S19: Ruder's survey: every optimizer by formulas written out here, torch's and the survey's, over 25 steps of /v1/step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, listed, post

RNG = np.random.default_rng(19)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
W, b = RNG.standard_normal((3, 2)), RNG.standard_normal(2)
STEPS = 25

Update = Callable[[Array, Array, dict[str, Any], int], Array]
"""θ after a step, given θ, its gradient, what is remembered, and t from 1 on."""


def gradient(theta: Array) -> Array:
    """Of ½/n Σ‖XW + b − Y‖², with W and b as one vector."""
    error = (X @ theta[:6].reshape(3, 2) + theta[6:] - Y) / 6
    return np.concatenate([(X.T @ error).ravel(), error.sum(0)])


def run(update: Update, steps: int = STEPS, at: Callable[[Array, dict[str, Any]], Array] | None = None) -> Array:
    theta = np.concatenate([W.ravel(), b])
    memory: dict[str, Any] = {}
    for t in range(1, steps + 1):
        theta = update(theta, gradient(at(theta, memory) if at else theta), memory, t)
    return theta


def sent(optimizer: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "network": {"layers": [{"kind": "dense", "units": 2}]},
        "parameters": {"1": {"weight": W, "bias": b}},
        "batch": {"inputs": X, "targets": Y},
        "loss": {"kind": "half_squared_error"},
        "convention": "row",
        "optimizer": optimizer,
        **more,
    }


def sgd(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    return theta - 0.1 * g


def momentum(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["v"] = g if t == 1 else 0.9 * m["v"] + (1 - 0.2) * g
    return np.asarray(theta - 0.1 * m["v"])


def nesterov(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    g = g + 0.01 * theta
    m["v"] = g if t == 1 else 0.9 * m["v"] + g
    return np.asarray(theta - 0.1 * (g + 0.9 * m["v"]))


def ruder_momentum(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["v"] = 0.9 * m.get("v", 0) + 0.1 * g
    return np.asarray(theta - m["v"])


def adagrad(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["s"] = m.get("s", 0) + g**2
    return np.asarray(theta - 0.01 * g / (np.sqrt(m["s"]) + 1e-10))


def ruder_adagrad(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["s"] = m.get("s", 0) + g**2
    return np.asarray(theta - 0.01 / np.sqrt(m["s"] + 1e-8) * g)


def adadelta(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["s"] = 0.9 * m.get("s", 0) + 0.1 * g**2
    step = np.sqrt(m.get("u", 0) + 1e-6) / np.sqrt(m["s"] + 1e-6) * g
    m["u"] = 0.9 * m.get("u", 0) + 0.1 * step**2
    return np.asarray(theta - step)


def rmsprop(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["s"] = 0.99 * m.get("s", 0) + 0.01 * g**2
    m["a"] = 0.99 * m.get("a", 0) + 0.01 * g
    m["v"] = 0.5 * m.get("v", 0) + g / (np.sqrt(m["s"] - m["a"] ** 2) + 1e-8)
    return np.asarray(theta - 0.01 * m["v"])


def ruder_rmsprop(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["s"] = 0.9 * m.get("s", 0) + 0.1 * g**2
    return np.asarray(theta - 0.001 / np.sqrt(m["s"] + 1e-8) * g)


def _moments(g: Array, m: dict[str, Any]) -> None:
    m["m"] = 0.9 * m.get("m", 0) + 0.1 * g
    m["v"] = 0.999 * m.get("v", 0) + 0.001 * g**2


def adam(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    _moments(g, m)
    return np.asarray(theta - 0.001 * (m["m"] / (1 - 0.9**t)) / (np.sqrt(m["v"] / (1 - 0.999**t)) + 1e-8))


def amsgrad(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    _moments(g, m)
    m["largest"] = np.maximum(m.get("largest", 0), m["v"])
    return np.asarray(theta - 0.001 * (m["m"] / (1 - 0.9**t)) / (np.sqrt(m["largest"] / (1 - 0.999**t)) + 1e-8))


def ruder_amsgrad(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    _moments(g, m)
    m["largest"] = np.maximum(m.get("largest", 0), m["v"])
    return np.asarray(theta - 0.001 / (np.sqrt(m["largest"]) + 1e-8) * m["m"])


def adamw(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    return adam(theta * (1 - 0.001 * 0.01), g, m, t)


def adamax(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    m["m"] = 0.9 * m.get("m", 0) + 0.1 * g
    m["u"] = np.maximum(0.999 * m.get("u", 0), np.abs(g) + 1e-8)
    return np.asarray(theta - 0.002 / (1 - 0.9**t) * m["m"] / m["u"])


def nadam(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    _moments(g, m)
    now, after = (0.9 * (1 - 0.5 * 0.96 ** (k * 0.004)) for k in (t, t + 1))
    m["product"] = m.get("product", 1) * now
    size = np.sqrt(m["v"] / (1 - 0.999**t)) + 1e-8
    theta = theta - 0.002 * (1 - now) / (1 - m["product"]) * g / size
    return np.asarray(theta - 0.002 * after / (1 - m["product"] * after) * m["m"] / size)


def ruder_nadam(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    _moments(g, m)
    corrected = 0.9 * m["m"] / (1 - 0.9**t) + 0.1 * g / (1 - 0.9**t)
    return np.asarray(theta - 0.002 / (np.sqrt(m["v"] / (1 - 0.999**t)) + 1e-8) * corrected)


def lion(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
    old = m.get("m", np.zeros_like(g))
    m["m"] = 0.99 * old + 0.01 * g
    return np.asarray(theta - 1e-4 * (np.sign(0.9 * old + 0.1 * g) + 0.1 * theta))


CASES: list[tuple[dict[str, Any], Update]] = [
    ({"kind": "sgd", "learning_rate": 0.1}, sgd),
    ({"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "dampening": 0.2}, momentum),
    ({"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}, nesterov),
    ({"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "variant": "ruder"}, ruder_momentum),
    ({"kind": "adagrad"}, adagrad),
    ({"kind": "adagrad", "epsilon": 1e-8, "variant": "ruder"}, ruder_adagrad),
    ({"kind": "adadelta"}, adadelta),
    ({"kind": "rmsprop", "momentum": 0.5, "centered": True}, rmsprop),
    ({"kind": "rmsprop", "alpha": 0.9, "learning_rate": 0.001, "variant": "ruder"}, ruder_rmsprop),
    ({"kind": "adam"}, adam),
    ({"kind": "adam", "amsgrad": True}, amsgrad),
    ({"kind": "adam", "amsgrad": True, "variant": "ruder"}, ruder_amsgrad),
    ({"kind": "adamw"}, adamw),
    ({"kind": "adamax"}, adamax),
    ({"kind": "nadam"}, nadam),
    ({"kind": "nadam", "variant": "ruder"}, ruder_nadam),
    ({"kind": "lion", "weight_decay": 0.1}, lion),
]
every = pytest.mark.parametrize(("optimizer", "update"), CASES, ids=[update.__name__ for _, update in CASES])


def found(answer: dict[str, Any]) -> Array:
    named = answer["parameters"]["1"]
    return np.concatenate([np.ravel(named["weight"]), named["bias"]])


@every
def test_all_steps_in_one_request(client: httpx.Client, optimizer: dict[str, Any], update: Update) -> None:
    answer = post(client, "/v1/step", **sent(optimizer, steps=STEPS))
    close(found(answer), run(update), rtol=1e-12, atol=1e-13)
    assert answer["step"] == answer["optimizer_state"]["step"] == STEPS
    assert len(answer["losses"]) == STEPS
    assert answer["losses"][-1] == answer["loss"]


@every
def test_an_answer_is_the_next_request(client: httpx.Client, optimizer: dict[str, Any], update: Update) -> None:
    at_once = post(client, "/v1/step", **sent(optimizer, steps=6))
    more: dict[str, Any] = {}
    for _ in range(3):
        answer = post(client, "/v1/step", **{**sent(optimizer, steps=2), **more})
        more = {"parameters": answer["parameters"], "optimizer_state": answer["optimizer_state"]}
    assert answer["parameters"] == at_once["parameters"]
    assert answer["optimizer_state"] == at_once["optimizer_state"]


def test_nesterov_looks_ahead_in_the_survey(client: httpx.Client) -> None:
    optimizer = {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "variant": "ruder"}
    answer = post(client, "/v1/step", **sent(optimizer, steps=STEPS))
    close(found(answer), run(ruder_momentum, at=lambda theta, m: theta - 0.9 * m.get("v", 0)), rtol=1e-12)


@pytest.mark.parametrize(
    ("schedule", "factor"),
    [
        ({"kind": "constant"}, lambda t: 1.0),
        ({"kind": "step", "every": 4, "gamma": 0.5}, lambda t: 0.5 ** (t // 4)),
        ({"kind": "exponential", "gamma": 0.9}, lambda t: 0.9**t),
        ({"kind": "inverse_time", "rate": 0.3}, lambda t: 1 / (1 + 0.3 * t)),
        ({"kind": "cosine", "steps": 7, "least": 0.1}, lambda t: 0.1 + 0.45 * (1 + math.cos(math.pi * min(t / 7, 1)))),
    ],
)
def test_annealing_and_warmup(client: httpx.Client, schedule: dict[str, Any], factor: Callable[[int], float]) -> None:
    optimizer = {"kind": "sgd", "learning_rate": 0.1, "schedule": schedule, "warmup_steps": 3}
    answer = post(client, "/v1/step", **sent(optimizer, steps=10))
    expected = run(lambda theta, g, m, t: theta - 0.1 * factor(t - 1) * min(1, t / 3) * g, steps=10)
    close(found(answer), expected)


def test_clipping_and_noise(client: httpx.Client) -> None:
    def clipped(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
        return np.asarray(theta - 0.1 * g * min(1.0, 0.05 / (float(np.linalg.norm(g)) + 1e-6)))

    close(found(post(client, "/v1/step", **sent({"kind": "sgd", "learning_rate": 0.1, "gradient_clip_norm": 0.05}, steps=5))),
          run(clipped, steps=5))  # fmt: skip
    noise = {"eta": 0.3, "gamma": 0.55, "seed": 4}

    def noisy(theta: Array, g: Array, m: dict[str, Any], t: int) -> Array:
        generator = np.random.Generator(np.random.PCG64([4, t - 1]))
        return theta - 0.1 * (g + generator.normal(0, math.sqrt(0.3 / t**0.55), g.size))

    close(found(post(client, "/v1/step", **sent({"kind": "sgd", "learning_rate": 0.1, "gradient_noise": noise}, steps=5))),
          run(noisy, steps=5))  # fmt: skip


def test_batch_stochastic_and_minibatch(client: httpx.Client) -> None:
    """Every epoch goes over all examples once, in an order that seed and epoch decide."""
    theta = np.concatenate([W.ravel(), b])
    for epoch in range(2):
        order = np.random.Generator(np.random.PCG64([7, epoch])).permutation(6)
        for part in (order[:4], order[4:]):
            error = (X[part] @ theta[:6].reshape(3, 2) + theta[6:] - Y[part]) / len(part)
            theta = theta - 0.1 * np.concatenate([(X[part].T @ error).ravel(), error.sum(0)])
    problem = sent({"kind": "sgd", "learning_rate": 0.1}, batch_size=4, shuffle_seed=7)
    close(found(post(client, "/v1/step", **problem, steps=4)), theta)
    first = post(client, "/v1/step", **problem, steps=3)
    second = post(client, "/v1/step", **problem | {"parameters": first["parameters"],
                                                  "optimizer_state": first["optimizer_state"]})  # fmt: skip
    close(found(second), theta)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"optimizer": {"kind": "adam", "beta1": 1.0}}, "#/optimizer/beta1", "invalid-request"),
        ({"optimizer": {"kind": "Adam"}}, "#/optimizer/kind", "unknown-name"),
        ({"freeze": ["1.biass"]}, "#/freeze/0", "unknown-name"),
        ({"optimizer_state": {"step": 1, "slots": {"velocity": {}}}}, "#/optimizer_state/slots/velocity", "unknown-name"),
        ({"optimizer_state": {"step": 3}}, "#/optimizer_state", "missing-parameters"),
        ({"optimizer_state": {"slots": {"first_moment": {"1": {"weight": [[1]]}}}}},
         "#/optimizer_state/slots/first_moment/1/weight", "shape-mismatch"),
        ({"optimizer": {"kind": "adam", "learning_rate": {"1": {"weight": [[1]]}}}},
         "#/optimizer/learning_rate/1/weight", "shape-mismatch"),
        ({"optimizer": {"kind": "sgd", "learning_rate": 1e308}, "steps": 3}, "#/network/layers/0", "non-finite"),
        ({"steps": 0}, "#/steps", "invalid-request"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_its_place(
    client: httpx.Client, change: dict[str, Any], pointer: str, code: str
) -> None:
    response = client.post("/v1/step", json=listed(sent({"kind": "adam"}) | change))
    assert response.status_code == 422, response.text
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in response.json()["errors"]], response.text
