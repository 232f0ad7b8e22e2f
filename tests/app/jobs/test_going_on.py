"""Jobs that go on from a checkpoint of another, while that one goes on itself or is changed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from tests.app.jobs.service import ended, events_of, posted, service, tensor, wait_until, workers
from tests.server import refused

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(3)
JOB: dict[str, Any] = {
    "network": {"layers": [{"kind": "dense", "units": 3, "activation": "tanh"}, {"kind": "dense", "units": 1}]},
    "seed": 1,
    "data": {"inputs": [[0, 0], [0, 1], [1, 0], [1, 1]], "targets": [[0], [1], [1], [0]]},
    "loss": {"kind": "mean_squared_error"},
    "optimizer": {"kind": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    "epochs": 6,
    "batch_size": 2,
    "checkpoint_every_epochs": 1,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    address = f"sqlite:///{tmp_path_factory.mktemp('going on') / 'gradd.sqlite3'}"
    with service(address) as client, workers(address, 1):
        yield client


def trained(client: httpx.Client, **more: Any) -> dict[str, Any]:
    return ended(client, posted(client, JOB | more))


def on(client: httpx.Client, job: str, **more: Any) -> httpx.Response:
    return client.post("/v1/jobs", json={"from_checkpoint": {"job": job}, **more})


def continued(client: httpx.Client, job: str, **more: Any) -> dict[str, Any]:
    response = on(client, job, **more)
    assert response.status_code == 202, response.text
    return ended(client, response.json()["id"])


def test_what_was_best_is_looked_for_anew(client: httpx.Client) -> None:
    """The first run learns nothing that lasts: its rate is too high, and its best epoch the first one."""
    high = {"kind": "sgd", "learning_rate": 1.9}
    stopped = trained(client, optimizer=high, epochs=60, early_stopping={"patience": 3})
    assert stopped["result"]["reason"] == "early-stopping"
    after = stopped["progress"]["epoch"]
    low = {"kind": "sgd", "learning_rate": 0.01}
    later = continued(client, stopped["id"], epochs=after + 5, optimizer=low)
    assert later["progress"]["epoch"] > after
    without = continued(client, stopped["id"], epochs=after + 5, early_stopping=None)
    assert without["result"] == {**without["result"], "epoch": after + 5, "reason": "epochs"}
    last = client.get(f"/v1/jobs/{without['id']}/checkpoints").json()["data"][-1]
    assert last["model"] == without["result"]["model"]


def test_what_was_frozen_may_learn_and_the_other_way_round(client: httpx.Client) -> None:
    frozen = trained(client, freeze=["1.bias"])["id"]
    for freeze in ([], ["2.weight"]):
        assert continued(client, frozen, epochs=8, freeze=freeze)["progress"]["epoch"] == 8


def test_data_that_do_not_fit_the_checkpoint_are_refused(client: httpx.Client) -> None:
    job = trained(client)["id"]
    document = refused(on(client, job, epochs=8, data={"inputs": [[1, 2, 3]], "targets": [[1]]}), 422, "shape-mismatch")
    assert document.errors[0].pointer.startswith("#/data")


def test_many_go_on_from_a_job_that_goes_on_itself(client: httpx.Client) -> None:
    """Its checkpoints, and their models, go while requests that name them are checked."""
    job = posted(client, JOB | {"epochs": 1_000_000})
    wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["progress"]["epoch"] > 3)
    data = {"inputs": tensor(RNG.normal(size=(20_000, 2))), "targets": tensor(RNG.normal(size=(20_000, 1)))}
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: on(client, job, epochs=1_000_000, data=data), range(12)))
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    seen = len(events_of(client, job))
    wait_until(lambda: len(events_of(client, job)) > seen + 20)
    for answer in answers:
        identity = answer.json()["id"]
        (checkpoint,) = client.get(f"/v1/jobs/{identity}/checkpoints").json()["data"]
        assert client.get(f"/v1/models/{checkpoint['model']}").status_code == 200
        client.post(f"/v1/jobs/{identity}/cancel").raise_for_status()
    client.post(f"/v1/jobs/{job}/cancel").raise_for_status()


def test_a_dataset_that_goes_while_it_is_asked_for_is_no_error_of_ours(client: httpx.Client) -> None:
    codes = set()
    for number in range(6):
        inputs, targets = RNG.normal(size=(20_000, 2)) + number, RNG.normal(size=(20_000, 1))
        dataset = client.post("/v1/datasets", json={"inputs": tensor(inputs), "targets": tensor(targets)}).json()["id"]
        with ThreadPoolExecutor(2) as threads:
            body = JOB | {"data": {"dataset": dataset}, "sweep": {"seed": list(range(8))}}
            posting = threads.submit(client.post, "/v1/jobs", json=body)
            threads.submit(client.delete, f"/v1/datasets/{dataset}")
            answer = posting.result()
        codes.add(answer.status_code)
        if answer.status_code == 202:
            client.post(f"/v1/jobs/{answer.json()['id']}/cancel")
        else:
            refused(answer, 422, "unknown-name")
    assert codes <= {202, 422}


def test_a_job_that_has_ended_can_be_deleted(client: httpx.Client) -> None:
    job = trained(client, name="gone soon", seed=77)
    checkpoints = client.get(f"/v1/jobs/{job['id']}/checkpoints").json()["data"]
    later = continued(client, job["id"], epochs=7)["id"]
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    refused(client.get(f"/v1/jobs/{job['id']}"), 404)
    refused(client.get(f"/v1/jobs/{job['id']}/events"), 404)
    refused(client.delete(f"/v1/jobs/{job['id']}"), 404)
    refused(on(client, job["id"], epochs=9), 422, "unknown-name")
    first, *_, last = (client.get(f"/v1/models/{checkpoint['model']}").status_code for checkpoint in checkpoints)
    assert (first, last) == (404, 200), "the last one is the result, and stays"
    kept = client.get(f"/v1/jobs/{later}/checkpoints").json()["data"]
    assert {client.get(f"/v1/models/{checkpoint['model']}").status_code for checkpoint in kept} == {200}


def test_what_has_not_ended_or_belongs_to_a_sweep_is_not_deleted(client: httpx.Client) -> None:
    sweep = posted(client, JOB | {"epochs": 1_000_000, "sweep": {"seed": [1, 2]}})
    part = client.get("/v1/jobs", params={"limit": 1}).json()["data"][0]
    assert part["sweep"] == sweep
    for identity in (sweep, part["id"]):
        refused(client.delete(f"/v1/jobs/{identity}"), 409, "job-state")
    client.post(f"/v1/jobs/{sweep}/cancel").raise_for_status()
    refused(client.delete(f"/v1/jobs/{part['id']}"), 409, "job-state")
    assert client.delete(f"/v1/jobs/{sweep}").status_code == 204
    refused(client.get(f"/v1/jobs/{part['id']}"), 404)
