"""Cached models: a deleted one is gone at once, whoever deletes it, and no computation changes the numbers of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import app.http.forms
from app.examples import XOR
from app.models import repository
from app.storage import Database
from tests.app.http.served import Pair, Served

MODEL = {key: XOR[key] for key in ("network", "parameters", "convention")}
BATCH = {key: XOR[key] for key in ("batch", "loss")}
GRADIENTS = "/v1/gradients"
DELETING = "import sys; from app.models.repository import delete_model; from app.storage import Database; "
DELETING += "delete_model(Database(sys.argv[1]), sys.argv[2])"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every known form counts as fast."""
    monkeypatch.setattr(app.http.forms, "FAST_SECONDS", 60.0)


def stored(served: Served, model: dict[str, Any]) -> str:
    """The id of a model."""
    answer = served.post("/v1/models", model)
    assert answer.status in (200, 201), answer.body
    return str(answer.document["id"])


@pytest.mark.parametrize("way", ["this process", "another connection", "another process"])
def test_a_deleted_model_is_unknown_in_the_next_request(address: str, tmp_path: Path, way: str) -> None:
    served, other = Served(tmp_path, database_url=address), Database(address)
    body = {"model": stored(served, MODEL), **BATCH}
    for _ in range(2):  # The second time, what was learnt before the deletion is there.
        good = [served.post(GRADIENTS, body) for _ in range(4)]
        assert [answer.status for answer in good] == [200] * 4
        assert good[1:] == good[:1] * 3
        assert served.models.hits
        if way == "another process":
            subprocess.run([sys.executable, "-c", DELETING, address, body["model"]], check=True)
        else:
            repository.delete_model(other if way == "another connection" else served.app.state.database, body["model"])
        for path in (GRADIENTS, "/v1/forward", GRADIENTS):
            answer = served.post(path, body)
            assert (answer.status, answer.document["errors"][0]["code"]) == (422, "unknown-name")
        assert stored(served, MODEL) == body["model"]
        assert served.post(GRADIENTS, body) == good[0]
    other.close()
    served.app.state.database.close()


def test_what_waits_for_another_machine_is_not_answered_on_the_event_loop(address: str, tmp_path: Path) -> None:
    served = Served(tmp_path, database_url=address)
    body = {"model": stored(served, MODEL), **BATCH}
    for _ in range(4):
        assert served.post(GRADIENTS, body).status == 200
    assert bool(served.direct) == served.models.is_local == address.startswith("sqlite")
    served.app.state.database.close()


def test_parameters_that_are_sent_override_those_of_the_model(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    for served in (pair.cached, pair.plain):
        identity = stored(served, MODEL)
    answers = []
    for bias in ([0.1], [0.2], [0.1]):
        body = {"model": identity, "parameters": {"out": {"bias": bias}}, **BATCH}
        answers.append(pair.post(GRADIENTS, body))
        whole = {**XOR, "parameters": {**XOR["parameters"], "out": {**XOR["parameters"]["out"], "bias": bias}}}
        assert pair.post(GRADIENTS, whole).document["gradients"] == answers[-1].document["gradients"]
    assert answers[0] == answers[2] != answers[1]
    pair.post(GRADIENTS, {"model": identity, **BATCH})
    pair.post(GRADIENTS, {"model": identity, **BATCH, "network": {"layers": [{"kind": "dense", "units": 3}]}})


def test_models_of_the_same_form_are_told_apart(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    for bias in (0.25, 0.5, 0.25):
        parameters = {**XOR["parameters"], "out": {**XOR["parameters"]["out"], "bias": [bias]}}
        for served in (pair.cached, pair.plain):
            identity = stored(served, {**MODEL, "parameters": parameters})
        for _ in range(3):
            pair.post(GRADIENTS, {"model": identity, **BATCH})


@pytest.mark.parametrize(("convention", "size"), [("row", 4), ("column", 4), ("torch", 4), ("row", 400)])
def test_no_computation_changes_a_model(tmp_path: Path, convention: str, size: int) -> None:
    """Also those whose plans read large parameters in place."""
    pair, generator = Pair(tmp_path), np.random.default_rng(size)
    layers = [
        {"kind": "dense", "units": size, "activation": "tanh"},
        {"kind": "batch_norm"},
        {"kind": "dense", "units": size},
    ]
    parameters = {
        "1": {"weight": generator.standard_normal((size, size)).tolist(), "bias": [0.5] * size},
        "2": {"gamma": generator.random(size).tolist(), "beta": [0.25] * size},
        "3": {"weight": generator.standard_normal((size, size)).tolist(), "bias": [0.125] * size},
    }
    state = {"2": {"running_mean": [0.0] * size, "running_variance": [1.0] * size}}
    for served in (pair.cached, pair.plain):
        identity = stored(served, {"network": {"layers": layers}, "parameters": parameters, "state": state})
    shape = (4, size)
    batch = {"inputs": generator.standard_normal(shape).tolist(), "targets": np.full(shape, 0.5).tolist()}
    problem = {"model": identity, "batch": batch, "loss": {"kind": "mean_squared_error"}, "convention": convention}
    wishes: list[tuple[str, dict[str, Any]]] = [
        (GRADIENTS, {}),
        ("/v1/step", {"optimizer": {"kind": "adam", "learning_rate": 0.5}, "steps": 3}),
        ("/v1/forward", {}),
        ("/v1/products", {"kind": "jvp", "vector": {"inputs": batch["inputs"]}}),
    ]
    for path, more in [*wishes, *wishes[:3]]:
        assert pair.post(path, {**problem, **more}).status == 200


def test_models_stay_within_the_limit_and_the_least_recently_used_one_goes_first(tmp_path: Path) -> None:
    served = Served(tmp_path, model_cache_bytes=40_000)
    identities = []
    for place in range(12):
        parameters = {**XOR["parameters"], "out": {**XOR["parameters"]["out"], "bias": [place / 8]}}
        identities.append(stored(served, {**MODEL, "parameters": parameters}))
        for identity in (identities[0], identities[-1]):
            assert served.post(GRADIENTS, {"model": identity, **BATCH}).status == 200
        assert 0 < served.models.nbytes <= 40_000
    assert 2 <= len(served.models) < 12
    misses = served.models.misses
    served.post(GRADIENTS, {"model": identities[0], **BATCH})
    assert served.models.misses == misses
    served.post(GRADIENTS, {"model": identities[1], **BATCH})
    assert served.models.misses == misses + 1


def test_a_model_that_is_larger_than_the_limit_is_used_and_not_kept(tmp_path: Path) -> None:
    served = Served(tmp_path, model_cache_bytes=100)
    body = {"model": stored(served, MODEL), **BATCH}
    answers = [served.post(GRADIENTS, body) for _ in range(3)]
    assert answers == answers[:1] * 3
    assert (answers[0].status, len(served.models), served.models.nbytes) == (200, 0, 0)
