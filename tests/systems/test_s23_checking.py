"""S23: gradient checking over HTTP alone: differences of /v1/forward, the relative error, and the certificate."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, dense, numerical_gradient, post

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


def checked(client: httpx.Client, submission: dict[str, Any], **problem: Any) -> dict[str, Any]:
    return post(client, "/v1/check", **problem, submission=submission)


def test_check_has_the_relative_error_of_the_literature(client: httpx.Client) -> None:
    """|a − n| / (|a| + |n|) for a tensor: 1/2 for one that is three times too large, 0 for nothing over nothing."""
    dead = W1.copy()
    dead[:, 1] = 0
    with_dead_unit = problem(dead, "relu")
    right = np.array(post(client, **with_dead_unit)["gradients"]["1"]["weight"])
    rows = {
        factor: next(
            row
            for row in checked(client, {"gradients": {"1": {"weight": factor * right}}}, **with_dead_unit)["tensors"]
            if row["tensor"] == "gradients.weight" and row["layer"] == "1"
        )
        for factor in (1, 3, -1)
    }
    close(rows[1]["relative_error"], 0)
    close(rows[3]["relative_error"], 1 / 2)
    close(rows[-1]["relative_error"], 1)
    close(rows[-1]["cosine"], -1)
    nothing = checked(client, {"gradients": {"1": {"weight": np.zeros_like(right)}}}, **problem(0 * W1, "relu"))
    (row,) = [row for row in nothing["tensors"] if row["tensor"] == "gradients.weight" and row["layer"] == "1"]
    assert (row["status"], row["relative_error"]) == ("correct", 0)
    assert "cosine" not in row


def test_check_tells_kinks_apart(client: httpx.Client) -> None:
    """At z = 0 relu has every slope from 0 to 1: listed, held still by the oracle, and another slope is no mistake."""
    at_kink = {**problem(W1, "relu"), "batch": {"inputs": np.vstack([np.zeros((1, 3)), X[1:]]), "targets": Y}}
    answer = post(client, **at_kink)
    report = checked(client, answer, **at_kink)
    assert report["verdict"] == "correct"
    assert report["oracle"]["error"] < 1e-14
    assert [(kink["layer"], kink["index"], kink["distance"]) for kink in report["kinks"]] == [
        ("1", [0, unit], 0) for unit in range(4)
    ]
    deltas = {layer: np.array(value) for layer, value in answer["deltas"].items()}
    deltas["1"][0] = deltas["2"][0] @ W2.T
    other = checked(client, {"deltas": deltas}, **at_kink)
    assert other["verdict"] == "equivalent-layout"
    assert other["blame"] == []
    assert [each["cause"] for each in other["not_mistakes"]] == ["slope-at-kink"]


def test_check_certifies_what_it_expects(client: httpx.Client) -> None:
    report = post(client, "/v1/check", **problem(W1))
    assert report["verdict"] == "correct"
    assert report["oracle"]["method"] == "complex_step"
    assert report["oracle"]["error"] < 1e-15
