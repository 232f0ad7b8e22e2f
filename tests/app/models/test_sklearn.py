"""Arrays of scikit-learn come in under the names they have there; their outputs are those of the formulas, written out."""

from __future__ import annotations

import io
import re
from typing import Any

import httpx
import numpy as np
import pytest

from core.arrays import Array
from tests import ROOT
from tests.server import refused

PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
random = np.random.default_rng(8)
COEFS = [random.normal(size=shape) for shape in [(3, 5), (5, 4), (4, 2)]]
INTERCEPTS = [random.normal(size=width) for width in (5, 4, 2)]
X = random.normal(size=(6, 3))


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def perceptron(name: str = "{}_{}") -> dict[str, Any]:
    arrays = {name.format("coefs", number): array for number, array in enumerate(COEFS)}
    return arrays | {name.format("intercepts", number): array for number, array in enumerate(INTERCEPTS)}


def output(client: httpx.Client, body: bytes, **query: str) -> tuple[dict[str, Any], Array]:
    response = client.post("/v1/models/import", content=body, params=query)
    assert response.status_code in (200, 201), response.text
    model: dict[str, Any] = response.json()
    problem = {"model": model["id"], "batch": {"inputs": X.tolist()}, "convention": "row"}
    return model, np.array(client.post("/v1/forward", json=problem).json()["output"])


def softmax(Z: Array) -> Array:
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)  # type: ignore[no-any-return]


def expected() -> Array:
    A = X
    for W, b in zip(COEFS[:-1], INTERCEPTS[:-1], strict=True):
        A = 1 / (1 + np.exp(-(A @ W + b)))
    return softmax(A @ COEFS[-1] + INTERCEPTS[-1])


@pytest.mark.parametrize("name", ["{}_{}", "{}_.{}", "{}_[{}]", "{}_{:02}"])
def test_a_perceptron_comes_in_by_the_names_of_its_arrays(client: httpx.Client, name: str) -> None:
    body = npz(**perceptron(name), activation="logistic", out_activation_="softmax")
    model, found = output(client, body)
    assert model["warnings"] == []
    np.testing.assert_allclose(found, expected(), rtol=1e-12)


def test_the_functions_may_be_in_the_query(client: httpx.Client) -> None:
    model, found = output(client, npz(**perceptron()), activation="sigmoid", output_activation="softmax")
    assert model["warnings"] == []
    np.testing.assert_allclose(found, expected(), rtol=1e-12)
    assert [warning["code"] for warning in output(client, npz(**perceptron()))[0]["warnings"]] == ["assumed-activation"]


@pytest.mark.parametrize("classes", [2, 3])
def test_a_logistic_regression_has_classes_in_rows(client: httpx.Client, classes: int) -> None:
    rows = 1 if classes == 2 else classes
    W, b = random.normal(size=(rows, 3)), random.normal(size=rows)
    model, found = output(client, npz(coef_=W, intercept_=b, classes_=np.arange(classes)))
    assert model["warnings"] == []
    scores = X @ W.T + b
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-scores)) if classes == 2 else softmax(scores), rtol=1e-12)


def test_a_linear_regression_has_a_vector(client: httpx.Client) -> None:
    w = random.normal(size=3)
    _, found = output(client, npz(coef_=w, intercept_=0.5), output_activation="identity")
    np.testing.assert_allclose(found[:, 0], X @ w + 0.5, rtol=1e-12)


@pytest.mark.parametrize(
    ("arrays", "slug"),
    [
        ({"coefs_0": np.ones((2, 3)), "coefs_1": np.ones((2, 3))}, "shape-mismatch"),
        ({"coefs_0": np.ones((2, 3)), "coefs_2": np.ones((3, 2))}, "invalid-request"),
        ({"coefs_0": np.ones(3)}, "shape-mismatch"),
        ({"coefs_0": np.ones((2, 3)), "intercepts_1": np.ones(3)}, "invalid-request"),
        ({"coefs_0": np.ones((2, 3)), "intercepts_0": np.ones(2)}, "shape-mismatch"),
        ({"coefs_0": np.ones((2, 3)), "activation": "rely"}, "unknown-name"),
        ({"coef_": np.ones((2, 3, 2))}, "shape-mismatch"),
        ({"coefs_0": np.ones((2, 3), np.int8)}, "invalid-request"),
    ],
)
def test_what_does_not_fit_is_refused(client: httpx.Client, arrays: dict[str, Any], slug: str) -> None:
    refused(client.post("/v1/models/import", content=npz(**arrays)), 422, slug)


def test_the_program_runs(server: str) -> None:
    pytest.importorskip(
        "sklearn", reason="scikit-learn is no dependency; with it, the program in docs/formats.md is run"
    )
    programs = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (program,) = [program for program in programs if "import MLPClassifier" in program]
    exec(program.replace("http://127.0.0.1:8000", server), {})
