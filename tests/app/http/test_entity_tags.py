"""ETags over a real socket: 304 for what has not changed, another tag for each representation, and 412 for lost updates."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from app.examples import XOR
from app.wire.safetensors_message import MEDIA_TYPE
from tests.server import refused

MODEL = {name: XOR[name] for name in ("network", "parameters")}


@pytest.fixture
def model(client: httpx.Client) -> str:
    """The path of a stored model."""
    return f"/v1/models/{client.post('/v1/models', json={**MODEL, 'name': 'first'}).json()['id']}"


def tag_of(client: httpx.Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    assert response.headers["cache-control"] == "private, no-cache"
    tag: str = response.headers["etag"]
    assert tag[0] == tag[-1] == '"'
    return tag


def dataset(client: httpx.Client) -> str:
    return f"/v1/datasets/{client.post('/v1/datasets', json=XOR['batch']).json()['id']}"


@pytest.mark.parametrize("path", ["model", "export", "dataset", "/v1", "/openapi.json"])
def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, model: str, path: str) -> None:
    path = {"model": model, "export": f"{model}/export?format=npz", "dataset": dataset(client)}.get(path, path)
    tag = tag_of(client, path)
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(path, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert "content-type" not in answer.headers
        assert answer.headers["x-request-id"]
    for sent in ('"other"', tag[:-2] + '"', tag.strip('"'), ""):
        again = client.get(path, headers={"If-None-Match": sent})
        assert (again.status_code, again.headers["etag"]) == (200, tag)


def test_each_representation_has_its_own(client: httpx.Client, model: str) -> None:
    """Two answers have the same tag if and only if they are the same bytes."""
    queries = [f"?convention={name}&encoding={how}" for name in ("row", "torch") for how in ("json", "base64")]
    paths = [model, *(model + query for query in (*queries, "?parameters=false"))]
    paths += [
        f"{model}/export?format={form}&convention={name}"
        for form in ("safetensors", "npz")
        for name in ("row", "torch")
    ]
    accepted = ["application/json", MEDIA_TYPE, "*/*"]
    codings = ["identity", "gzip", "zstd"]
    seen: dict[str, tuple[str, bytes]] = {}
    for path, accept, coding in itertools.product(paths, accepted, codings):
        headers = {"Accept": accept, "Accept-Encoding": coding}
        with client.stream("GET", path, headers=headers) as response:
            assert response.status_code == 200
            content = b"".join(response.iter_raw())
        seen.setdefault(response.headers["etag"], ("export" if "export" in path else "model", content))
        assert seen[response.headers["etag"]][1] == content, (path, headers)
    assert len(seen) >= 12


def test_a_new_name_is_a_new_tag(client: httpx.Client, model: str) -> None:
    tags = []
    for change in ({"name": "a"}, {"name": "b"}, {"metadata": {"x": 1}}, {"metadata": {}, "name": "a"}):
        assert client.patch(model, json=change).status_code == 200
        tags.append(tag_of(client, model))
    assert len(set(tags)) == 3
    assert tags[0] == tags[3]
    assert client.get(model, headers={"If-None-Match": tags[1]}).status_code == 200


def test_a_change_of_something_that_has_changed_is_refused(client: httpx.Client, model: str) -> None:
    """The tag of any representation names the state."""
    client.patch(model, json={"name": "before"})
    tags = [tag_of(client, model), tag_of(client, f"{model}?convention=torch", Accept="application/json")]
    assert len(set(tags)) == 2
    for tag in tags:
        assert client.patch(model, json={"name": "before"}, headers={"If-Match": tag}).status_code == 200
    assert client.patch(model, json={"name": "after"}, headers={"If-Match": ", ".join(tags)}).status_code == 200
    for tag in (*tags, '"other"', f"W/{tag_of(client, model)}", ""):
        response = client.patch(model, json={"name": "lost"}, headers={"If-Match": tag})
        refused(response, 412, "precondition-failed")
    assert client.get(model).json()["name"] == "after"
    assert client.patch(model, json={"name": "any"}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/models/mdl_000000000000000000000000"), ("GET", "/v1/datasets/dat_00")]
)
def test_what_there_is_not_has_no_tag(client: httpx.Client, method: str, path: str) -> None:
    response: Any = client.request(method, path, headers={"If-None-Match": "*"})
    refused(response, 404, "not-found")
    assert "etag" not in response.headers
