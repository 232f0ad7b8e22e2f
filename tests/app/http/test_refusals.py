"""One shape for every refusal, on every endpoint, for every bad input: never a 500, never a silent NaN."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard

from app.examples import XOR
from app.http.problem_types import PROBLEM_TYPES
from tests.server import JSON, refused


def changed(**members: Any) -> dict[str, Any]:
    problem: dict[str, Any] = json.loads(json.dumps(XOR))
    problem.update(members)
    return problem


def with_layer(**fields: Any) -> dict[str, Any]:
    return changed(network={"layers": [fields]}, parameters={}, seed=1)


def with_inputs(inputs: Any) -> dict[str, Any]:
    return changed(batch={"inputs": inputs, "targets": XOR["batch"]["targets"]})


def overflowing(function: str, value: float) -> dict[str, Any]:
    layers = [{"kind": "activation", "function": function, "name": "first"}]
    batch = {"inputs": [[value]], "targets": [[0]]}
    return {"network": {"layers": layers}, "batch": batch, "loss": {"kind": "half_squared_error"}}


BAD: list[tuple[str, Any, int, str, str]] = [
    ("not JSON", b"{", 400, "malformed-json", "#"),
    ("NaN", b'{"batch": NaN}', 400, "malformed-json", "#/batch"),
    ("a byte-order mark", b"\xef\xbb\xbf{}", 400, "malformed-json", "#"),
    ("UTF-16", "{}".encode("utf-16"), 400, "malformed-json", "#"),
    ("a number beyond float64", b'{"batch": {"inputs": [[1e400]]}}', 422, "non-finite", "#/batch/inputs/0/0"),
    ("half a character", b'{"dtype": "\\ud800"}', 400, "malformed-json", "#/dtype"),
    ("Latin-1", b'{"dtype": "\xe9"}', 400, "malformed-json", "#"),
    ("two documents", b"{} {}", 400, "malformed-json", "#"),
    ("a comma too many", b'{"seed": 1,}', 400, "malformed-json", "#/seed"),
    ("nothing at all", b"", 400, "malformed-json", "#"),
    ("a name that occurs twice", b'{"seed": 1, "seed": 2}', 422, "invalid-request", "#/seed"),
    ("a list", b"[]", 422, "invalid-request", "#"),
    ("nothing", {}, 422, "invalid-request", "#/network"),
    ("an unknown field", changed(learnig_rate=1), 422, "unknown-name", "#/learnig_rate"),
    ("an unknown part", changed(include=["gradient"]), 422, "unknown-name", "#/include/0"),
    ("an unknown layer to narrow to", changed(layers=["in"]), 422, "unknown-name", "#/layers/0"),
    ("an unknown loss", changed(loss={"kind": "mse"}), 422, "unknown-name", "#/loss/kind"),
    ("no loss", {key: XOR[key] for key in ("network", "parameters", "batch")}, 422, "invalid-request", "#/loss"),
    ("an unknown kind", with_layer(kind="dens", units=1), 422, "unknown-name", "#/network/layers/0/kind"),
    ("text for a number", with_layer(kind="dense", units="3"), 422, "invalid-request", "#/network/layers/0/units"),
    ("true for a number", with_layer(kind="dense", units=True), 422, "invalid-request", "#/network/layers/0/units"),
    ("no units", with_layer(kind="dense", units=0), 422, "invalid-request", "#/network/layers/0/units"),
    ("a billion units", with_layer(kind="dense", units=10**9), 413, "too-large", "#/network/layers/0"),
    ("more units than can be counted", with_layer(kind="dense", units=2**63), 413, "too-large", "#/network/layers/0"),
    ("a fraction of a unit", with_layer(kind="dense", units=1.5), 422, "invalid-request", "#/network/layers/0/units"),
    ("an empty name", with_layer(kind="dense", units=1, name=""), 422, "invalid-request", "#/network/layers/0/name"),
    ("a name that is taken", with_layer(kind="dense", units=1, name="input"), 422, "invalid-request",
     "#/network/layers/0/name"),
    ("a layer that reads itself", with_layer(kind="activation", function="exp", name="a", inputs=["a"]), 422,
     "unknown-name", "#/network/layers/0/inputs/0"),
    ("an unknown function", with_layer(kind="dense", units=1, activation="rleu"), 422, "unknown-name",
     "#/network/layers/0/activation"),
    ("a constant the function lacks", with_layer(kind="dense", units=1, activation={"function": "tanh", "alpha": 2}),
     422, "invalid-request", "#/network/layers/0/activation/alpha"),
    ("ragged rows", with_inputs([[0, 0], [0, 1], [1], [1, 1]]), 422, "ragged-array", "#/batch/inputs/2"),
    ("text in a tensor", with_inputs([[0, 0], [0, "1"], [1, 0], [1, 1]]), 422, "invalid-request", "#/batch/inputs/1/1"),
    ("true in a tensor", with_inputs([[0, 0], [0, True], [1, 0], [1, 1]]), 422, "invalid-request", "#/batch/inputs/1/1"),
    ("nothing in a tensor", with_inputs([]), 422, "invalid-request", "#/batch/inputs"),
    ("another shape", with_inputs([[0, 0, 1]] * 4), 422, "shape-mismatch", "#/parameters/1/weight"),
    ("parameters for nobody", changed(parameters={**XOR["parameters"], "ou": {}}), 422, "unknown-name", "#/parameters/ou"),
    ("no parameters", changed(parameters={}), 422, "missing-parameters", "#/parameters/1/weight"),
    ("a number that is no tensor", with_inputs(3), 422, "shape-mismatch", "#/batch/inputs"),
    ("a list among numbers", with_inputs([[0, [0]], [0, 1], [1, 0], [1, 1]]), 422, "ragged-array", "#/batch/inputs/0/1"),
    ("nine axes", with_inputs([[[[[[[[[1]]]]]]]]]), 422, "invalid-request", "#/batch/inputs"),
    ("targets beyond 1", changed(batch={**XOR["batch"], "targets": [[2], [0], [0], [0]]}), 422, "invalid-request",
     "#/batch/targets"),
    ("weights for other examples", changed(batch={**XOR["batch"], "sample_weight": [1, 2]}), 422, "shape-mismatch",
     "#/batch/sample_weight"),
    ("a negative weight", changed(batch={**XOR["batch"], "sample_weight": [1, 1, 1, -1]}), 422, "invalid-request",
     "#/batch/sample_weight"),
    ("weights of 0", changed(batch={**XOR["batch"], "sample_weight": [0, 0, 0, 0]}), 422, "invalid-request",
     "#/batch/sample_weight"),
    ("a negative penalty", changed(loss={**XOR["loss"], "l2": -1}), 422, "invalid-request", "#/loss/l2"),
    ("a negative seed", changed(seed=-1), 422, "invalid-request", "#/seed"),
    ("state for nobody", changed(state={"1": {"mean": [0]}}), 422, "unknown-name", "#/state/1/mean"),
    ("an overflow in float32", changed(dtype="float32", parameters={**XOR["parameters"], "out": {"weight": [[1e300]] * 3,
     "bias": [0]}}), 422, "non-finite", "#/parameters/out/weight"),
    ("an overflow", overflowing("exp", 1000), 422, "non-finite", "#/network/layers/0"),
    ("the logarithm of -1", overflowing("log", -1), 422, "non-finite", "#/network/layers/0"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("endpoint", "body", "status", "slug", "place"),
    [
        pytest.param(endpoint, *rest, id=f"{what}, {endpoint}")
        for what, *rest in BAD
        for endpoint in ("/v1/gradients", "/v1/forward")
        if (what, endpoint) != ("no loss", "/v1/forward")  # Forward needs none.
    ],
)
def test_refuses(client: httpx.Client, endpoint: str, body: Any, status: int, slug: str, place: str) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    document = refused(client.post(endpoint, content=content, headers=JSON), status, slug)
    assert any(error.pointer == place for error in document.errors), document.errors


def test_lists_all_problems_at_once(client: httpx.Client) -> None:
    problem = changed(include=["gradient"], parameters={"1": XOR["parameters"]["1"], "two": {}})
    document = refused(client.post("/v1/gradients", json=problem), 422, "invalid-request")
    pointers = {error.pointer for error in document.errors}
    assert pointers >= {"#/include/0", "#/parameters/out/weight", "#/parameters/out/bias", "#/parameters/two"}


def test_names_the_convention_that_fits(client: httpx.Client) -> None:
    turned = changed(convention="torch")
    document = refused(client.post("/v1/gradients", json=turned), 422, "shape-mismatch")
    assert '"convention": "row"' in str(document.errors[0].hint)


def test_names_the_layer_the_tensor_and_the_cause_of_an_overflow(client: httpx.Client) -> None:
    document = refused(client.post("/v1/gradients", json=overflowing("exp", 1000)), 422, "non-finite")
    assert "'first'" in document.detail
    assert "infinite" in document.detail


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status", "slug"),
    [
        ("GET", "/v1/nothing", {}, b"", 404, "not-found"),
        ("GET", "/problems/nothing", {}, b"", 404, "not-found"),
        ("GET", "/v1/gradients", {}, b"", 405, "method-not-allowed"),
        ("DELETE", "/v1", {}, b"", 405, "method-not-allowed"),
        ("POST", "/v1/gradients", {"Content-Type": "text/csv"}, b"1,2", 415, "unsupported-media-type"),
        ("POST", "/v1/gradients", {}, b"{}", 415, "unsupported-media-type"),
        ("POST", "/v1/gradients", {**JSON, "Content-Encoding": "br"}, b"{}", 415, "unsupported-media-type"),
        ("POST", "/v1/gradients", {**JSON, "Accept": "text/html"}, b"{}", 406, "not-acceptable"),
        ("POST", "/v1/gradients", {**JSON, "Content-Encoding": "gzip"}, b"{}", 400, "malformed-json"),
    ],
)
def test_what_the_framework_refuses_has_the_same_shape(
    client: httpx.Client, method: str, path: str, headers: dict[str, str], content: bytes, status: int, slug: str
) -> None:
    response = client.request(method, path, headers=headers, content=content)
    refused(response, status, slug)
    if status == 405:
        assert response.headers["allow"]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_bomb_is_refused_at_the_limit(client: httpx.Client, coding: str) -> None:
    huge = b" " * (65 * 2**20)
    bomb = gzip.compress(huge) if coding == "gzip" else zstandard.compress(huge)
    response = client.post("/v1/gradients", content=bomb, headers={**JSON, "Content-Encoding": coding})
    refused(response, 413, "too-large")


def test_a_body_beyond_the_limit_is_refused(client: httpx.Client) -> None:
    refused(client.post("/v1/gradients", content=b" " * (65 * 2**20), headers=JSON), 413, "too-large")


def test_every_problem_has_its_page(client: httpx.Client) -> None:
    for slug, kind in PROBLEM_TYPES.items():
        page = client.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert kind.title in page.text
    assert all(slug in client.get("/problems").text for slug in PROBLEM_TYPES)


def test_every_status_is_declared(client: httpx.Client) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/gradients"]["post"]
    assert {"200", "400", "406", "408", "413", "415", "422", "503", "504"} <= set(operation["responses"])


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("/v1/gradients/", "/v1/gradients"),
        ("/v1/gradient", "/v1/gradients"),
        ("/v1/Gradients", "/v1/gradients"),
        ("/gradients", "/v1/gradients"),
        ("/v1/models/mdl_0123/", "/v1/models/mdl_0123"),
        ("/v1/model/mdl_0123", "/v1/models/mdl_0123"),
        ("/v1/jobs/job_0123/cancle", "/v1/jobs/job_0123/cancel"),
    ],
)
def test_a_path_that_does_not_exist_is_told_the_nearest(client: httpx.Client, sent: str, meant: str) -> None:
    document = refused(client.post(sent, json=XOR), 404, "not-found")
    (error,) = document.errors
    assert error.hint == f"Did you mean {meant}?"
    assert document.detail == f"POST {sent}: not found. {error.hint}"


@pytest.mark.parametrize("path", ["/v1/nothing", "/" + "v1/gradients" * 40, "/v1/zebras/mdl_0123", "/v2"])
def test_a_path_that_is_like_none_has_no_hint(client: httpx.Client, path: str) -> None:
    assert not refused(client.get(path), 404, "not-found").errors
