"""S24: feedback alignment δ^l = (B^l δ^{l+1}) ∘ f' (Lillicrap et al., 2016) and direct feedback alignment (Nøkland, 2016)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, listed, post

RNG = np.random.default_rng(24)
SIZES = (5, 4, 3, 2)
W = [RNG.standard_normal((o, i)) for i, o in pairwise(SIZES)]
b = [RNG.standard_normal(o) for o in SIZES[1:]]
X, Y = RNG.standard_normal((5, 6)), RNG.random((2, 6))
B = {"random": [RNG.standard_normal((o, i)) for i, o in pairwise(SIZES)],
     "direct": [RNG.standard_normal((2, i)) for i in SIZES[:-1]]}  # fmt: skip


def problem(convention: str = "column", **more: Any) -> dict[str, Any]:
    weights = [w.T if convention == "row" else w for w in W]
    batch = (X, Y) if convention == "column" else (X.T, Y.T)
    return {
        "network": {"layers": [{"kind": "dense", "units": units, "activation": "tanh"} for units in SIZES[1:]]},
        "parameters": {
            str(layer): {"weight": weight, "bias": bias}
            for layer, (weight, bias) in enumerate(zip(weights, b, strict=True), 1)
        },
        "batch": {"inputs": batch[0], "targets": batch[1]},
        "loss": {"kind": "half_squared_error", "reduction": "mean"},
        "convention": convention,
        "include": ["deltas", "gradients"],
        **more,
    }


def deltas(matrices: list[Array], *, direct: bool) -> list[Array]:
    """δ of every layer, in the column convention: the error goes down through Bᵀ."""
    activations = [X]
    for weight, bias in zip(W, b, strict=True):
        activations.append(np.tanh(weight @ activations[-1] + bias[:, None]))
    found = [(activations[3] - Y) / 6 * (1 - activations[3] ** 2)]
    for layer in (2, 1):
        carried = found[-1] if direct else found[0]
        found.insert(0, matrices[layer].T @ carried * (1 - activations[layer] ** 2))
    return found


def degrees(direction: Any, gradient: Any) -> float:
    u, v = np.ravel(direction), np.ravel(gradient)
    return float(np.degrees(np.arccos(min(1.0, u @ v / np.linalg.norm(u) / np.linalg.norm(v)))))


@pytest.mark.parametrize("kind", ["random", "direct"])
@pytest.mark.parametrize("convention", ["row", "column", "torch"])
def test_the_error_goes_down_through_other_matrices(client: httpx.Client, kind: str, convention: str) -> None:
    sent = {str(layer + 1): B[kind][layer] if convention != "row" else B[kind][layer].T for layer in (1, 2)}
    answer = post(client, **problem(convention, feedback={"kind": kind, "weights": sent}))
    gradients = post(client, **problem(convention))["gradients"]
    expected = deltas(B[kind], direct=kind == "direct")
    for layer, delta in enumerate(expected, 1):
        close(answer["deltas"][str(layer)], delta if convention == "column" else delta.T)
        close(answer["gradients"][str(layer)]["bias"], delta.sum(1))
        for name, gradient in gradients[str(layer)].items():
            angle = answer["feedback"]["angles"][str(layer)][name]
            assert angle == pytest.approx(degrees(answer["gradients"][str(layer)][name], gradient), abs=1e-5)
    assert answer["feedback"]["angles"]["3"] == {"weight": 0, "bias": 0}
    assert answer["feedback"]["angles"]["1"]["weight"] > 1
    assert answer["feedback"]["weights"] == listed(sent)


def test_with_the_weights_themselves_it_is_backpropagation(client: httpx.Client) -> None:
    feedback = {"kind": "random", "weights": {str(layer + 1): W[layer] for layer in (1, 2)}}
    answer = post(client, **problem(feedback=feedback))
    assert answer["gradients"] == post(client, **problem())["gradients"]
    assert {angle for named in answer["feedback"]["angles"].values() for angle in named.values()} == {0}


@pytest.mark.parametrize("kind", ["random", "direct"])
def test_matrices_are_drawn_from_the_seed_and_are_not_the_weights(client: httpx.Client, kind: str) -> None:
    drawn: dict[str, Any] = {"parameters": None, "seed": 7}
    answers = [post(client, **problem(feedback={"kind": kind, "seed": seed}, **drawn)) for seed in (7, 7, 8)]
    assert answers[0] == answers[1]
    assert answers[0]["feedback"]["weights"] != answers[2]["feedback"]["weights"]
    assert min(answers[0]["feedback"]["angles"]["1"].values()) > 1


def test_alignment_lowers_the_loss_and_the_angle(client: httpx.Client) -> None:
    """What the papers found: the forward weights come to agree with B, so that the directions approach the gradient."""
    rng = np.random.default_rng(1)
    inputs = rng.standard_normal((20, 6))
    sent = problem(
        "row",
        network={"layers": [{"kind": "dense", "units": 12}, {"kind": "dense", "units": 3}]},
        batch={"inputs": inputs, "targets": inputs @ rng.standard_normal((6, 3))},
        feedback={"kind": "random", "seed": 3},
        include=["loss", "gradients"],
        parameters=None,
        seed=2,
    )
    answer = post(client, **sent)
    first, parameters = answer, answer["parameters"]
    del sent["seed"]
    for _ in range(150):
        parameters = {
            layer: {
                name: np.array(value) - 0.05 * np.array(answer["gradients"][layer][name])
                for name, value in named.items()
            }
            for layer, named in parameters.items()
        }
        answer = post(client, **{**sent, "parameters": parameters})
    assert answer["loss"] < 0.1 * first["loss"]
    assert answer["feedback"]["angles"]["1"]["weight"] < first["feedback"]["angles"]["1"]["weight"] - 10


@pytest.mark.parametrize(
    ("feedback", "layers", "pointer", "words"),
    [
        ({"kind": "random"}, None, "/feedback/weights/2", "needs a B of shape [3, 4]"),
        ({"kind": "direct"}, None, "/feedback/weights/2", "needs a B of shape [2, 4]"),
        ({"kind": "random", "seed": 1, "weights": {"2": np.ones((4, 3))}}, None, "/feedback/weights/2", "transposed"),
        ({"kind": "random", "seed": 1, "weights": {"x": np.ones((4, 3))}}, None, "/feedback/weights/x", "no dense layer"),
        ({"kind": "random", "seed": 1}, [{"kind": "dense", "units": 4}, {"kind": "reshape", "shape": [2, 2]},
          {"kind": "lstm", "units": 2}], "/network/layers/2", "lstm"),
        ({"kind": "direct", "seed": 1}, [{"kind": "dense", "units": 4}, {"kind": "reshape", "shape": [2, 2]},
          {"kind": "dense", "units": 2}], "/network/layers/2", "last delta"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(
    client: httpx.Client, feedback: dict[str, Any], layers: Any, pointer: str, words: str
) -> None:
    more: dict[str, Any] = {"network": {"layers": layers}, "parameters": None, "seed": 0} if layers else {}
    if layers:
        shape = (6, 2) if layers[-1]["kind"] == "lstm" else (6, 2, 2)
        more |= {"batch": {"inputs": X.T, "targets": np.zeros(shape)}, "convention": "row"}
    response = client.post("/v1/gradients", json=listed(problem(feedback=feedback, **more)))
    assert response.status_code == 422
    (error,) = [entry for entry in response.json()["errors"] if entry["pointer"] == f"#{pointer}"]
    assert words in error["detail"] + (error.get("hint") or "")


def test_derivatives_and_certificates_take_no_feedback(client: httpx.Client) -> None:
    sent = listed(problem(feedback={"kind": "random", "seed": 1}))
    refused = client.post("/v1/gradients", json={**sent, "verify": True}).json()
    assert refused["errors"][0]["pointer"] == "#/verify"
    del sent["include"]
    refused = client.post("/v1/jacobian", json=sent).json()
    assert [error["pointer"] for error in refused["errors"]] == ["#/feedback"]
