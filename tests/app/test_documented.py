"""What is published is true: examples are answered, answers fit their schema, statuses are declared, pages exist."""

from __future__ import annotations

import copy
import re
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.examples import XOR
from app.http.problem_types import PROBLEM_TYPES
from tests.server import JSON, examples, operations, published, refused

pytestmark = pytest.mark.slow

WITH_BODY = sorted({path for path, _ in examples().values()})


def assert_fits(document: Any, name: str) -> None:
    """The document fits the component of that name."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": published()["components"]}
    error = next(Draft202012Validator(schema).iter_errors(document), None)
    assert error is None, f"{error.json_path}: {error.message[:500]}" if error else ""


def component(content: dict[str, Any]) -> str:
    """The name of the component that a request or an answer is."""
    return str(content["application/json"]["schema"]["$ref"].rpartition("/")[2])


@pytest.mark.parametrize("name", examples())
@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_every_documented_example_fits_its_schema_and_so_does_its_answer(
    client: httpx.Client, name: str, encoding: str
) -> None:
    path, example = examples()[name]
    operation = published()["paths"][path]["post"]
    assert_fits(example, component(operation["requestBody"]["content"]))
    fields = published()["components"]["schemas"][component(operation["requestBody"]["content"])]["properties"]
    more = {"encoding": encoding} if "encoding" in fields else {}
    response = client.post(path, json={**example, **more})
    assert response.status_code in (200, 201, 202), response.text
    assert_fits(response.json(), component(operation["responses"][str(response.status_code)]["content"]))


def test_the_answer_with_every_part_fits_its_schema(client: httpx.Client) -> None:
    parts = published()["components"]["schemas"]["GradientsRequest"]["properties"]["include"]["items"]["enum"]
    everything = {**XOR, "include": parts, "verify": True, "parameters": None, "seed": 1}
    del everything["convention"]
    answer = client.post("/v1/gradients", json=everything).json()
    assert set(parts) <= set(answer)
    assert_fits(answer, "GradientsAnswer")


def test_what_a_schema_does_not_allow_is_seen_by_these_tests(client: httpx.Client) -> None:
    answer = client.post("/v1/gradients", json=XOR).json()
    for broken in ({**answer, "loss": None}, {**answer, "los": 1}, {**answer, "output": [["a"]]}):
        with pytest.raises(AssertionError):
            assert_fits(broken, "GradientsAnswer")


@pytest.mark.parametrize("path", [path for method, path, _ in operations() if method == "GET" and "{" not in path])
def test_every_other_operation_answers_as_published(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    media_type, declared = next(iter(published()["paths"][path]["get"]["responses"]["200"]["content"].items()))
    assert response.headers["content-type"].partition(";")[0] == media_type
    if "$ref" in declared["schema"]:
        assert_fits(response.json(), declared["schema"]["$ref"].rpartition("/")[2])


@pytest.mark.parametrize("path", WITH_BODY)
def test_every_status_of_a_body_is_declared(path: str) -> None:
    elsewhere = {"404", "405", "409", "412", "507"}
    before_routing = {"421", "431"}  # An answer to the head of any request, whatever its path is.
    statuses = {str(kind.status) for kind in PROBLEM_TYPES.values()} - elsewhere - before_routing - {"500"}
    declared = set(published()["paths"][path]["post"]["responses"])
    assert statuses <= declared
    assert declared & {"200", "202"}


@pytest.mark.parametrize("path", WITH_BODY)
def test_every_refusal_fits_its_schema_and_leads_to_its_page(client: httpx.Client, path: str) -> None:
    unknown = {**copy.deepcopy(XOR), "nonsense": 1, "loss": {"kind": "no such loss"}}
    responses = [
        client.post(path, content=b"{", headers=JSON),
        client.post(path, content=b"{}", headers={**JSON, "Accept": "image/png"}),
        client.post(path, content=b" " * (65 * 2**20), headers=JSON),
        client.post(path, content=b"{}", headers={"Content-Type": "text/plain"}),
        client.post(path, json={}),
        client.post(path, json=unknown),
    ]
    assert [response.status_code for response in responses] == [400, 406, 413, 415, 422, 422]
    for response in responses:
        document = refused(response, response.status_code)
        assert_fits(response.json(), "ProblemDocument")
        assert str(response.status_code) in published()["paths"][path]["post"]["responses"]
        assert document.instance == f"{path}#request-{response.headers['x-request-id']}"
        page = client.get(document.type)
        assert page.status_code == 200
        assert document.title in page.text


def test_operations_have_names_of_their_own() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)
    assert all(operation["summary"] and operation["description"] for _, _, operation in operations())
