"""S12: softmax as a layer of its own: dL/dX = p ∘ (g − Σ_j p_j g_j) for any upstream g, per example; and S10."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests.systems.network import close, post


@pytest.mark.parametrize("convention", ["row", "column"])
def test_any_upstream_gradient(client: httpx.Client, convention: str) -> None:
    rng = np.random.default_rng(12)
    Z, g = rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
    turned = (Z.T, g.T) if convention == "column" else (Z, g)
    answer = post(
        client,
        network={"layers": [{"kind": "activation", "function": "softmax", "name": "p"}]},
        batch={"inputs": turned[0], "upstream": turned[1]},
        loss={"kind": "upstream"},
        convention=convention,
        include=["output", "deltas", "input_gradient"],
        verify=True,
    )
    p = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
    by_jacobian = np.stack(
        [(np.diag(row) - np.outer(row, row)).T @ upstream for row, upstream in zip(p, g, strict=True)]
    )
    expected = by_jacobian.T if convention == "column" else by_jacobian
    close(answer["input_gradient"], expected)
    close(by_jacobian, p * (g - np.sum(p * g, 1, keepdims=True)))
    close(answer["output"], p.T if convention == "column" else p)
    close(answer["deltas"]["p"], turned[1])
    assert answer["certificate"]["relative_error"] < 1e-14


def test_the_jacobian_of_an_elementwise_function_is_diagonal(client: httpx.Client) -> None:
    """S10: the gradient is g'(z) ∘ upstream, which is diag(g'(z)) times it."""
    rng = np.random.default_rng(10)
    z, upstream = rng.standard_normal((1, 5)), rng.standard_normal((1, 5))
    answer = post(
        client,
        network={"layers": [{"kind": "activation", "function": "tanh"}]},
        batch={"inputs": z, "upstream": upstream},
        loss={"kind": "upstream"},
        include=["input_gradient"],
    )
    close(answer["input_gradient"], upstream @ np.diag(1 - np.tanh(z[0]) ** 2))
