"""S17: Rossen, "Closed-Form Inversion of Backpropagation Networks" (NIPS 3, 1990).

x^{l−1} = W_l⁺ (f_l⁻¹(x^l) − b_l), any vector of null(W_l) may be added, and the alternate inverse nearest to a reference
"""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import numpy as np
import pytest

from tests.systems.network import Array, close, listed, numerical_gradient, post, sigmoid

CONVENTIONS = ("row", "column", "torch")
GENERATOR = np.random.default_rng(1990)


def logit(a: Array) -> Array:
    return np.asarray(np.log(a / (1 - a)))


def written(X: Array, convention: str) -> Array:
    """Examples in rows, as the convention writes them."""
    return X.T if convention == "column" else X


def weights(*sizes: int, scale: float = 1.0) -> tuple[list[Array], list[Array]]:
    """Random weights, in x out, and biases."""
    pairs = list(itertools.pairwise(sizes))
    return (
        [scale * GENERATOR.standard_normal(pair) for pair in pairs],
        [0.1 * GENERATOR.standard_normal(o) for _, o in pairs],
    )


def request(
    W: list[Array], b: list[Array], convention: str, activation: str = "sigmoid", **more: Any
) -> dict[str, Any]:
    """The network as the convention writes it."""
    turned = convention != "row"
    return {
        "network": {"layers": [{"kind": "dense", "units": w.shape[1], "activation": activation} for w in W]},
        "parameters": {
            str(layer): {"weight": w.T if turned else w, "bias": bias}
            for layer, (w, bias) in enumerate(zip(W, b, strict=True), 1)
        },
        "convention": convention,
        **more,
    }  # fmt: skip


def invert(client: httpx.Client, **problem: Any) -> dict[str, Any]:
    return post(client, "/v1/invert", **problem)


def forward(X: Array, W: list[Array], b: list[Array]) -> Array:
    for w, bias in zip(W, b, strict=True):
        X = sigmoid(X @ w + bias)
    return X


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_inverse_is_rossens(client: httpx.Client, convention: str) -> None:
    """4-3-2: W⁺ by SVD at every layer, and the outputs are reproduced."""
    W, b = weights(4, 3, 2, scale=0.7)
    targets = forward(GENERATOR.uniform(0, 1, (5, 4)), W, b)
    answer = invert(client, **request(W, b, convention, targets=written(targets, convention)))
    assert answer["feasible"]
    assert answer["feasible_examples"] == [True] * 5
    inputs = written(np.array(answer["inputs"]), convention)
    close(forward(inputs, W, b), targets, rtol=1e-10)
    close(written(np.array(answer["output"]), convention), targets, rtol=1e-10)
    assert answer["error"] == max(answer["errors"]) < 1e-12
    hidden = (logit(targets) - b[1]) @ np.linalg.pinv(W[1])
    inside = ((hidden > 0) & (hidden < 1)).all(axis=1)
    image = written(np.array(answer["layers"]["1"]["hidden_image"]), convention)
    close(image[inside], hidden[inside], rtol=1e-10)
    assert answer["layers"]["2"]["repaired"] == np.flatnonzero(~inside).tolist()
    close(written(np.array(answer["layers"]["2"]["hidden_image"]), convention), targets)
    close(inputs, (logit(image) - b[0]) @ np.linalg.pinv(W[0]), rtol=1e-9)
    for name, w in zip("12", W, strict=True):
        layer = answer["layers"][name]
        close(layer["singular_values"], np.linalg.svd(w)[1])
        assert layer["rank"] == min(w.shape)
        assert max(layer["residual"]) < 1e-10


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_any_vector_of_the_null_space_may_be_added(client: httpx.Client, convention: str) -> None:
    W, b = weights(5, 3)
    targets = GENERATOR.uniform(0.1, 0.9, (2, 3))
    answer = invert(client, **request(W, b, convention, targets=written(targets, convention)))
    N = written(np.array(answer["layers"]["1"]["null_space"]), convention)
    close(N @ N.T, np.eye(2), atol=1e-14)
    close(N @ W[0], np.zeros((2, 3)), atol=1e-14)
    inputs = written(np.array(answer["inputs"]), convention)
    moved = inputs + GENERATOR.standard_normal((2, 2)) @ N
    close(forward(moved, W, b), targets, rtol=1e-11)
    close(inputs @ N.T, np.zeros((2, 2)), atol=1e-13)  # The shortest inverse has nothing of the null space in it.


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_alternate_inverse_is_the_nearest_to_a_reference(client: httpx.Client, convention: str) -> None:
    """x* = x + (I − W⁺W)(r − x). No move within the solutions comes nearer: the distance has a gradient of 0 along N."""
    W, b = weights(5, 2)
    targets, reference = GENERATOR.uniform(0.1, 0.9, (3, 2)), GENERATOR.standard_normal((3, 5))
    asked = request(W, b, convention, targets=written(targets, convention), reference=written(reference, convention))
    answer = invert(client, **asked)
    inputs = written(np.array(answer["inputs"]), convention)
    close(forward(inputs, W, b), targets, rtol=1e-11)
    shortest = (logit(targets) - b[0]) @ np.linalg.pinv(W[0])
    close(inputs, shortest + (reference - shortest) @ (np.eye(5) - W[0] @ np.linalg.pinv(W[0])), rtol=1e-10)
    N = written(np.array(answer["layers"]["1"]["null_space"]), convention)
    slope = numerical_gradient(lambda c: np.sum((inputs + c @ N - reference) ** 2), np.zeros((3, 3)))
    close(slope, np.zeros((3, 3)), atol=1e-8)


def test_a_reference_that_is_an_inverse_comes_back(client: httpx.Client) -> None:
    """At every layer the nearest choice is the reference's own hidden image."""
    W, b = weights(6, 4, 3)
    reference = GENERATOR.uniform(-1, 1, (4, 6))
    answer = invert(client, **request(W, b, "row", targets=forward(reference, W, b), reference=reference))
    assert answer["feasible"]
    close(answer["inputs"], reference, rtol=1e-8)


def test_the_answer_is_the_batch_of_the_next_request(client: httpx.Client) -> None:
    W, b = weights(3, 2)
    asked = request(W, b, "column", batch={"targets": [0.2, 0.9]}, loss={"kind": "half_squared_error"})
    answer = invert(client, **asked)
    network = {key: asked[key] for key in ("network", "parameters", "convention")}
    output = post(client, "/v1/forward", **network, batch={"inputs": answer["inputs"]})["output"]
    close(output, [[0.2], [0.9]])


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_an_inverse_need_not_exist(client: httpx.Client, convention: str) -> None:
    """A hidden image outside (0, 1), where W has no null space: no input has this output."""
    W, b = [np.eye(2), 2 * np.eye(2)], [np.zeros(2), np.zeros(2)]
    targets = np.array([[0.6, 0.6], [0.2, 0.6], [0.6, 0.999]])
    answer = invert(client, **request(W, b, convention, targets=written(targets, convention)))
    assert not answer["feasible"]
    assert answer["conclusive"]
    assert answer["feasible_examples"] == [True, False, False]
    layer = answer["layers"]["1"]
    assert not layer["feasible"]
    assert layer["why"].startswith("Example 1, unit 0: -0.693147 is outside the range of sigmoid, 0 to 1")
    close(written(np.array(layer["hidden_image"]), convention), logit(targets) / 2)
    assert answer["layers"]["2"]["feasible"]
    assert "null_space" not in layer
    assert answer["errors"][0] < 1e-12
    assert min(answer["errors"][1:]) > 1e-3
    output = forward(written(np.array(answer["inputs"]), convention), W, b)
    close(written(np.array(answer["output"]), convention), output)


def test_outputs_that_a_narrow_layer_cannot_have(client: httpx.Client) -> None:
    """One hidden unit, three outputs: the residual is the distance from the line that they lie on."""
    w = np.array([[1.0, 2.0, -1.0]])
    W, b = [np.eye(1), w], [np.zeros(1), np.zeros(3)]
    z = np.array([[0.5, 1.0, -0.5], [0.5, 1.0, 0.5]])
    answer = invert(client, **request(W, b, "row", targets=sigmoid(z)))
    assert answer["feasible_examples"] == [True, False]
    assert answer["conclusive"]
    layer = answer["layers"]["2"]
    along = z[1] @ w[0] / (w[0] @ w[0])
    close(layer["residual"], [0, np.linalg.norm(z[1] - along * w[0])], rtol=1e-9, atol=1e-13)
    assert layer["why"].startswith("Example 1: no input of this layer gives its preactivation")


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_hidden_image_is_repaired_along_the_null_space(client: httpx.Client, convention: str) -> None:
    """Two hidden units, one output: x₁ − x₂ = 0.2. The shortest choice (0.1, −0.1) is outside (0, 1); the one farthest from
    the ends is (0.6, 0.4)."""
    W, b = [np.eye(2), np.array([[1.0], [-1.0]])], [np.zeros(2), np.zeros(1)]
    targets = np.array([[sigmoid(0.2)]])
    answer = invert(client, **request(W, b, convention, targets=written(targets, convention)))
    assert answer["feasible"]
    assert answer["layers"]["2"]["repaired"] == [0]
    close(np.ravel(answer["layers"]["1"]["hidden_image"]), [0.6, 0.4], rtol=1e-9)
    close(np.ravel(answer["inputs"]), logit(np.array([0.6, 0.4])), rtol=1e-8)
    assert answer["error"] < 1e-12


def test_where_no_choice_is_inside_there_is_no_inverse(client: httpx.Client) -> None:
    """x₁ − x₂ = 1.5 has no solution in the unit square."""
    W, b = [np.eye(2), np.array([[1.0], [-1.0]])], [np.zeros(2), np.zeros(1)]
    answer = invert(client, **request(W, b, "row", targets=[[float(sigmoid(1.5))]]))
    assert not answer["feasible"]
    assert answer["conclusive"]
    assert answer["layers"]["2"]["repaired"] == []
    assert "outside the range of sigmoid" in answer["layers"]["1"]["why"]


def test_a_choice_above_makes_a_failure_inconclusive(client: httpx.Client) -> None:
    """1-2-1 has many hidden images for an output, and most of them are off the curve that the first layer draws."""
    W, b = [np.array([[1.0, 2.0]]), np.array([[1.0], [1.0]])], [np.zeros(2), np.zeros(1)]
    asked = request(W, b, "row", targets=forward(np.array([[0.8]]), W, b))
    answer = invert(client, **asked)
    assert not answer["feasible"]
    assert not answer["conclusive"]
    close(invert(client, **asked, reference=[[0.8]])["inputs"], [[0.8]], rtol=1e-8)


@pytest.mark.parametrize("activation", ["tanh", "leaky_relu", "elu", "selu", "softplus", "softsign", "identity", "exp"])
def test_every_invertible_function(client: httpx.Client, activation: str) -> None:
    W, b = weights(3, 3, 3, scale=0.5)
    asked = request(W, b, "row", activation)
    X = GENERATOR.uniform(-1, 1, (4, 3))
    targets = post(client, "/v1/forward", **asked, batch={"inputs": X})["output"]
    answer = invert(client, **asked, targets=targets)
    assert answer["feasible"]
    close(answer["inputs"], X, rtol=1e-6, atol=1e-8)


def test_functions_as_layers_of_their_own_and_float32(client: httpx.Client) -> None:
    W, b = weights(3, 2)
    layers = [{"kind": "dense", "units": 2}, {"kind": "activation", "function": "tanh", "gain": 0.5}]
    asked = {"network": {"layers": layers}, "parameters": {"1": {"weight": W[0], "bias": b[0]}}}
    for dtype, tolerance in (("float64", 1e-13), ("float32", 1e-6)):
        answer = invert(client, **asked, targets=[[0.3, -0.7]], dtype=dtype)
        assert answer["dtype"] == dtype
        close(np.tanh(0.5 * (np.array(answer["inputs"]) @ W[0] + b[0])), [[0.3, -0.7]], rtol=tolerance, atol=tolerance)


REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"network": {"layers": [{"kind": "dense", "units": 1, "activation": "relu"}]}}, "unsupported-operator",
     "#/network/layers/0", "relu, which gives several arguments one value"),
    ({"network": {"layers": [{"kind": "layer_norm"}]}}, "unsupported-operator", "#/network/layers/0", "'1' is layer_norm"),
    ({"network": {"layers": [{"kind": "dense", "units": 2}, {"kind": "dense", "units": 1, "inputs": ["input"]}]}},
     "unsupported-operator", "#/network/layers/1", "reads 'input'"),
    ({"targets": [[0.1, 0.2]]}, "shape-mismatch", "#/targets", "targets has shape [1, 2]"),
    ({"targets": None}, "invalid-request", "#/targets", "no targets"),
    ({"reference": [[1, 2, 3]]}, "shape-mismatch", "#/reference", "[1, 2]; the reference has shape [1, 3]"),
    ({"parameters": {}}, "missing-parameters", "#/parameters", "first weight"),
    ({"parameters": {"1": {"weight": [[1, 2]], "bias": [0]}}}, "shape-mismatch", "#/parameters/1/weight", "[1, 1]"),
    ({"tolerance": 0}, "invalid-request", "#/tolerance", ""),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "code", "pointer", "words"), REFUSED)
def test_refusals_name_the_place(
    client: httpx.Client, changed: dict[str, Any], code: str, pointer: str, words: str
) -> None:
    asked: dict[str, Any] = {
        "network": {"layers": [{"kind": "dense", "units": 1}]},
        "parameters": {"1": {"weight": [[1], [2]], "bias": [0]}},
        "targets": [[0.1]],
        "convention": "row",
        **changed,
    }
    body = {name: value for name, value in asked.items() if value is not None}
    response = client.post("/v1/invert", json=listed(body))
    assert response.status_code == 422
    errors = [error for error in response.json()["errors"] if error["pointer"] == pointer]
    assert errors, response.text
    assert errors[0]["code"] == code
    assert words in errors[0]["detail"]
