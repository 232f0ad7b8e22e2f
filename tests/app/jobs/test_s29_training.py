"""S29: the jobs of docs/systems.md, trained by a real worker until they have converged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from tests import ROOT
from tests.app.jobs.service import ended, posted, service, tensor, workers

pytestmark = pytest.mark.slow

TEXT = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
XOR, SHAPED_FOR_MNIST = map(json.loads, re.findall(r"^POST /v1/jobs\n\n```json\n(.*?)\n```", TEXT, re.M | re.S))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    address = f"sqlite:///{tmp_path_factory.mktemp('s29') / 'gradd.sqlite3'}"
    with service(address) as client, workers(address, 1):
        yield client


def loss_of(client: httpx.Client, model: str, inputs: Any, targets: Any, kind: str) -> float:
    """By another route than training: the model in a request of its own."""
    body = {"model": model, "batch": {"inputs": tensor(inputs), "targets": tensor(targets)}, "loss": {"kind": kind}}
    return float(client.post("/v1/gradients", json=body | {"include": ["loss"]}).raise_for_status().json()["loss"])


def test_xor(client: httpx.Client) -> None:
    job = ended(client, posted(client, XOR))
    inputs, targets = np.array(XOR["data"]["inputs"], float), np.array(XOR["data"]["targets"], float)
    assert loss_of(client, job["result"]["model"], inputs, targets, "binary_cross_entropy") < 0.01
    assert job["progress"]["metrics"]["accuracy"] == 1.0


def test_784_128_10(client: httpx.Client) -> None:
    """Ten patterns, and examples that are one of them under as much noise; half of them the job has never seen."""
    generator = np.random.default_rng(5)
    patterns, labels = generator.random((10, 784)), generator.integers(0, 10, 2000)
    inputs = patterns[labels] + generator.normal(scale=0.5, size=(2000, 784))
    made = client.post("/v1/datasets", json={"inputs": tensor(inputs[:1000]), "targets": tensor(labels[:1000])})
    body = SHAPED_FOR_MNIST | {"data": {"dataset": made.raise_for_status().json()["id"]}}
    job = ended(client, posted(client, body))
    assert job["progress"]["metrics"]["accuracy"] == 1.0
    model = job["result"]["model"]
    assert loss_of(client, model, inputs[1000:], labels[1000:], "softmax_cross_entropy") < 0.1
    answer = client.post("/v1/forward", json={"model": model, "batch": {"inputs": tensor(inputs[1000:])}}).json()
    assert np.mean(np.argmax(answer["output"], axis=1) == labels[1000:]) > 0.97
