"""Both generated clients against a live server: the README's first request, and a refusal."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import httpx
import numpy as np
import pytest

from app.examples import XOR
from tests.clients.driving import NODE, OPENAPI, PYTHON, TYPESCRIPT, driven, generated

pytestmark = generated


@pytest.fixture
def expected(server: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.post(f"{server}/v1/gradients", json=XOR).raise_for_status().json()
    return answer


def assert_same(answer: dict[str, Any], expected: dict[str, Any]) -> None:
    assert answer["loss"] == expected["loss"]
    assert answer["gradients"] == expected["gradients"]
    assert answer["error"] < 1e-14
    assert answer["problem"]["type"] == "/problems/missing-parameters"
    assert "#/parameters/out/weight" in answer["problem"]["pointers"]


def test_python_client_gets_the_same_gradients_and_the_problem(server: str, expected: dict[str, Any]) -> None:
    answer = driven([sys.executable, str(OPENAPI.parent / "examples" / "python_client.py"), server])
    assert_same(answer, expected)
    assert np.shape(answer["gradients"]["1"]["weight"]) == (2, 3)


def test_typescript_client_gets_the_same_gradients_and_the_problem(server: str, expected: dict[str, Any]) -> None:
    answer = driven([str(NODE), str(OPENAPI / "typescript" / "example.ts"), server])
    assert_same(answer, expected)
    assert answer["sizes"] == [3, 1]


INVERSION = """
import json, sys
import numpy as np
from gradd_client import Client, Dense
with Client(sys.argv[1]) as gradd:
    found = gradd.invert(
        [Dense(units=1, activation="tanh")], [[0.3]], reference=[[1.0, 0.0]],
        parameters={"1": {"weight": np.array([[1.0], [2.0]]), "bias": np.array([0.5])}}, convention="row",
    )
    print(json.dumps([found.feasible, found.inputs.tolist(), found.layers["1"].null_space.tolist()]))
"""


def test_python_client_inverts_a_network(server: str) -> None:
    feasible, inputs, null_space = driven([sys.executable, "-c", INVERSION, server])
    assert feasible is True
    np.testing.assert_allclose(np.tanh(np.array(inputs) @ [1, 2] + 0.5), [0.3], rtol=1e-13)
    np.testing.assert_allclose(np.abs(np.array(null_space) @ [1, 2]), 0, atol=1e-15)


KEEPING = """
import json, sys
import numpy as np
from gradd_client import Client, Dense, HalfSquaredError, Problem
W, X, Y = np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]])
with Client(sys.argv[1]) as gradd:
    network = [Dense(units=2, activation="tanh", bias=False)]
    made = gradd.save_model(network, parameters={"1": {"weight": W}}, convention="row", name="kept", metadata={"a": 1})
    problem = {"batch": {"inputs": X, "targets": Y}, "loss": HalfSquaredError(), "convention": "row"}
    by_id = gradd.gradients(None, model=made.id, **problem)
    inline = gradd.gradients(network, parameters={"1": {"weight": W}}, **problem)
    assert np.array_equal(by_id.gradients["1"]["weight"], inline.gradients["1"]["weight"])
    assert np.array_equal(gradd.model(made.id, convention="torch").parameters["1"]["weight"], W.T)
    assert gradd.change_model(made.id, name="renamed").metadata == {"a": 1}
    assert made.id in [model.id for model in gradd.models()]
    for form in ("safetensors", "npz", "onnx", "json"):
        assert gradd.import_model(gradd.export_model(made.id, form), form).id == made.id
    gradd.delete_model(made.id)
    try:
        gradd.model(made.id)
    except Problem as problem:
        status = problem.status
    data = gradd.save_dataset(X, Y, name="one")
    file = gradd.upload_dataset(b"a,b,y\\n1,2,cat\\n3,4,dog\\n", "csv", targets=["y"], classes="one_hot", standardise=True)
    assert gradd.dataset(file.id).examples == 2
    assert {data.id, file.id} <= {each.id for each in gradd.datasets()}
    gradd.delete_dataset(data.id)
    gradd.delete_dataset(file.id)
print(json.dumps([made.name, made.parameter_count, status, [each.label for each in file.classes]]))
"""


def test_python_client_keeps_models_and_datasets(server: str) -> None:
    answer = driven([sys.executable, "-c", KEEPING, server])
    assert answer == ["kept", 4, 404, ["cat", "dog"]]


def test_no_operation_is_lost_in_either_client() -> None:
    paths = json.loads((OPENAPI / "openapi.json").read_text())["paths"]
    operations = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    python = {file.stem for file in (PYTHON / "gradd_api" / "api").glob("*/*.py")} - {"__init__"}
    assert python == operations
    sdk = (TYPESCRIPT / "sdk.gen.ts").read_text()
    functions = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in re.findall(r"export const (\w+) =", sdk)}
    assert functions == operations
