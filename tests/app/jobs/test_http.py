"""/v1/jobs as its callers see it, with a real worker."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.jobs.examples import JOBS
from tests.app.jobs.service import assert_reported_once, ended, events_of, long_job, posted, service, workers
from tests.server import refused

pytestmark = pytest.mark.slow

XOR: dict[str, Any] = JOBS["xor"]["value"]
HERE = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    address = f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'gradd.sqlite3'}"
    with service(address) as client, workers(address, 1):
        yield client


def changed(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(XOR), **more}


def test_a_job_learns_and_its_model_has_gradients(client: httpx.Client) -> None:
    response = client.post("/v1/jobs", json=XOR)
    assert response.status_code == 202
    job = response.json()
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["status"] == "queued"
    found = ended(client, job["id"])
    assert found["progress"]["metrics"] == {"accuracy": 1.0}
    assert_reported_once(client, job["id"], XOR["epochs"])
    problem = {"model": found["result"]["model"], "batch": XOR["data"], "loss": XOR["loss"], "verify": True}
    answer = client.post("/v1/gradients", json=problem).json()
    assert answer["loss"] == pytest.approx(found["progress"]["loss"], abs=0.01)
    assert found["result"]["model"] in [model["id"] for model in client.get("/v1/models").json()["data"]]
    assert job["id"] in [other["id"] for other in client.get("/v1/jobs").json()["data"]]


def test_the_stream_has_the_events_of_the_list(client: httpx.Client) -> None:
    job = posted(client, changed(epochs=30))
    with client.stream("GET", f"/v1/jobs/{job}/events", headers=HERE) as stream:
        text = "".join(stream.iter_text())
    found = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
    assert found == events_of(client, job)
    with client.stream("GET", f"/v1/jobs/{job}/events", headers={**HERE, "Last-Event-ID": "30"}) as stream:
        rest = "".join(stream.iter_text())
    assert [line for line in rest.splitlines() if line.startswith("id: ")] == [
        f"id: {number}" for number in range(31, len(found) + 1)
    ]


def test_a_browser_that_connects_again_goes_on_where_it_was(client: httpx.Client) -> None:
    """It sends the address that it was given, `after` and all, and the id of the last event that it saw."""
    job = posted(client, changed(epochs=3))
    ended(client, job)
    again = client.get(f"/v1/jobs/{job}/events", params={"after": 1}, headers={"Last-Event-ID": "4"})
    assert next(event["id"] for event in again.json()["data"]) == 5


def test_events_that_are_unknown_are_refused(client: httpx.Client) -> None:
    job = posted(client, changed(epochs=1))
    ended(client, job)
    refused(client.get(f"/v1/jobs/{job}/events", params={"after": 99}), 422, "unknown-name")
    refused(client.get(f"/v1/jobs/{job}/events", headers={**HERE, "Last-Event-ID": "99"}), 422, "unknown-name")
    refused(client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": "x"}), 422, "unknown-name")
    refused(client.get("/v1/jobs/job_none/events"), 404)


def test_a_request_that_is_repeated_makes_one_job(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "a key of mine"}
    first = client.post("/v1/jobs", json=changed(epochs=2), headers=key)
    again = client.post("/v1/jobs", json=changed(epochs=2), headers=key)
    assert (again.status_code, again.json()) == (202, first.json())
    refused(client.post("/v1/jobs", json=changed(epochs=3), headers=key), 422, "idempotency-mismatch")
    bad = {"Idempotency-Key": "another"}
    refused(client.post("/v1/jobs", json=changed(freeze=["9.bias"]), headers=bad), 422)
    assert client.post("/v1/jobs", json=changed(epochs=2), headers=bad).status_code == 202


def test_a_finished_job_cannot_be_resumed(client: httpx.Client) -> None:
    job = posted(client, changed(epochs=1))
    ended(client, job)
    for verb in ("resume", "pause", "cancel"):
        document = refused(client.post(f"/v1/jobs/{job}/{verb}"), 409, "job-state")
        assert document.errors[0].expected == []


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "targets that do not fit": ({"data": {"inputs": [[0, 0], [0, 1]], "targets": [[0], [1], [1]]}}, "#/data/targets"),
    "inputs that do not fit": (
        {"data": {"inputs": [[0, 0, 1]], "targets": [[0]]}, "parameters": {"1": {"weight": [[1, 2, 3]]}}},
        "#/parameters/1/weight",
    ),
    "no data": ({"data": None}, "#/data"),
    "no dataset": ({"data": {"dataset": "dst_none"}}, "#/data/dataset"),
    "no optimizer": ({"optimizer": None}, "#/optimizer"),
    "no model": ({"model": "mdl_none", "network": None}, "#/model"),
    "no network": ({"network": {"layers": []}}, "#/network/layers"),
    "upstream": ({"loss": {"kind": "upstream"}}, "#/loss/kind"),
    "frozen": ({"freeze": ["9.bias"]}, "#/freeze/0"),
    "split": ({"validation_fraction": 0.01}, "#/validation_fraction"),
    "no checkpoint": ({"from_checkpoint": {"job": "job_none"}}, "#/from_checkpoint/job"),
    "sweep of nothing": ({"sweep": {}}, "#/sweep"),
    "sweep of no layer": ({"sweep": {"units": {"9": [1]}}}, "#/sweep/units/9"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_trained_is_refused_at_once(client: httpx.Client, case: str) -> None:
    more, place = BAD[case]
    body = {name: value for name, value in changed(**more).items() if value is not None}
    if case == "no checkpoint":
        del body["network"]
    document = refused(client.post("/v1/jobs", json=body), 422)
    assert place in [error.pointer for error in document.errors], document.errors
    assert not any("batch." in error.detail for error in document.errors), "a job has data, not a batch"


def test_a_job_that_cannot_learn_says_so_before_its_first_epoch(client: httpx.Client) -> None:
    zero = {"1": {"weight": [[0.0] * 3] * 2, "bias": [0.0] * 3}, "2": {"weight": [[0.0]] * 3, "bias": [0.0]}}
    layers = [
        {"kind": "dense", "units": 3, "activation": "tanh"},
        {"kind": "dense", "units": 1, "activation": "sigmoid"},
    ]
    body = changed(network={"layers": layers}, parameters=zero, epochs=5, batch_size=4, convention="row")
    job = posted(client, body)
    ended(client, job)
    told = [event for event in events_of(client, job) if event["type"] in ("warning", "metrics")]
    assert [event["type"] for event in told] == ["warning"] * 2 + ["metrics"] * 5
    assert [event["data"]["code"] for event in told[:2]] == ["zero-gradients", "symmetric-units"]
    assert "Nothing can be learned" in told[0]["data"]["detail"]


def test_a_job_that_diverges_fails_with_the_layer(client: httpx.Client) -> None:
    body = changed(loss={"kind": "mean_squared_error"}, optimizer={"kind": "sgd", "learning_rate": 1e200})
    body["network"] = {"layers": [{"kind": "dense", "units": 3}, {"kind": "dense", "units": 1}]}
    error = ended(client, posted(client, body), "failed")["error"]
    assert error["code"] == "non-finite"
    assert "epoch 1" in error["detail"] or "epoch 2" in error["detail"]
    assert "layer" in error["detail"]


def test_a_job_goes_on_from_a_checkpoint_as_if_it_had_not_ended(client: httpx.Client) -> None:
    whole = ended(client, posted(client, long_job(1, epochs=6)))
    part = posted(client, long_job(1, epochs=4))
    ended(client, part)
    epochs = [one["epoch"] for one in client.get(f"/v1/jobs/{part}/checkpoints").json()["data"]]
    assert epochs[-2:] == [3, 4]
    rest = ended(client, posted(client, {"from_checkpoint": {"job": part, "epoch": 3}, "epochs": 6}))
    assert rest["result"]["model"] == whole["result"]["model"]
    refused(client.post("/v1/jobs", json={"from_checkpoint": {"job": part}, "epochs": 2}), 422)
    refused(client.post("/v1/jobs", json={"from_checkpoint": {"job": part, "epoch": 1}}), 422)


def test_checkpoints_are_models_that_go_with_them(client: httpx.Client) -> None:
    job = posted(client, changed(epochs=40, checkpoint_every_epochs=10))
    ended(client, job)
    every = [event["data"]["model"] for event in events_of(client, job) if event["type"] == "checkpoint"]
    kept = client.get(f"/v1/jobs/{job}/checkpoints").json()["data"]
    assert [one["epoch"] for one in kept][-2:] == [30, 40]
    for one in kept:
        assert client.get(f"/v1/models/{one['model']}").status_code == 200
    refused(client.get(f"/v1/models/{every[0]}"), 404)


def test_a_dataset_may_be_deleted_while_a_job_uses_it(client: httpx.Client) -> None:
    rows = [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    dataset = {"inputs": [row[:2] for row in rows], "targets": [row[2:] for row in rows]}
    identity = client.post("/v1/datasets", json=dataset).json()["id"]
    body = changed(data={"dataset": identity}, epochs=50)
    job = posted(client, body)
    assert client.delete(f"/v1/datasets/{identity}").status_code == 204
    same = ended(client, posted(client, changed(epochs=50)))["result"]
    assert ended(client, job)["result"] == same
    refused(client.post("/v1/jobs", json=body), 422, "unknown-name")


@pytest.mark.parametrize("convention", ["row", "column", "torch"])
def test_class_numbers_of_a_dataset_are_a_list_in_every_convention(client: httpx.Client, convention: str) -> None:
    file = "a,b,label\n" + "".join(f"{number},{-number},{number % 3}\n" for number in range(12))
    query = {"format": "csv", "targets": "label", "classes": "index"}
    dataset = client.post("/v1/datasets", params=query, content=file).raise_for_status().json()["id"]
    body = changed(
        network={"layers": [{"kind": "dense", "units": 3}]},
        data={"dataset": dataset},
        loss={"kind": "softmax_cross_entropy"},
        convention=convention,
        epochs=2,
    )
    assert "accuracy" in ended(client, posted(client, body))["progress"]["metrics"]


def test_losses_that_are_too_large_together_fail_and_can_be_shown(client: httpx.Client) -> None:
    body = changed(loss={"kind": "mean_absolute_error", "reduction": "sum"}, batch_size=1)
    body["network"] = {"layers": [{"kind": "dense", "units": 1}]}
    body["data"] = {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [[1.5e308]] * 4}
    job = posted(client, body)
    assert ended(client, job, "failed")["error"]["code"] == "non-finite"
    assert client.get("/v1/jobs").status_code == client.get(f"/v1/jobs/{job}/events").status_code == 200


def test_a_sweep_finds_the_best(client: httpx.Client) -> None:
    sweep = {"learning_rate": [0.0001, 0.05], "units": {"1": [3, 4]}}
    found = ended(client, posted(client, changed(sweep=sweep, epochs=60)))
    assert found["progress"] == {"parts": 4, "parts_ended": 4}
    assert len(found["result"]["parts"]) == 4
    assert found["result"]["best"]["variant"]["learning_rate"] == 0.05
    part = client.get(f"/v1/jobs/{found['result']['best']['job']}").json()
    assert part["sweep"] == found["id"]
    assert part["result"]["model"] == found["result"]["model"]


def test_conventions_train_to_the_same_model(client: httpx.Client, tmp_path: Path) -> None:
    row = ended(client, posted(client, changed(epochs=5)))["result"]["model"]
    data = {"inputs": [[0, 0, 1, 1], [0, 1, 0, 1]], "targets": [[0, 1, 1, 0]]}
    column = ended(client, posted(client, changed(epochs=5, convention="column", data=data)))["result"]["model"]
    assert row == column
