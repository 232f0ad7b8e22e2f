"""What belongs to one key does not exist for another."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from app.access.scopes import SCOPE_OF
from app.examples import XOR
from tests.app.access.service import DATASET, JOB, MODEL, Keyed, made
from tests.server import operations, refused

WITH_ID = sorted((method, path) for method, path, _ in operations() if "{id}" in path)
BODIES = {"change_model": {"name": "x"}}


@pytest.fixture
def two(keyed: Keyed) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Clients with two keys."""
    with keyed.client() as one, keyed.client() as other:
        yield one, other


def make_all(client: httpx.Client) -> dict[str, str]:
    """A model, a dataset and a job, by the path below which they are found."""
    return {
        "models": made(client.post("/v1/models", json=MODEL)),
        "datasets": made(client.post("/v1/datasets", json=DATASET)),
        "jobs": made(client.post("/v1/jobs", json=JOB)),
    }


def asked(client: httpx.Client, method: str, path: str, ids: dict[str, str]) -> httpx.Response:
    filled = path.replace("{id}", ids[path.split("/")[2]]) + ("?format=npz" if path.endswith("export") else "")
    return client.request(method, filled, json={"name": "x"} if method == "PATCH" else None)


def test_foreign_ids_do_not_exist_for_any_route(keyed: Keyed, two: tuple[httpx.Client, httpx.Client]) -> None:
    owner, stranger = two
    ids = make_all(owner)
    assert {f"v1/{kind}" for kind in ids} <= set(SCOPE_OF)
    for method, path in WITH_ID:
        refused(asked(stranger, method, path, ids), 404, "not-found")
    for path in ("/v1/models", "/v1/datasets", "/v1/jobs"):
        assert stranger.get(path).json() == {"data": [], "has_more": False}
        assert [row["id"] for row in owner.get(path).json()["data"]] == [ids[path.rpartition("/")[2]]]
        refused(stranger.get(path, params={"after": ids[path.rpartition("/")[2]]}), 422, "unknown-name")
    assert owner.get(f"/v1/models/{ids['models']}").json().get("name") is None
    # The same requests are answered to the owner: first those that leave everything there.
    for method, path in sorted(WITH_ID, key=lambda each: each[0] == "DELETE"):
        assert asked(owner, method, path, ids).status_code in (200, 204, 409), path


def test_foreign_ids_are_unknown_names_in_bodies(two: tuple[httpx.Client, httpx.Client]) -> None:
    owner, stranger = two
    ids = make_all(owner)
    problem = {"model": ids["models"], "batch": XOR["batch"], "loss": XOR["loss"]}
    trained = {key: value for key, value in JOB.items() if key not in ("network", "parameters", "data")}
    bodies = {
        "/v1/gradients": problem,
        "/v1/forward": {"model": ids["models"], "batch": {"inputs": XOR["batch"]["inputs"]}},
        "/v1/jobs": trained | {"network": JOB["network"], "data": {"dataset": ids["datasets"]}},
    }
    for path, body in bodies.items():
        for _ in range(3):  # Also once the form is known, and may be answered directly.
            assert owner.post(path, json=body).status_code in (200, 202), path
            refused(stranger.post(path, json=body), 422, "unknown-name")
    refused(
        stranger.post("/v1/jobs", json={"model": ids["models"], **trained, "data": JOB["data"]}), 422, "unknown-name"
    )
    again = {"from_checkpoint": {"job": ids["jobs"]}, "epochs": 10**6}
    missing = refused(stranger.post("/v1/jobs", json=again), 422, "unknown-name")
    assert "There is no job" in missing.detail
    assert "no checkpoint" in refused(owner.post("/v1/jobs", json=again), 422, "unknown-name").detail


def test_the_same_content_of_two_keys_is_two_models(two: tuple[httpx.Client, httpx.Client]) -> None:
    one, other = two
    for kind, body in (("models", MODEL), ("datasets", DATASET)):
        first, second = (
            client.post(f"/v1/{kind}", json=body | {"name": name}) for client, name in ((one, "a"), (other, "b"))
        )
        assert (first.status_code, second.status_code) == (201, 201)
        identity = made(first)
        assert identity == made(second)
        path = f"/v1/{kind}/{identity}"
        assert [client.get(path).json()["name"] for client in two] == ["a", "b"]
        if kind == "models":
            assert one.patch(path, json={"name": "c", "metadata": {"of": "one"}}).json()["name"] == "c"
            assert (other.get(path).json()["name"], other.get(path).json()["metadata"]) == ("b", {})
            problem = {"model": identity, "batch": XOR["batch"], "loss": XOR["loss"]}
            assert [client.post("/v1/gradients", json=problem).status_code for client in two] == [200, 200]
        assert one.delete(path).status_code == 204
        refused(one.get(path), 404)
        assert other.get(path).json()["name"] == "b"
        if kind == "models":
            for _ in range(3):
                refused(one.post("/v1/gradients", json=problem), 422, "unknown-name")
                assert other.post("/v1/gradients", json=problem).status_code == 200
            assert other.get(f"{path}/export", params={"format": "npz"}).status_code == 200


def test_an_admin_sees_everything_once(keyed: Keyed, two: tuple[httpx.Client, httpx.Client]) -> None:
    one, other = two
    body = MODEL | {"parameters": {**MODEL["parameters"], "out": {"weight": [[7.5], [-0.1], [0.2]], "bias": [0.05]}}}
    identity = made(one.post("/v1/models", json=body | {"name": "one's"}))
    assert made(other.post("/v1/models", json=body)) == identity
    job = made(one.post("/v1/jobs", json=JOB))
    with keyed.client(["admin"]) as admin:
        found = [row["id"] for row in admin.get("/v1/models", params={"limit": 100}).json()["data"]]
        assert found.count(identity) == 1
        assert len(found) == len(set(found))
        assert admin.get(f"/v1/models/{identity}").json()["name"] == "one's"
        assert made(admin.post("/v1/models", json=body | {"name": "the admin's"})) == identity
        assert admin.get(f"/v1/models/{identity}").json()["name"] == "the admin's"
        assert admin.delete(f"/v1/models/{identity}").status_code == 204
        assert one.get(f"/v1/models/{identity}").json()["name"] == "one's"
        assert admin.post(f"/v1/jobs/{job}/cancel").json()["status"] == "cancelled"
        assert one.get(f"/v1/jobs/{job}").json()["status"] == "cancelled"
        pages, after = [], None
        while True:
            page = admin.get("/v1/models", params={"limit": 1} | ({"after": after} if after else {})).json()
            pages += [row["id"] for row in page["data"]]
            after = page.get("next")
            if not page["has_more"]:
                break
        assert sorted(pages) == sorted(
            row["id"] for row in admin.get("/v1/models", params={"limit": 100}).json()["data"]
        )


def test_idempotency_keys_belong_to_keys(two: tuple[httpx.Client, httpx.Client]) -> None:
    repeated = {"Idempotency-Key": "the same"}
    one, other = (made(client.post("/v1/jobs", json=JOB, headers=repeated)) for client in two)
    assert one != other
    assert made(two[0].post("/v1/jobs", json=JOB, headers=repeated)) == one
