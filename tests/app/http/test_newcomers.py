"""Requests as textbooks and other libraries write them: accepted where they can mean one thing only, else told the fix."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import XOR
from tests.app.http.test_refusals import changed
from tests.server import refused

SENT: dict[str, dict[str, Any]] = {
    "1": {"weight": XOR["parameters"]["1"]["weight"], "bias": [[0.1], [0.2], [0.3]]},
    "out": {"weight": [0.7, -0.1, 0.2], "bias": 0.05},
}
DOCUMENTED: dict[str, dict[str, Any]] = {
    "1": {"weight": XOR["parameters"]["1"]["weight"], "bias": [0.1, 0.2, 0.3]},
    "out": {"weight": [[0.7], [-0.1], [0.2]], "bias": [0.05]},
}
FLAT = {"inputs": XOR["batch"]["inputs"], "targets": np.ravel(XOR["batch"]["targets"]).tolist()}


def shapes(parameters: Any) -> Any:
    return {layer: {name: np.shape(array) for name, array in named.items()} for layer, named in parameters.items()}


def ok(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def test_gradients_have_the_shape_that_was_sent_and_the_same_bits(client: httpx.Client) -> None:
    parts = ["loss", "gradients", "per_example_gradients"]
    one = ok(client.post("/v1/gradients", json=changed(parameters=SENT, batch=FLAT, include=parts)))
    other = ok(client.post("/v1/gradients", json=changed(parameters=DOCUMENTED, include=parts)))
    assert one["loss"] == other["loss"]
    assert one["warnings"] == other["warnings"]
    assert shapes(one["gradients"]) == shapes(SENT)
    assert np.shape(one["per_example_gradients"]["1"]["bias"]) == (4, 3, 1)
    for layer, named in other["gradients"].items():
        for name, array in named.items():
            np.testing.assert_array_equal(np.ravel(one["gradients"][layer][name]), np.ravel(array))


def test_the_answer_of_gradients_is_a_correct_submission(client: httpx.Client) -> None:
    problem = changed(parameters=SENT, include=["gradients"])
    gradients = ok(client.post("/v1/gradients", json=problem))["gradients"]
    report = ok(client.post("/v1/check", json={**problem, "submission": {"gradients": gradients}}))
    assert report["verdict"] == "correct"
    assert not any("layout" in row for row in report["tensors"])


def test_steps_go_on_from_their_own_answer(client: httpx.Client) -> None:
    rates = {
        layer: {name: np.full(shape, 0.1).tolist() for name, shape in n.items()} for layer, n in shapes(SENT).items()
    }
    problem = changed(parameters=SENT, optimizer={"kind": "sgd", "momentum": 0.9, "learning_rate": rates})
    first = ok(client.post("/v1/step", json=problem))
    assert shapes(first["parameters"]) == shapes(SENT)
    again = {**problem, "parameters": first["parameters"], "optimizer_state": first["optimizer_state"]}
    assert ok(client.post("/v1/step", json=again))["step"] == 2


def test_products_move_along_parameters_as_they_were_sent(client: httpx.Client) -> None:
    body = changed(parameters=SENT, kind="hvp", vector={"parameters": SENT})
    assert shapes(ok(client.post("/v1/products", json=body))["product"]["parameters"]) == shapes(SENT)


@pytest.mark.parametrize("endpoint", ["/v1/forward", "/v1/check", "/v1/explain"])
def test_the_other_computations_take_the_same_shapes(client: httpx.Client, endpoint: str) -> None:
    ok(client.post(endpoint, json=changed(parameters=SENT, batch=FLAT)))


def test_a_job_takes_the_same_shapes(client: httpx.Client) -> None:
    job = {name: XOR[name] for name in ("network", "loss")}
    job |= {"parameters": SENT, "data": FLAT, "optimizer": {"kind": "sgd", "learning_rate": 0.1}, "epochs": 1}
    assert client.post("/v1/jobs", json=job).status_code == 202


def test_a_bias_of_another_length_is_told_the_fix(client: httpx.Client) -> None:
    parameters = {**DOCUMENTED, "1": {**DOCUMENTED["1"], "bias": [[0, 0]]}}
    (error,) = refused(client.post("/v1/gradients", json=changed(parameters=parameters)), 422, "shape-mismatch").errors
    assert error.hint == "Send the bias as a list of 3 numbers."


@pytest.mark.parametrize(
    ("members", "pointer", "hint"),
    [
        ({"loss": "mse"}, "#/loss", 'Send {"kind": "mean_squared_error"}.'),
        ({"loss": {"kind": "bce"}}, "#/loss/kind", "Use 'binary_cross_entropy'."),
        ({"loss": {"kind": "sparse_categorical_crossentropy"}}, "#/loss/kind", "Use 'cross_entropy'."),
        ({"convention": "pytorch"}, "#/convention", "Use 'torch'."),
        ({"network": {"layers": ["Dense"]}}, "#/network/layers/0", 'Send {"kind": "dense"}.'),
        ({"network": {"layers": [{"kind": "fc"}]}}, "#/network/layers/0/kind", "Use 'dense'."),
        (
            {"network": {"layers": [{"kind": "ReLU"}]}},
            "#/network/layers/0/kind",
            'Use {"kind": "activation", "function": "relu"}.',
        ),
        (
            {"network": {"layers": ["tanh"]}},
            "#/network/layers/0",
            'Send {"kind": "activation", "function": "tanh"}.',
        ),
        (
            {
                "network": {"layers": [{"kind": "dense", "units": 1, "activation": "swish"}]},
                "parameters": {},
                "seed": 1,
            },
            "#/network/layers/0/activation",
            "Did you mean 'silu'?",
        ),
    ],
)
def test_names_of_other_libraries_are_told_ours(
    client: httpx.Client, members: dict[str, Any], pointer: str, hint: str
) -> None:
    response = client.post("/v1/gradients", json=changed(**members))
    errors = {error.pointer: error for error in refused(response, 422, response.json()["type"].split("/")[-1]).errors}
    assert errors[pointer].hint == hint


@pytest.mark.parametrize(
    ("optimizer", "hint"), [("SGD", 'Send {"kind": "sgd"}.'), ({"kind": "Adam", "learning_rate": 1}, "Use 'adam'.")]
)
def test_an_optimizer_of_another_library(client: httpx.Client, optimizer: Any, hint: str) -> None:
    response = client.post("/v1/step", json=changed(optimizer=optimizer))
    assert [error["hint"] for error in response.json()["errors"]] == [hint]


def test_a_problem_sent_as_a_job_is_told_of_data(client: httpx.Client) -> None:
    document = refused(client.post("/v1/jobs", json=XOR), 422, "unknown-name")
    hints = {error.pointer: error.hint for error in document.errors}
    assert hints["#/batch"] == "Use 'data'."


@pytest.mark.parametrize(
    ("layer", "loss", "targets", "code"),
    [
        ({"units": 2, "activation": "softmax"}, "softmax_cross_entropy", [[0], [1], [1], [0]], "double-softmax"),
        ({"units": 1, "activation": "sigmoid"}, "sigmoid_cross_entropy", [0, 1, 1, 0], "double-sigmoid"),
        ({"units": 2, "activation": "softmax"}, "cross_entropy", [[0], [1], [1], [0]], None),
    ],
)
@pytest.mark.parametrize("endpoint", ["/v1/gradients", "/v1/forward", "/v1/check"])
def test_an_activation_that_is_applied_twice(
    client: httpx.Client, endpoint: str, layer: dict[str, Any], loss: str, targets: Any, code: str | None
) -> None:
    problem = {
        "network": {"layers": [{"kind": "dense", **layer}]},
        "batch": {"inputs": XOR["batch"]["inputs"], "targets": targets},
        "loss": {"kind": loss},
        "seed": 1,
    }
    codes = {warning["code"] for warning in ok(client.post(endpoint, json=problem))["warnings"]}
    assert {each for each in codes if each.startswith("double")} == ({code} if code else set())


def test_log_of_0_after_relu_is_explained(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "activation", "function": "relu"}, {"kind": "activation", "function": "log"}]},
        "batch": {"inputs": [[-1, 2]], "targets": [[0, 0]]},
        "loss": {"kind": "half_squared_error"},
    }
    (error,) = refused(client.post("/v1/gradients", json=problem), 422, "non-finite").errors
    assert error.hint and error.hint.startswith("log(0) is -infinity")


@pytest.mark.parametrize(
    ("units", "targets", "words"),
    [
        (1, [[7], [1], [1], [0]], "One output is the probability of one class"),
        (1, [[0.5], [1.5], [1], [0]], "Scale the targets"),
        (2, [[2, 1], [1, 0], [0, 0], [0, 0]], "compared with cross_entropy after softmax"),
    ],
)
def test_targets_of_binary_cross_entropy_that_are_no_probabilities(
    client: httpx.Client, units: int, targets: Any, words: str
) -> None:
    network = {"layers": [{"kind": "dense", "units": units, "activation": "sigmoid"}]}
    problem = {"network": network, "seed": 1, "batch": {**XOR["batch"], "targets": targets}, "loss": XOR["loss"]}
    (error,) = refused(client.post("/v1/gradients", json=problem), 422, "invalid-request").errors
    assert error.hint and words in error.hint


def test_gradients_beside_the_submission(client: httpx.Client) -> None:
    (error,) = refused(client.post("/v1/check", json={**XOR, "gradients": SENT}), 422, "unknown-name").errors
    assert (error.pointer, error.hint) == ("#/gradients", "Put 'gradients' into 'submission'.")


def test_a_check_of_nothing_says_that_it_is_the_services_own(client: httpx.Client) -> None:
    summary = ok(client.post("/v1/check", json=XOR))["summary"]
    assert summary.startswith("Nothing was submitted, so this is the service's own backward pass")


def test_a_loss_beside_upstream_has_nothing_to_compare_with(client: httpx.Client) -> None:
    batch = {"inputs": XOR["batch"]["inputs"], "upstream": [[1], [1], [1], [1]]}
    problem = changed(batch=batch, loss={"kind": "upstream"}, submission={"loss": 0.5})
    (error,) = refused(client.post("/v1/check", json=problem), 422, "invalid-request").errors
    assert (error.pointer, error.hint) == ("#/submission/loss", "Leave out submission.loss.")


def test_inputs_that_cannot_be_read_in_parts_are_no_training_data(client: httpx.Client) -> None:
    job = {
        "network": {"layers": [{"kind": "multiply", "inputs": ["a", "b"]}]},
        "data": {"inputs": {"a": [[[1, 2]] * 3] * 3, "b": [[1], [2], [3]]}, "targets": [[[1, 2]] * 3] * 3},
        "loss": {"kind": "half_squared_error"},
        "optimizer": {"kind": "sgd"},
        "epochs": 1,
        "batch_size": 2,
    }
    (error,) = refused(client.post("/v1/jobs", json=job), 422, "shape-mismatch").errors
    assert error.pointer == "#/network/layers/0/inputs"
    assert error.detail.startswith("With 2 of the examples: ")


@pytest.mark.parametrize("count", [20, 40_000])
def test_a_table_without_its_line_ends(client: httpx.Client, count: int) -> None:
    table = ("a,b,c" + "1,2,3" * count).encode()
    response = client.post("/v1/datasets", content=table, headers={"Content-Type": "text/csv"})
    (error,) = refused(response, response.status_code).errors
    assert error.hint and "--data-binary" in error.hint
