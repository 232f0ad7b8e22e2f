"""Models go out as files and come in again, the same; state_dicts come in with their gradients."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import numpy as np
import pytest
import safetensors.numpy

from core.arrays import Array
from tests.server import refused

CNN = {
    "network": {
        "layers": [
            {"kind": "conv2d", "filters": 2, "kernel_size": 3, "padding": 1, "activation": "relu", "name": "0"},
            {"kind": "batch_norm", "name": "2", "mode": "eval"},
            {"kind": "max_pool2d", "size": 2, "name": "3"},
            {"kind": "flatten", "name": "4"},
            {"kind": "dense", "units": 3, "activation": "softmax", "name": "5"},
        ]
    }
}


def cnn_state_dict(dtype: type = np.float64) -> dict[str, Array]:
    random = np.random.default_rng(3)
    return {
        "0.weight": random.normal(size=(2, 1, 3, 3)).astype(dtype),
        "0.bias": random.normal(size=2).astype(dtype),
        "2.weight": random.normal(size=2).astype(dtype),
        "2.bias": random.normal(size=2).astype(dtype),
        "2.running_mean": random.normal(size=2).astype(dtype),
        "2.running_var": random.uniform(0.5, 2, 2).astype(dtype),
        "5.weight": random.normal(size=(3, 8)).astype(dtype),
        "5.bias": random.normal(size=3).astype(dtype),
    }


def mlp_state_dict(dtype: type = np.float64) -> dict[str, Array]:
    random = np.random.default_rng(4)
    shapes = {"0.weight": (5, 3), "0.bias": (5,), "2.weight": (4, 5), "2.bias": (4,), "10.weight": (2, 4)}
    return {name: random.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def imported(client: httpx.Client, content: bytes, form: str, **query: Any) -> dict[str, Any]:
    response = client.post("/v1/models/import", content=content, params={"format": form, **query})
    assert response.status_code in (200, 201), response.text
    assert response.headers["location"] == f"/v1/models/{response.json()['id']}"
    answer: dict[str, Any] = response.json()
    return answer


def exported(client: httpx.Client, identity: str, form: str, **query: Any) -> httpx.Response:
    response = client.get(f"/v1/models/{identity}/export", params={"format": form, **query})
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"] == f'attachment; filename="{identity}.{form}"'
    return response


def opened(content: bytes, form: str) -> dict[str, Array]:
    if form == "safetensors":
        return safetensors.numpy.load(content)
    arrays = dict(np.load(io.BytesIO(content), allow_pickle=False))
    del arrays["gradd"]
    return arrays


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", ["safetensors", "npz"])
@pytest.mark.parametrize("network", ["metadata", "query"])
def test_a_state_dict_comes_in_and_goes_out_unchanged(
    client: httpx.Client, dtype: type, form: str, network: str
) -> None:
    tensors = cnn_state_dict(dtype)
    counter = {"2.num_batches_tracked": np.array(7)}
    metadata = {"gradd": json.dumps(CNN)} if network == "metadata" else None
    if form == "safetensors":
        content = safetensors.numpy.save(tensors | counter, metadata)
    else:
        file = io.BytesIO()
        extra = {"gradd": np.frombuffer(metadata["gradd"].encode(), np.uint8)} if metadata else {}
        np.savez(file, **tensors, **counter, **extra)  # type: ignore[arg-type]
        content = file.getvalue()
    query = {"network": json.dumps(CNN["network"])} if network == "query" else {}
    model = imported(client, content, form, **query)
    found = opened(exported(client, model["id"], form, convention="torch").content, form)
    assert found.keys() == tensors.keys()
    for name, array in tensors.items():
        assert found[name].dtype == dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("form", ["safetensors", "npz", "json"])
@pytest.mark.parametrize("convention", ["row", "column", "torch"])
def test_what_goes_out_comes_in_as_the_same_model(client: httpx.Client, form: str, convention: str) -> None:
    content = safetensors.numpy.save(cnn_state_dict(), {"gradd": json.dumps(CNN)})
    identity = imported(client, content, "safetensors")["id"]
    file = exported(client, identity, form, convention=convention).content
    assert imported(client, file, form)["id"] == identity
    assert exported(client, identity, form, convention=convention).content == file


def test_an_exported_message_may_be_posted_as_a_model(client: httpx.Client) -> None:
    content = safetensors.numpy.save(cnn_state_dict(), {"gradd": json.dumps(CNN)})
    identity = imported(client, content, "safetensors")["id"]
    file = exported(client, identity, "safetensors")
    headers = {"Content-Type": file.headers["content-type"]}
    assert client.post("/v1/models", content=file.content, headers=headers).json()["id"] == identity


def test_a_chain_of_dense_layers_is_told_from_its_shapes(client: httpx.Client) -> None:
    """Its gradients are those of the formulas of a tanh network with a softmax and cross-entropy, written out."""
    tensors = mlp_state_dict()
    query = {"activation": "tanh", "output_activation": "softmax"}
    model = imported(client, safetensors.numpy.save(tensors), "safetensors", **query)
    assert model["warnings"] == []
    assert [layer.get("name") for layer in model["network"]["layers"]] == ["0", None, "10"]
    X, labels = np.random.default_rng(5).normal(size=(6, 3)), [0, 1, 1, 0, 1, 0]
    asked = {
        "batch": {"inputs": X.tolist(), "targets": labels},
        "loss": {"kind": "cross_entropy"},
        "convention": "torch",
    }
    answer = client.post("/v1/gradients", json={**asked, "model": model["id"]}).json()

    A = [X]
    A += [np.tanh(A[0] @ tensors["0.weight"].T + tensors["0.bias"])]
    A += [np.tanh(A[1] @ tensors["2.weight"].T + tensors["2.bias"])]
    exponentials = np.exp(A[2] @ tensors["10.weight"].T)
    delta = (exponentials / exponentials.sum(axis=1, keepdims=True) - np.eye(2)[labels]) / 6
    expected = {"10.weight": delta.T @ A[2]}
    delta = delta @ tensors["10.weight"] * (1 - A[2] ** 2)
    expected |= {"2.weight": delta.T @ A[1], "2.bias": delta.sum(axis=0)}
    delta = delta @ tensors["2.weight"] * (1 - A[1] ** 2)
    expected |= {"0.weight": delta.T @ A[0], "0.bias": delta.sum(axis=0)}
    for name, gradient in expected.items():
        layer, _, parameter = name.rpartition(".")
        np.testing.assert_allclose(answer["gradients"][layer][parameter], gradient, rtol=1e-12, atol=1e-14)


def test_what_a_state_dict_does_not_say_is_warned_of(client: httpx.Client) -> None:
    model = imported(client, safetensors.numpy.save(mlp_state_dict()), "safetensors")
    assert [warning["code"] for warning in model["warnings"]] == ["assumed-activation"]
    names = {"0": "a", "2": "b", "10": "c"}
    named = {f"{names[key.split('.')[0]]}.{key.split('.')[1]}": array for key, array in mlp_state_dict().items()}
    model = imported(client, safetensors.numpy.save(named), "safetensors", activation="relu")
    assert [warning["code"] for warning in model["warnings"]] == ["assumed-order"]
    assert "a, b, c" in model["warnings"][0]["detail"]


def test_batch_norm_among_dense_layers_is_told_by_its_statistics(client: httpx.Client) -> None:
    tensors = mlp_state_dict()
    tensors |= {f"1.{name}": np.full(5, 2.0) for name in ("weight", "bias", "running_mean", "running_var")}
    model = imported(client, safetensors.numpy.save(tensors), "safetensors", activation="relu")
    assert [(layer["kind"], layer.get("activation")) for layer in model["network"]["layers"]] == [
        ("dense", None), ("batch_norm", "relu"), ("dense", "relu"), ("dense", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tensors", "query", "slug", "pointer"),
    [
        (cnn_state_dict(), {}, "unsupported-operator", "#/0"),
        ({"weight": np.ones((2, 2))}, {}, "unsupported-operator", "#/"),
        ({"0.weight": np.ones((2, 3)), "1.weight": np.ones((2, 3))}, {}, "shape-mismatch", "#/1"),
        ({"0.weight": np.ones((2, 3))}, {"activation": "rely"}, "unknown-name", "#/query/activation"),
        ({"0.weight": np.ones((2, 3))}, {"network": "{"}, "malformed-json", "#/query/network"),
        ({"0.weight": np.ones((2, 3))}, {"network": '{"layers": [{"kind": "dens"}]}'}, None, "#/query/network"),
        (cnn_state_dict() | {"7.weight": np.ones(1)}, {"network": json.dumps(CNN["network"])}, "unknown-name", "#/7.weight"),
        ({"0.weight": np.ones((9, 9))}, {"network": '{"layers": [{"kind": "dense", "units": 2, "name": "0"}]}'},
         "shape-mismatch", "#/parameters/0/weight"),
        ({}, {}, "invalid-request", "#"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(
    client: httpx.Client, tensors: dict[str, Any], query: dict[str, str], slug: str | None, pointer: str
) -> None:
    content = safetensors.numpy.save(tensors)
    response = client.post("/v1/models/import", content=content, params={"format": "safetensors", **query})
    problem = refused(response, response.status_code, slug)
    assert response.status_code in (400, 422)
    assert problem.errors[0].pointer.startswith(pointer)


@pytest.mark.parametrize("form", ["safetensors", "npz", "json"])
@pytest.mark.parametrize("content", [b"", b"\0", b"nonsense", b"PK\x03\x04", b"\xff" * 100, b"{" * 100])
def test_what_is_no_file_is_refused(client: httpx.Client, form: str, content: bytes) -> None:
    response = client.post("/v1/models/import", content=content, params={"format": form})
    refused(response, response.status_code)
    assert response.status_code in (400, 422)


def test_a_format_that_does_not_exist_and_a_model_that_does_not(client: httpx.Client) -> None:
    refused(client.post("/v1/models/import", content=b""), 422, "invalid-request")
    refused(client.post("/v1/models/import", content=b"", params={"format": "pickle"}), 422, "invalid-request")
    refused(client.get("/v1/models/mdl_no/export", params={"format": "npz"}), 404, "not-found")
    refused(client.get("/v1/models/mdl_no/export"), 422, "invalid-request")


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_recurrent_layers_have_torch_names(client: httpx.Client, kind: str) -> None:
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kind]
    random = np.random.default_rng(6)
    shapes = {
        "weight_ih_l0": (2 * gates, 3),
        "weight_hh_l0": (2 * gates, 2),
        "bias_ih_l0": (2 * gates,),
        "bias_hh_l0": (2 * gates,),
    }
    tensors = {f"r.{name}": random.normal(size=shape) for name, shape in shapes.items()}
    network = json.dumps({"layers": [{"kind": kind, "units": 2, "name": "r"}]})
    model = imported(client, safetensors.numpy.save(tensors), "safetensors", network=network)
    shown = client.get(f"/v1/models/{model['id']}", params={"convention": "torch"}).json()["parameters"]["r"]
    np.testing.assert_array_equal(shown["recurrent_weight"], tensors["r.weight_hh_l0"])
    if kind == "gru":
        np.testing.assert_array_equal(shown["recurrent_bias"], tensors["r.bias_hh_l0"])
    else:
        np.testing.assert_array_equal(shown["bias"], tensors["r.bias_ih_l0"] + tensors["r.bias_hh_l0"])


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_both_directions_have_torchs_names_and_come_back(client: httpx.Client, kind: str) -> None:
    gates, random = {"rnn": 1, "lstm": 4, "gru": 3}[kind], np.random.default_rng(6)
    shapes = {
        "weight_ih": (2 * gates, 3),
        "weight_hh": (2 * gates, 2),
        "bias_ih": (2 * gates,),
        "bias_hh": (2 * gates,),
    }
    tensors = {
        f"r.{name}_l0{end}": random.normal(size=shape) for end in ("", "_reverse") for name, shape in shapes.items()
    }
    own = {"kind": kind, "units": 2, "name": "r", "bidirectional": True}
    network = json.dumps({"layers": [own | ({"gate_order": "nzr"} if kind == "gru" else {})]})
    model = imported(client, safetensors.numpy.save(tensors), "safetensors", network=network)
    back = safetensors.numpy.load(exported(client, model["id"], "safetensors", convention="torch").content)
    for end in ("", "_reverse"):
        first, second = (f"r.bias_{which}_l0{end}" for which in ("ih", "hh"))
        if kind != "gru":
            tensors[first] = tensors[first] + tensors.pop(second)
    assert set(back) == set(tensors)
    for name, array in tensors.items():
        np.testing.assert_array_equal(back[name], array, err_msg=name)


@pytest.mark.parametrize("convention", ["torch", "row"])
@pytest.mark.parametrize(("kind", "order", "of_torch"), [("lstm", "oifg", "ifgo"), ("gru", "zrn", "rzn")])
def test_gates_have_torchs_order_under_torchs_names(
    client: httpx.Client, kind: str, order: str, of_torch: str, convention: str
) -> None:
    random = np.random.default_rng(6)
    gates = {gate: random.normal(size=(2, 3)) for gate in of_torch}
    width = 2 * len(of_torch)
    tensors = {
        "r.weight_ih_l0": np.concatenate([gates[gate] for gate in of_torch]),
        "r.weight_hh_l0": random.normal(size=(width, 2)),
        "r.bias_ih_l0": random.normal(size=width),
        "r.bias_hh_l0": np.zeros(width),
    }
    sent = {name: np.ascontiguousarray(array.T) if convention == "row" else array for name, array in tensors.items()}
    network = json.dumps({"layers": [{"kind": kind, "units": 2, "name": "r", "gate_order": order}]})
    model = imported(client, safetensors.numpy.save(sent), "safetensors", network=network, convention=convention)
    shown = client.get(f"/v1/models/{model['id']}", params={"convention": "torch"}).json()["parameters"]["r"]
    np.testing.assert_array_equal(shown["weight"], np.concatenate([gates[gate] for gate in order]))
    back = exported(client, model["id"], "safetensors", convention="torch")
    found = safetensors.numpy.load(back.content)
    for name in found:
        np.testing.assert_array_equal(found[name], tensors[name], err_msg=name)
