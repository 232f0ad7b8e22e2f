"""Several outputs of an ONNX file: one is chosen, or several are, or the refusal says what is behind each."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from tests.app.models.onnx_files.sample import model_of, nodes_of, normal
from tests.server import refused

pytestmark = pytest.mark.slow

NODES = [
    ("MatMul", "x fc.weight", "h"),
    ("Tanh", "h", "features"),
    ("MatMul", "features head.weight", "logits"),
    ("Softmax", "logits", "probabilities"),
    ("Softmax", "logits", "shares", {"axis": 0}),
    ("Round", "features", "rounded"),
    ("Hardmax", "rounded", "chosen"),
]
CONSTANTS = {"fc.weight": normal(3, 5), "head.weight": normal(5, 2)}
X = np.linspace(-1, 1, 12).reshape(4, 3)


def with_outputs(*names: str) -> bytes:
    """A file with these outputs."""
    model = onnx.load_from_string(model_of(nodes_of(NODES), CONSTANTS, {"x": ["n", 3]}))
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in names)
    return bytes(model.SerializeToString())


def sent(client: httpx.Client, content: bytes, **query: str) -> httpx.Response:
    return client.post("/v1/models/import", content=content, params={"format": "onnx", **query})


@pytest.mark.parametrize(
    "names", [("features", "probabilities"), ("probabilities", "features"), ("logits", "features", "probabilities")]
)
def test_several_values_are_layers_of_their_names(client: httpx.Client, names: tuple[str, ...]) -> None:
    content = with_outputs("probabilities", "rounded")
    model = sent(client, content, outputs=",".join(names))
    assert model.status_code in (200, 201), model.text
    assert not model.json()["warnings"]  # All of them were compared with the file.
    asked: dict[str, Any] = {"model": model.json()["id"], "batch": {"inputs": X.tolist()}, "convention": "row"}
    answer = client.post("/v1/forward", json={**asked, "include": ["output", "activations"]}).json()
    computed: Any = ReferenceEvaluator(onnx.load_from_string(with_outputs(*names))).run(None, {"x": X})
    *others, last = computed
    np.testing.assert_allclose(answer["output"], last, atol=1e-12)
    for name, array in zip(names[:-1], others, strict=True):
        np.testing.assert_allclose(answer["activations"][name], array, atol=1e-12)


def test_the_refusal_lists_what_no_layer_has_behind_each_output(client: httpx.Client) -> None:
    response = sent(client, with_outputs("probabilities", "shares", "chosen"))
    (error,) = refused(response, 422, "unsupported-operator").errors
    assert error.got == ["probabilities", "shares", "chosen"]
    assert error.hint == (
        "Choose one with ?output=, or several with ?outputs=, of which the last is the network's: 'probabilities'; "
        "'shares' (needs Softmax, which no layer has); 'chosen' (needs Hardmax, Round, which no layer has)."
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"outputs": "features,"}, "is no list of different names"),
        ({"outputs": "features,features"}, "is no list of different names"),
        ({"outputs": "features", "output": "logits"}, "are both sent"),
    ],
)
def test_lists_that_are_none(client: httpx.Client, query: dict[str, str], words: str) -> None:
    (error,) = refused(sent(client, with_outputs("logits"), **query), 422, "invalid-request").errors
    assert words in error.detail
    assert error.pointer == "#/query/outputs"


def test_a_value_that_is_not_computed_and_one_that_has_no_layer(client: httpx.Client) -> None:
    (error,) = refused(sent(client, with_outputs("logits"), outputs="h,absent"), 422).errors
    assert "No node of the graph computes 'absent'" in error.detail
    errors = refused(sent(client, with_outputs("logits"), outputs="chosen,features"), 422).errors
    assert [error.got for error in errors] == [["rounded"], ["chosen"]]
