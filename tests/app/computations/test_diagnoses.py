"""Warnings about what keeps a network from learning, over HTTP: what is named, and what is not."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

RNG = np.random.default_rng(0)
X = RNG.standard_normal((9, 2))


def warnings(client: httpx.Client, layers: list[Any], parameters: Any, inputs: Any = X, **more: Any) -> list[Any]:
    problem = {
        "network": {"layers": layers},
        "parameters": {
            name: {key: np.asarray(value).tolist() for key, value in named.items()}
            for name, named in parameters.items()
        },
        "batch": {"inputs": np.asarray(inputs).tolist(), "targets": np.full((len(inputs), 1), 0.3).tolist()},
        "loss": {"kind": "half_squared_error"},
        "convention": "row",
        **more,
    }
    response = client.post("/v1/gradients", json=problem)
    assert response.status_code == 200, response.text
    found: list[Any] = response.json()["warnings"]
    return found


def network(function: Any, weight: Any, bias: Any) -> tuple[list[Any], dict[str, Any]]:
    weight = np.asarray(weight, float)
    out = RNG.standard_normal((weight.shape[1], 1))
    return (
        [{"kind": "dense", "units": weight.shape[1], "activation": function}, {"kind": "dense", "units": 1}],
        {"1": {"weight": weight, "bias": np.asarray(bias, float)}, "2": {"weight": out, "bias": [0.1]}},
    )


def test_a_healthy_network_has_no_warning(client: httpx.Client) -> None:
    for function in ("relu", "tanh", "sigmoid", "elu"):
        assert warnings(client, *network(function, RNG.standard_normal((2, 3)), [0.1, 0.2, 0.3])) == []


def test_dead_units_are_named(client: httpx.Client) -> None:
    (warning,) = warnings(client, *network("relu", RNG.standard_normal((2, 4)), [0.1, -50, 0.2, -90]))
    assert (warning["code"], warning["pointer"], warning["got"]) == ("dead-units", "#/network/layers/0", [1, 3])
    assert "Units 1 and 3 of 4" in warning["detail"]
    assert "all 9 values" in warning["detail"]


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "softsign", {"function": "sigmoid", "gain": 40}])
def test_saturated_units_are_named(client: httpx.Client, function: Any) -> None:
    (warning,) = warnings(client, *network(function, RNG.standard_normal((2, 3)) / 50, [0.01, -0.02, 60]))
    assert (warning["code"], warning["got"]) in (("saturated-units", [2]), ("dead-units", [2]))


def test_a_saturated_output_that_is_fused_with_its_loss_still_learns(client: httpx.Client) -> None:
    layers = [{"kind": "dense", "units": 1, "activation": "sigmoid"}]
    parameters = {"1": {"weight": [[0.0], [0.01]], "bias": [30]}}
    assert [
        [warning["code"] for warning in warnings(client, layers, parameters, loss={"kind": kind})]
        for kind in ("half_squared_error", "binary_cross_entropy")
    ] == [["saturated-units"], []]


def test_a_few_examples_say_nothing_about_units(client: httpx.Client) -> None:
    assert warnings(client, *network("relu", RNG.standard_normal((2, 4)), [0.1, -50, 0.2, -90]), inputs=X[:3]) == []


def test_a_kink_is_named_where_it_is(client: httpx.Client) -> None:
    inputs = X.copy()
    inputs[4] = 0
    layers, parameters = network("relu", RNG.standard_normal((2, 3)), [0.1, 0, 0.3])
    (warning,) = warnings(client, layers, parameters, inputs)
    assert (warning["code"], warning["pointer"], warning["got"]) == ("kink", "#/network/layers/0", [4, 1])
    assert "1 of 27 preactivations" in warning["detail"]
    layers[0]["activation"] = {"function": "leaky_relu", "negative_slope": 1.0}
    assert warnings(client, layers, parameters, inputs) == []


def test_a_kink_of_the_loss_is_named(client: httpx.Client) -> None:
    layers = [{"kind": "dense", "units": 1}]
    parameters = {"1": {"weight": [[1.0], [1.0]], "bias": [0.0]}}
    (warning,) = warnings(client, layers, parameters, [[1, 1], [0.3, 0.0]], loss={"kind": "mean_absolute_error"})
    assert (warning["code"], warning["pointer"], warning["got"]) == ("kink", "#/loss", [1, 0])


def test_symmetric_units_are_named_if_their_gradients_are_equal_too(client: httpx.Client) -> None:
    weight = RNG.standard_normal((2, 4))
    weight[:, 3] = weight[:, 1]
    layers, parameters = network("tanh", weight, [0.1, 0.2, 0.3, 0.2])
    assert warnings(client, layers, parameters) == []  # What reads them differs, and so do their gradients.
    parameters["2"]["weight"][3] = parameters["2"]["weight"][1]
    (warning,) = warnings(client, layers, parameters)
    assert (warning["code"], warning["pointer"], warning["got"]) == ("symmetric-units", "#/network/layers/0", [1, 3])
    parameters["1"]["bias"][3] = 0.25
    assert warnings(client, layers, parameters) == []


def test_a_long_list_of_units_is_cut_in_the_sentence_only(client: httpx.Client) -> None:
    layers, parameters = network("relu", RNG.standard_normal((2, 30)), np.full(30, -80))
    dead = next(warning for warning in warnings(client, layers, parameters) if warning["code"] == "dead-units")
    assert dead["got"] == list(range(30))
    assert "Units 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 … (30 of 30, counted from 0)" in dead["detail"]
