"""Training jobs through both generated clients, on a live server with a worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpx
import numpy as np
import pytest

from tests.app.jobs.service import service, workers
from tests.clients.driving import NODE, OPENAPI, driven, generated

pytestmark = generated


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    address = f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'gradd.sqlite3'}"
    with service(address) as client, workers(address, 1):
        yield str(client.base_url).rstrip("/")


TRAINING = """
import json, sys
import numpy as np
from gradd_client import Adam, Client, Dense, MeanSquaredError, Problem
X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
with Client(sys.argv[1]) as gradd:
    request = {
        "network": [Dense(units=4, activation="tanh"), Dense(units=1)],
        "loss": MeanSquaredError(), "optimizer": Adam(learning_rate=0.05), "seed": 2,
        "data": {"inputs": X, "targets": Y}, "epochs": 300, "batch_size": 4, "idempotency_key": "once",
    }
    job = gradd.train(**request)
    assert gradd.train(**request).id == job.id
    events = list(gradd.events(job.id))
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    done = gradd.wait_for(job.id)
    losses = [event.data["loss"] for event in events if event.type_ == "metrics"]
    last = gradd.checkpoints(job.id)[-1]
    on = gradd.train(from_checkpoint={"job": job.id, "epoch": last.epoch}, epochs=400, name="on")
    on = gradd.wait_for(on.id)
    answer = gradd.gradients(None, {"inputs": X, "targets": Y}, model=on.result.model, loss=MeanSquaredError())
    try:
        gradd.pause_job(on.id)
    except Problem as problem:
        refusal = problem.type
    dataset = gradd.save_dataset(X, Y)
    swept = gradd.train(
        request["network"], {"dataset": dataset.id}, loss=MeanSquaredError(), optimizer={"kind": "sgd"}, epochs=2,
        sweep={"seed": [1, 2], "learning_rate": [0.1]}, validation_fraction=0.5,
    )
    parts = gradd.wait_for(swept.id).result.parts
    assert {swept.id, on.id, job.id} <= {each.id for each in gradd.jobs()}
    gradd.delete_job(swept.id)
    assert swept.id not in {each.id for each in gradd.jobs()}
print(json.dumps([done.status, losses, on.progress.epoch, on.progress.step, answer.loss, refusal, len(parts)]))
"""


def test_python_client_trains(server: str) -> None:
    status, losses, epoch, step, loss, refusal, parts = driven([sys.executable, "-c", TRAINING, server])
    assert status == "succeeded"
    assert len(losses) == 300
    # A job that goes on keeps what it does not say anew: four examples in a step, so one step in an epoch.
    assert (epoch, step) == (400, 400)
    assert loss < losses[-1] < losses[0]
    assert refusal == "/problems/job-state"
    assert parts == 2


def test_typescript_client_trains(server: str) -> None:
    answer = driven([str(NODE), str(OPENAPI / "typescript" / "training.ts"), server])
    assert answer.pop("loss") < 0.01
    assert answer == {"status": "succeeded", "epochs": 400, "last": 400, "refusal": "/problems/job-state"}
    (job,) = httpx.get(f"{server}/v1/jobs", params={"limit": 1}).json()["data"]
    assert job["name"] == "xor in TypeScript"
    np.testing.assert_array_less(job["progress"]["loss"], 0.01)


def test_the_program_in_the_readme_runs(server: str) -> None:
    program = (OPENAPI / "README.md").read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    program = program.replace("http://127.0.0.1:8000", server)
    first, last = "import json\n", "    print(json.dumps(gradd.job(job.id).status))\n"
    assert driven([sys.executable, "-c", first + program + last]) == "succeeded"
