"""S23: gradient checking over HTTP alone: differences of /v1/forward, the relative error, and the certificate."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, dense, numerical_gradient, post

RNG = np.random.default_rng(23)
W1, W2 = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2))
X, Y = RNG.standard_normal((5, 3)), RNG.standard_normal((5, 2))


def problem(w1: Array, function: str = "tanh") -> dict[str, Any]:
    return {
        "network": {"layers": [dense(4, function), dense(2)]},
        "parameters": {"1": {"weight": w1}, "2": {"weight": W2}},
        "batch": {"inputs": X, "targets": Y},
        "loss": {"kind": "mean_squared_error"},
        "convention": "row",
    }


def relative_error(a: Array, n: Array) -> Array:
    """|a − n| / (|a| + |n|), and 0 where both are 0."""
    size = np.abs(a) + np.abs(n)
    return np.where(size == 0, 0.0, np.abs(a - n) / np.where(size == 0, 1.0, size))


def test_differences_of_forward_agree_with_gradients(client: httpx.Client) -> None:
    def loss(w1: Array) -> Any:
        return post(client, "/v1/forward", **problem(w1), include=["loss"])["loss"]

    found = np.array(post(client, **problem(W1))["gradients"]["1"]["weight"])
    assert relative_error(found, numerical_gradient(loss, W1)).max() < 1e-7


def test_a_dead_unit_is_the_case_of_nothing_over_nothing(client: httpx.Client) -> None:
    """The gradient of a relu unit that never fires is 0, and so is its numerical derivative."""
    dead = W1.copy()
    dead[:, 1] = 0

    def loss(w1: Array) -> Any:
        return post(client, "/v1/forward", **problem(w1, "relu"), include=["loss"])["loss"]

    shifted = {**problem(dead, "relu"), "verify": True}
    answer = post(client, **shifted)
    found = np.array(answer["gradients"]["1"]["weight"])
    np.testing.assert_array_equal(found[:, 1], 0)
    live = [0, 2, 3]
    assert relative_error(found, numerical_gradient(loss, dead))[:, live].max() < 1e-7
    assert relative_error(np.zeros(3), np.zeros(3)).max() == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_certificate_needs_no_differences(client: httpx.Client, dtype: str) -> None:
    """A complex step subtracts nothing, so its error is that of the precision of the gradients."""
    certificate = post(client, **problem(W1), dtype=dtype, verify=True)["certificate"]
    assert certificate["method"] == "complex_step"
    assert certificate["relative_error"] < 10 * np.finfo(dtype).eps
