"""S13: batch normalisation, five published backward forms: Yeh (matrices; one column), row by row, Zakka, Kratzert, plain."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, numerical_gradient, post

RNG = np.random.default_rng(13)
N, D = 6, 4
X, dY = 3 * RNG.standard_normal((N, D)) + 5, RNG.standard_normal((N, D))
GAMMA, BETA = RNG.standard_normal(D), RNG.standard_normal(D)


def send(client: httpx.Client, inputs: Array = X, upstream: Array = dY, **layer: Any) -> dict[str, Any]:
    state = layer.pop("state", None)
    return post(
        client,
        network={"layers": [{"kind": "batch_norm", **layer}]},
        parameters={"1": {"gamma": GAMMA, "beta": BETA}},
        batch={"inputs": inputs, "upstream": upstream},
        loss={"kind": "upstream"},
        include=["output", "gradients", "input_gradient"],
        verify=True,
        state={"1": state} if state else None,
    )


def normalised(inputs: Array, epsilon: float) -> tuple[Array, Array]:
    deviation = np.sqrt(np.mean((inputs - inputs.mean(0)) ** 2, axis=0) + epsilon)
    return (inputs - inputs.mean(0)) / deviation, deviation


def yeh(epsilon: float) -> Array:
    x, s = normalised(X, epsilon)
    return np.asarray(GAMMA / (N * s) * (N * dY - np.ones((N, 1)) * dY.sum(0) - x * (dY * x).sum(0)))


def yeh_by_column(epsilon: float) -> Array:
    """dx = (σ² + ε)^−½ (I − 11ᵀ/N − x̂x̂ᵀ/N) γ dy."""
    x, s = normalised(X, epsilon)
    columns = [
        (np.eye(N) - np.ones((N, N)) / N - np.outer(x[:, j], x[:, j]) / N) / s[j] @ (GAMMA[j] * dY[:, j])
        for j in range(D)
    ]
    return np.stack(columns, axis=1)


def row_by_row(epsilon: float) -> Array:
    """dx_i = γ/σ (dy_i − (1/N) Σ_j (1 + x̂_i x̂_j) dy_j)."""
    x, s = normalised(X, epsilon)
    return np.stack([GAMMA / s * (dY[i] - sum((1 + x[i] * x[j]) * dY[j] for j in range(N)) / N) for i in range(N)])


def zakka(epsilon: float) -> Array:
    x, s = normalised(X, epsilon)
    d = dY * GAMMA
    return np.asarray((N * d - d.sum(0) - x * (d * x).sum(0)) / (N * s))


def kratzert(epsilon: float) -> Array:
    """Nine steps backward, one operation each."""
    xmu = X - X.mean(0)
    sqrtvar = np.sqrt((xmu**2).mean(0) + epsilon)
    ivar = 1 / sqrtvar
    dxhat = dY * GAMMA
    divar = (dxhat * xmu).sum(0)
    dvar = 0.5 / sqrtvar * (-1 / sqrtvar**2 * divar)
    dxmu = dxhat * ivar + 2 * xmu * np.ones((N, D)) / N * dvar
    return np.asarray(dxmu - np.ones((N, D)) / N * dxmu.sum(0))


@pytest.mark.parametrize("epsilon", [1e-5, 0.0, 0.3])
def test_all_five_forms(client: httpx.Client, epsilon: float) -> None:
    answer = send(client, epsilon=epsilon)
    x, _ = normalised(X, epsilon)
    close(answer["output"], GAMMA * x + BETA)
    close(answer["gradients"]["1"]["gamma"], (dY * x).sum(0))
    close(answer["gradients"]["1"]["beta"], dY.sum(0))
    for form in (yeh, yeh_by_column, row_by_row, zakka, kratzert):
        close(answer["input_gradient"], form(epsilon), rtol=1e-12, atol=1e-12)
    assert answer["certificate"]["relative_error"] < 1e-13


def test_the_plain_form_without_gamma_and_epsilon(client: httpx.Client) -> None:
    """(e): γ = 1, no ε; dX = (dY − mean(dY) − X̂ ∘ mean(dY ∘ X̂)) / σ."""
    x, s = normalised(X, 0.0)
    answer = post(
        client,
        network={"layers": [{"kind": "batch_norm", "epsilon": 0.0}]},
        seed=0,
        batch={"inputs": X, "upstream": dY},
        loss={"kind": "upstream"},
        include=["input_gradient"],
    )
    assert answer["parameters"]["1"] == {"gamma": [1] * D, "beta": [0] * D}
    close(answer["input_gradient"], (dY - dY.mean(0) - x * (dY * x).mean(0)) / s, atol=1e-13)


def test_the_input_gradient_is_the_derivative(client: httpx.Client) -> None:
    def upstream_product(inputs: Array) -> float:
        return float(np.sum(dY * (GAMMA * normalised(inputs, 1e-5)[0] + BETA)))

    close(send(client)["input_gradient"], numerical_gradient(upstream_product, X), rtol=1e-6, atol=1e-9)


def test_images_are_normalised_by_channel(client: httpx.Client) -> None:
    images, upstream = (RNG.standard_normal((3, D, 2, 5)) for _ in range(2))
    answer = send(client, images, upstream)
    rows, d = (array.transpose(0, 2, 3, 1).reshape(-1, D) for array in (images, upstream))
    x, s = normalised(rows, 1e-5)
    count = len(rows)
    expected = GAMMA / (count * s) * (count * d - d.sum(0) - x * (d * x).sum(0))
    close(answer["input_gradient"], expected.reshape(3, 2, 5, D).transpose(0, 3, 1, 2), atol=1e-13)
    close(answer["gradients"]["1"]["gamma"], (d * x).sum(0))
    assert answer["certificate"]["relative_error"] < 1e-13


def test_statistics_run_along_and_serve_evaluation(client: httpx.Client) -> None:
    state = {"running_mean": np.arange(D) * 1.0, "running_variance": np.arange(D) + 1.0}
    after = send(client, momentum=0.25, state=state)["state"]["1"]
    close(after["running_mean"], 0.75 * state["running_mean"] + 0.25 * X.mean(0))
    close(after["running_variance"], 0.75 * state["running_variance"] + 0.25 * X.var(0, ddof=1))
    answer = send(client, mode="eval", state=after)
    s = np.sqrt(np.array(after["running_variance"]) + 1e-5)
    close(answer["output"], GAMMA * (X - after["running_mean"]) / s + BETA)
    close(answer["input_gradient"], dY * GAMMA / s)
    assert answer["state"]["1"] == after


def test_the_derivation_shows_all_five(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "batch_norm"}]},
        "parameters": {"1": {"gamma": GAMMA, "beta": BETA}},
        "batch": {"inputs": X, "upstream": dY},
        "loss": {"kind": "upstream"},
    }
    values = {step["id"]: step.get("value") for step in post(client, "/v1/explain", **problem)["steps"]}
    for form in ("by_stages", "by_sums", "by_rows", "plain"):
        close(values[f"1.{form}"], values["input_gradient"], atol=1e-12)
    close(values["input_gradient"], yeh(1e-5), atol=1e-13)
