"""Perceptrons of scikit-learn as skl2onnx writes them: ?output=probabilities leaves the labels out."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests import ROOT
from tests.app.models.onnx_files.sample import evaluated, model_of, nodes_of, normal, output_of
from tests.server import refused

pytestmark = pytest.mark.slow

FOLDER = ROOT / "tests" / "app" / "models" / "files" / "sklearn"


@pytest.mark.parametrize("name", ["three_classes", "two_classes", "scaled", "regressor"])
def test_a_perceptron_predicts_what_scikit_learn_predicts(client: httpx.Client, name: str) -> None:
    query = {"format": "onnx"} | ({} if name == "regressor" else {"output": "probabilities"})
    response = client.post("/v1/models/import", content=(FOLDER / f"{name}.onnx").read_bytes(), params=query)
    assert response.status_code in (200, 201), response.text
    arrays = np.load(FOLDER / f"{name}.npz")
    found = output_of(client, response.json()["id"], arrays["X"].astype(np.float64))
    np.testing.assert_allclose(found, arrays["Z"], rtol=1e-5, atol=1e-6)


def test_a_regressor_of_several_targets_comes_in_without_the_reshape_at_its_end(client: httpx.Client) -> None:
    """skl2onnx (1.20) writes the shape [-1, 1] whatever the number of targets, so that the examples are not told apart."""
    constants = {
        "coefficient": normal(4, 6), "intercepts": normal(1, 6), "coefficient1": normal(6, 2), "intercepts1": normal(1, 2),
        "shape_tensor": np.array([-1, 1]),
    }  # fmt: skip
    body = [
        ("MatMul", "x coefficient", "mul_result"), ("Add", "mul_result intercepts", "add_result"),
        ("Sigmoid", "add_result", "next_activations"), ("MatMul", "next_activations coefficient1", "mul_result1"),
        ("Add", "mul_result1 intercepts1", "{}"),
    ]  # fmt: skip
    written = [(*node[:2], node[2].format("add_result1")) for node in body]
    content = model_of(nodes_of([*written, ("Reshape", "add_result1 shape_tensor", "y")]), constants, {"x": ["n", 4]})
    (error,) = refused(client.post("/v1/models/import", content=content), 422, "unsupported-operator").errors
    assert error.hint == "The graph up to what its last node reads comes in with ?output=add_result1."
    model = client.post("/v1/models/import", content=content, params={"output": "add_result1"})
    assert model.status_code in (200, 201), model.text
    direct = model_of(nodes_of([(*node[:2], node[2].format("y")) for node in body]), constants, {"x": ["n", 4]})
    X = normal(5, 4)
    np.testing.assert_allclose(output_of(client, model.json()["id"], X), evaluated(direct, x=X), atol=1e-12)


def test_the_outputs_are_listed_where_there_are_several(client: httpx.Client) -> None:
    content = (FOLDER / "three_classes.onnx").read_bytes()
    (error,) = refused(client.post("/v1/models/import", content=content, params={"format": "onnx"}), 422).errors
    assert "'label' (needs ArgMax" in (error.hint or "")
    assert "'probabilities'" in (error.hint or "")
    query = {"format": "onnx", "output": "prob"}
    (error,) = refused(client.post("/v1/models/import", content=content, params=query), 422).errors
    assert "No node of the graph computes 'prob'" in error.detail
