"""Perceptrons of scikit-learn as skl2onnx writes them: ?output=probabilities leaves the labels out."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests import ROOT
from tests.app.models.onnx_files.sample import output_of
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


def test_the_outputs_are_listed_where_there_are_several(client: httpx.Client) -> None:
    content = (FOLDER / "three_classes.onnx").read_bytes()
    (error,) = refused(client.post("/v1/models/import", content=content, params={"format": "onnx"}), 422).errors
    assert "'label' (needs ArgMax" in (error.hint or "")
    assert "'probabilities'" in (error.hint or "")
    query = {"format": "onnx", "output": "prob"}
    (error,) = refused(client.post("/v1/models/import", content=content, params=query), 422).errors
    assert "No node of the graph computes 'prob'" in error.detail
