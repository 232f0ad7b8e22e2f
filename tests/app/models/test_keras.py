"""Files that Keras wrote come in as models that give the outputs which Keras gave."""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from core.arrays import Array
from tests.server import refused

FILES = Path(__file__).with_name("keras_files")
ANSWERS: dict[str, Array] = dict(np.load(FILES / "answers.npz"))
HAS_H5PY = importlib.util.find_spec("h5py") is not None
with_h5py = pytest.mark.skipif(not HAS_H5PY, reason="h5py is an extra of this project")


def content(name: str) -> bytes:
    if name.endswith(".h5"):
        return gzip.decompress((FILES / f"{name}.gz").read_bytes())
    return (FILES / name).read_bytes()


def send(client: httpx.Client, body: bytes, **query: Any) -> httpx.Response:
    return client.post("/v1/models/import", content=body, params={"format": "keras", **query})


def output(client: httpx.Client, model: str, inputs: Any) -> Array:
    response = client.post("/v1/forward", json={"model": model, "batch": {"inputs": inputs}, "convention": "row"})
    assert response.status_code == 200, response.text
    return np.array(response.json()["output"])


def first(images: Array) -> Any:
    return np.moveaxis(images, -1, 1).tolist()


@with_h5py
@pytest.mark.parametrize("name", ["images.keras", "images.h5"])
def test_images_have_their_channels_first(client: httpx.Client, name: str) -> None:
    model = send(client, content(name)).json()
    assert [warning["code"] for warning in model["warnings"]] == ["assumed-channels", "assumed-evaluation"]
    found = output(client, model["id"], first(ANSWERS["images.input0"]))
    np.testing.assert_allclose(found, ANSWERS["images.output"], rtol=2e-5, atol=1e-6)


@with_h5py
def test_a_graph_with_two_inputs(client: httpx.Client) -> None:
    model = send(client, content("branches.keras")).json()
    inputs = {"image": first(ANSWERS["branches.input0"]), "vector": ANSWERS["branches.input1"].tolist()}
    np.testing.assert_allclose(output(client, model["id"], inputs), ANSWERS["branches.output"], rtol=2e-5, atol=1e-6)


@with_h5py
@pytest.mark.parametrize("name", ["words.keras", "words.h5"])
def test_recurrent_layers_have_keras_order_of_gates(client: httpx.Client, name: str) -> None:
    model = send(client, content(name)).json()
    assert model["warnings"] == []
    found = output(client, model["id"], ANSWERS["words.input0"].tolist())
    np.testing.assert_allclose(found, ANSWERS["words.output"], rtol=2e-5, atol=1e-6)


IMAGES_NETWORK = [
    {"kind": "activation", "function": "identity", "gain": 0.25},
    {"kind": "conv2d", "filters": 3, "kernel_size": [3, 5], "padding": "same", "activation": "relu"},
    {"kind": "batch_norm", "mode": "eval", "epsilon": 1e-3},
    {"kind": "max_pool2d", "size": 3, "stride": 2, "padding": 1},
    {"kind": "conv2d", "filters": 4, "kernel_size": 2, "bias": False},
    {"kind": "activation", "function": "leaky_relu", "negative_slope": 0.2},
    {"kind": "flatten"},
    {"kind": "dense", "units": 5, "activation": "elu"},
    {"kind": "dense", "units": 3, "activation": "softmax"},
]
WORDS_NETWORK = [
    {"kind": "embedding", "vocabulary_size": 11, "units": 4},
    {"kind": "transpose"},
    {"kind": "conv1d", "filters": 3, "kernel_size": 2, "activation": "silu"},
    {"kind": "transpose"},
    {"kind": "lstm", "units": 3, "return_sequences": True},
    {"kind": "gru", "units": 4, "return_sequences": True, "gate_order": "zrh"},
    {"kind": "gru", "units": 3, "reset_after": False, "gate_order": "zrh"},
    {"kind": "dense", "units": 2},
]


@with_h5py
@pytest.mark.parametrize("file", ["weights.h5", "h5", "keras"])
@pytest.mark.parametrize(("name", "network"), [("images", IMAGES_NETWORK), ("words", WORDS_NETWORK)])
def test_weights_come_in_with_the_network_of_the_request(
    client: httpx.Client, name: str, network: list[dict[str, Any]], file: str
) -> None:
    model = send(client, content(f"{name}.{file}"), network=json.dumps({"layers": network})).json()
    given = ANSWERS[f"{name}.input0"]
    found = output(client, model["id"], first(given) if name == "images" else given.tolist())
    np.testing.assert_allclose(found, ANSWERS[f"{name}.output"], rtol=2e-5, atol=1e-6)


@with_h5py
def test_weights_alone_need_their_network(client: httpx.Client) -> None:
    assert "network" in refused(send(client, content("words.weights.h5")), 422).errors[0].detail
    network = json.dumps({"layers": [{"kind": "dense", "units": 2}]})
    detail = refused(send(client, content("words.weights.h5"), network=network), 422).errors[0].detail
    assert "1 (dense)" in detail
    assert "embedding ([[11, 4]])" in detail


def changed(name: str, change: Any) -> bytes:
    """Return a .keras file whose configuration is changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(FILES / name) as source, zipfile.ZipFile(file, "w") as target:
        for member in source.namelist():
            body = source.read(member)
            if member == "config.json":
                config = json.loads(body)
                change(config)
                body = json.dumps(config).encode()
            target.writestr(member, body)
    return file.getvalue()


def lay(number: int, **fields: Any) -> Any:
    def change(config: dict[str, Any]) -> None:
        layer = config["config"]["layers"][number]
        layer.update({key: value for key, value in fields.items() if key in layer})
        layer["config"].update({key: value for key, value in fields.items() if key not in layer})

    return change


@with_h5py
def test_a_pool_of_which_one_side_is_padded(client: httpx.Client) -> None:
    content = changed("images.keras", lay(4, pool_size=[2, 2]))
    model = send(client, content).json()
    (pool,) = [layer for layer in model["network"]["layers"] if layer["kind"] == "max_pool2d"]
    assert pool["padding"] == [0, 0, 1, 1]
    asked = {"model": model["id"], "batch": {"inputs": first(ANSWERS["images.input0"])}, "include": ["activations"]}
    found = client.post("/v1/forward", json=asked).json()["activations"]
    read = np.array(found["batch_normalization"])
    padded = np.pad(read, [(0, 0), (0, 0), (0, 1), (0, 1)], constant_values=-np.inf)  # Keras pads behind an image.
    windows = padded.reshape(*padded.shape[:2], padded.shape[2] // 2, 2, padded.shape[3] // 2, 2)
    np.testing.assert_array_equal(np.array(found[pool["name"]]), windows.max(axis=(3, 5)))


@with_h5py
def test_every_layer_without_a_counterpart_is_named_in_one_answer(client: httpx.Client) -> None:
    def change(config: dict[str, Any]) -> None:
        lay(1, class_name="Lambda")(config)
        lay(3, class_name="Dense", module="mine", registered_name="mine>Dense")(config)
        lay(7, class_name="Lambda")(config)

    problem = refused(send(client, changed("images.keras", change)), 422, "unsupported-operator")
    details = [error.detail for error in problem.errors]
    assert len(details) == 2
    assert details[0].startswith("Lambda ('rescaling', 'flatten'")
    assert details[1].startswith("mine.Dense ('batch_normalization')")


@with_h5py
@pytest.mark.parametrize(
    ("name", "number", "fields"),
    [
        ("images.keras", 2, {"data_format": "channels"}),
        ("images.keras", 2, {"padding": "causal"}),
        ("images.keras", 2, {"strides": [1, 0]}),
        ("images.keras", 2, {"strides": "2"}),
        ("images.keras", 2, {"groups": 0}),
        ("images.keras", 2, {"filters": 2**40}),
        ("images.keras", 2, {"kernel_size": [5, 3]}),
        ("images.keras", 2, {"activation": {"class_name": "function", "config": "mine", "registered_name": "mine"}}),
        ("images.keras", 3, {"axis": 0}),
        ("images.keras", 3, {"axis": "x"}),
        ("images.keras", 3, {"epsilon": "x"}),
        ("images.keras", 4, {"class_name": "AveragePooling2D"}),
        ("images.keras", 0, {"batch_shape": None}),
        ("images.keras", 1, {"scale": [1, 2]}),
        ("images.keras", 7, {"data_format": "channels_first"}),
        ("images.keras", 10, {"units": True}),
        ("words.keras", 1, {"mask_zero": True}),
        ("words.keras", 3, {"recurrent_activation": "hard_sigmoid"}),
        ("words.keras", 3, {"go_backwards": True}),
        ("words.keras", 4, {"reset_after": False}),
        ("branches.keras", 1, {"inbound_nodes": []}),
        ("branches.keras", 5, {"inbound_nodes": [{"args": [], "kwargs": {}}] * 2}),
    ],
)
def test_an_option_without_a_counterpart_is_refused(
    client: httpx.Client, name: str, number: int, fields: dict[str, Any]
) -> None:
    refused(send(client, changed(name, lay(number, **fields))), 422, "unsupported-operator")


@with_h5py
@pytest.mark.parametrize("size", [0, 8, 100, 1000, 2500])
@pytest.mark.parametrize("name", ["words.weights.h5", "words.h5", "words.keras"])
def test_a_damaged_file_is_refused(client: httpx.Client, name: str, size: int) -> None:
    whole = content(name)
    response = send(client, whole[:size])
    assert response.status_code == 422, response.text
    random = np.random.default_rng(size)
    body = bytearray(whole)
    for position in random.integers(0, len(body), 200):
        body[position] = random.integers(0, 256)
    assert send(client, bytes(body)).status_code in (200, 201, 422)


@pytest.mark.skipif(HAS_H5PY, reason="h5py is here")
def test_without_h5py_the_extra_is_named(client: httpx.Client) -> None:
    problem = refused(send(client, content("words.keras")), 422, "unsupported-operator")
    assert "the extra keras" in (problem.errors[0].hint or "")


@with_h5py
def test_no_other_file_is_opened(client: httpx.Client, tmp_path: Path) -> None:
    import h5py

    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["layers/dense/vars/0"] = np.ones((2, 2), np.float32)
    for link in (h5py.ExternalLink(str(secret), "layers"), h5py.SoftLink("/elsewhere")):
        body = io.BytesIO()
        with h5py.File(body, "w") as file:
            file["elsewhere/dense/vars/0"] = np.ones((2, 2), np.float32)
            file["layers"] = link
        network = json.dumps({"layers": [{"kind": "dense", "units": 2, "bias": False}]})
        assert "link" in refused(send(client, body.getvalue(), network=network), 422).errors[0].detail
    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        file.create_dataset("layers/dense/vars/0", (2, 2), "f4", external=[(str(tmp_path / "raw"), 0, 16)])
    assert "another file" in refused(send(client, body.getvalue(), network=network), 422).errors[0].detail


@with_h5py
def test_a_bomb_is_refused_before_it_takes_memory(client: httpx.Client) -> None:
    import h5py

    body = io.BytesIO()
    with h5py.File(body, "w") as file:
        file.create_dataset("layers/dense/vars/0", (2**40, 2**10), "f4", chunks=(1024, 1024))
    network = json.dumps({"layers": [{"kind": "dense", "units": 1024, "bias": False}]})
    assert (
        "more than this server takes" in refused(send(client, body.getvalue(), network=network), 422).errors[0].detail
    )
