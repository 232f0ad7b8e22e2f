"""POST /v1/gradients and /v1/forward, as the contract says them, over a real socket."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import CLASSES, COLUMN, SKIP, XOR
from app.problem.schemas import GRADIENTS_PARTS


def gradients(client: httpx.Client, problem: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = client.post("/v1/gradients", json={**problem, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def shapes(value: Any) -> Any:
    return {key: shapes(item) for key, item in value.items()} if isinstance(value, dict) else np.shape(value)


def test_answers_with_the_parts_of_the_contract_by_default(client: httpx.Client) -> None:
    answer = gradients(client, XOR)
    parts = ["loss", "loss_terms", "loss_formula", "output", "activations", "deltas", "gradients"]
    assert list(answer) == [*parts, "convention", "dtype", "warnings"]
    assert shapes(answer["gradients"]) == shapes(XOR["parameters"])
    assert answer["loss_terms"] == {"data": answer["loss"], "l2": 0.0}


@pytest.mark.parametrize("part", GRADIENTS_PARTS)
def test_include_chooses_each_part(client: httpx.Client, part: str) -> None:
    answer = gradients(client, XOR, include=[part])
    assert part in answer
    assert not (set(GRADIENTS_PARTS) - {part}) & set(answer)


def test_layers_narrows_the_maps(client: httpx.Client) -> None:
    answer = gradients(client, XOR, layers=["out"])
    assert list(answer["activations"]) == list(answer["deltas"]) == list(answer["gradients"]) == ["out"]


def test_the_same_request_gives_the_same_bytes(client: httpx.Client) -> None:
    first, second = (client.post("/v1/gradients", json=CLASSES).content for _ in range(2))
    assert first == second


def test_a_seed_draws_parameters_that_give_the_same_gradients_when_sent_back(client: httpx.Client) -> None:
    drawn = gradients(client, CLASSES)
    without_seed = {key: value for key, value in CLASSES.items() if key != "seed"}
    assert gradients(client, without_seed, parameters=drawn["parameters"])["gradients"] == drawn["gradients"]
    assert shapes(drawn["parameters"]) == shapes(drawn["gradients"])


def test_the_certificate_is_independent_and_small(client: httpx.Client) -> None:
    certificate = gradients(client, CLASSES, verify=True)["certificate"]
    assert certificate["method"] == "complex_step"
    assert certificate["relative_error"] < 1e-14
    np.testing.assert_allclose(certificate["directional_derivative"], certificate["from_gradients"], rtol=1e-11)


def encoded(values: Any, dtype: str = "float64") -> dict[str, Any]:
    array = np.asarray(values, np.dtype(dtype).newbyteorder("<"))
    return {"dtype": dtype, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def decoded(tensor: dict[str, Any]) -> Any:
    flat = np.frombuffer(base64.b64decode(tensor["data"]), np.dtype(tensor["dtype"]).newbyteorder("<"))
    return flat.reshape(tensor["shape"])


def test_base64_both_ways_is_bit_for_bit_the_same(client: httpx.Client) -> None:
    parameters = {
        layer: {name: encoded(value) for name, value in named.items()} for layer, named in XOR["parameters"].items()
    }
    batch = {name: encoded(value) for name, value in XOR["batch"].items()}
    answer = gradients(client, XOR, parameters=parameters, batch=batch, encoding="base64")
    plain = gradients(client, XOR)
    for layer, named in plain["gradients"].items():
        for name, value in named.items():
            np.testing.assert_array_equal(decoded(answer["gradients"][layer][name]), value)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int32"])
def test_base64_of_every_type_is_what_its_numbers_are(client: httpx.Client, dtype: str) -> None:
    """The type of a tensor says how its numbers are written, not how the computation is done."""
    inputs = np.array([[1, 2], [-3, 4], [5, -6], [7, 8]]) / (4 if dtype.startswith("float") else 1)
    batch = {**XOR["batch"], "inputs": encoded(inputs, dtype)}
    plain = {**XOR["batch"], "inputs": inputs.tolist()}
    assert gradients(client, XOR, batch=batch) == gradients(client, XOR, batch=plain)


def test_base64_of_a_float32_answer_is_float32(client: httpx.Client) -> None:
    tensor = gradients(client, XOR, dtype="float32", encoding="base64")["gradients"]["1"]["weight"]
    assert tensor["dtype"] == "float32"
    plain = gradients(client, XOR, dtype="float32")["gradients"]["1"]["weight"]
    np.testing.assert_array_equal(decoded(tensor), np.array(plain, np.float32))


def test_three_conventions_give_the_same_numbers_transposed(client: httpx.Client) -> None:
    row = gradients(client, XOR)
    turned = {
        layer: {"weight": np.transpose(named["weight"]).tolist(), "bias": named["bias"]}
        for layer, named in XOR["parameters"].items()
    }
    torch = gradients(client, XOR, convention="torch", parameters=turned)
    batch = {name: np.transpose(value).tolist() for name, value in XOR["batch"].items()}
    column = gradients(client, XOR, convention="column", parameters=turned, batch=batch)
    for layer in row["gradients"]:
        for other in (torch, column):
            np.testing.assert_array_equal(
                np.transpose(other["gradients"][layer]["weight"]), row["gradients"][layer]["weight"]
            )
        np.testing.assert_array_equal(np.transpose(column["deltas"][layer]), row["deltas"][layer])
        np.testing.assert_array_equal(torch["deltas"][layer], row["deltas"][layer])


def test_a_flat_example_under_column_comes_back_as_a_column(client: httpx.Client) -> None:
    answer = gradients(client, COLUMN)
    assert np.shape(answer["output"]) == (2, 1)
    assert answer["certificate"]["relative_error"] < 1e-14


def test_class_numbers_equal_one_hot_rows(client: httpx.Client) -> None:
    one_hot = {**CLASSES, "batch": {"inputs": CLASSES["batch"]["inputs"], "targets": [[0, 0, 1], [1, 0, 0]]}}
    assert gradients(client, CLASSES) == gradients(client, one_hot)


def test_l2_is_a_term_of_its_own(client: httpx.Client) -> None:
    plain, regularised = gradients(client, XOR), gradients(client, XOR, loss={**XOR["loss"], "l2": 0.5})
    weights = {layer: np.array(named["weight"]) for layer, named in XOR["parameters"].items()}
    penalty = 0.25 * sum(np.sum(weight**2) for weight in weights.values())
    np.testing.assert_allclose(regularised["loss_terms"]["l2"], penalty, rtol=1e-15)
    np.testing.assert_allclose(regularised["loss"], plain["loss"] + penalty, rtol=1e-15)
    for layer, weight in weights.items():
        difference = np.subtract(regularised["gradients"][layer]["weight"], plain["gradients"][layer]["weight"])
        np.testing.assert_allclose(difference, 0.5 * weight, rtol=1e-13, atol=1e-16)
        assert regularised["gradients"][layer]["bias"] == plain["gradients"][layer]["bias"]


def test_sample_weights_repeat_examples(client: httpx.Client) -> None:
    weighted = gradients(client, XOR, batch={**XOR["batch"], "sample_weight": [2, 1, 0, 1]})
    repeated = {name: [value[0], value[0], value[1], value[3]] for name, value in XOR["batch"].items()}
    expected = gradients(client, XOR, batch=repeated)
    np.testing.assert_allclose(weighted["loss"], expected["loss"], rtol=1e-15)
    np.testing.assert_allclose(
        weighted["gradients"]["1"]["weight"], expected["gradients"]["1"]["weight"], rtol=1e-12, atol=1e-17
    )


def test_sample_weights_count_by_their_ratios_however_large_and_however_written(client: httpx.Client) -> None:
    def weighted(weights: Any) -> dict[str, Any]:
        return gradients(client, XOR, batch={**XOR["batch"], "sample_weight": weights})

    expected = weighted([1, 2, 1, 4])
    assert weighted([2.0**1022 * weight for weight in (0.5, 1, 0.5, 2)]) == expected
    assert weighted([2.0**-1070, 2.0**-1069, 2.0**-1070, 2.0**-1068]) == expected
    tenths = np.array([0.1, 0.2, 0.3, 0.7], np.float32)
    assert weighted(encoded(tenths, "float32")) == weighted(tenths.astype(float).tolist())


@pytest.mark.parametrize("first", [0, 1, -3, 2**40, -(2**63), 2**63])
def test_class_numbers_count_from_the_first_label(client: httpx.Client, first: int) -> None:
    batch = {"inputs": CLASSES["batch"]["inputs"][:1], "targets": [first], "first_label": first}
    one_hot = {"inputs": CLASSES["batch"]["inputs"][:1], "targets": [[1, 0, 0]]}
    assert gradients(client, CLASSES, batch=batch) == gradients(client, CLASSES, batch=one_hot)


def test_upstream_has_no_loss(client: httpx.Client) -> None:
    assert not {"loss", "loss_terms"} & set(gradients(client, SKIP, include=["loss", "output", "gradients"]))


def test_float32_is_printed_in_its_own_shortest_form(client: httpx.Client) -> None:
    response = client.post("/v1/gradients", json={**XOR, "dtype": "float32"})
    weight = json.loads(response.text, parse_float=str)["gradients"]["1"]["weight"][0][0]
    assert np.float32(weight) == np.float32(gradients(client, XOR, dtype="float32")["gradients"]["1"]["weight"][0][0])
    assert float(weight) == float(np.format_float_positional(np.float32(weight), unique=True))
    np.testing.assert_allclose(float(weight), gradients(client, XOR)["gradients"]["1"]["weight"][0][0], rtol=1e-4)


def test_named_inputs_have_named_gradients(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "multiply", "inputs": ["a", "b"]}]},
        "batch": {"inputs": {"a": [[2, 3]], "b": [[5, 7]]}, "upstream": [[1, 1]]},
        "loss": {"kind": "upstream"},
        "include": ["input_gradient"],
    }
    assert gradients(client, problem)["input_gradient"] == {"a": [[5, 7]], "b": [[2, 3]]}


def test_square_weights_without_a_convention_warn(client: httpx.Client) -> None:
    problem = {
        "network": {"layers": [{"kind": "dense", "units": 2, "bias": False}]},
        "parameters": {"1": {"weight": [[1, 2], [3, 4]]}},
        "batch": {"inputs": [[1, 0], [0, 1], [1, 1]], "targets": [[0, 0], [0, 0], [0, 0]]},
        "loss": {"kind": "half_squared_error"},
    }
    assert [warning["code"] for warning in gradients(client, problem)["warnings"]] == ["ambiguous-convention"]
    assert gradients(client, problem, convention="row")["warnings"] == []


def test_compressed_both_ways(client: httpx.Client) -> None:
    body = gzip.compress(json.dumps(CLASSES | {"include": ["gradients", "activations"]}).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", "Accept-Encoding": "zstd"}
    response = client.post("/v1/gradients", content=body, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-encoding"] == "zstd"
    assert response.json() == gradients(client, CLASSES, include=["gradients", "activations"])
