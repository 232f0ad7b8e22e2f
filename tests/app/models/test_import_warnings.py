"""What an import assumed is repeated by every answer that uses the model, until it comes in with everything named."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest
from alembic import command
from sqlalchemy import text

import app.http.forms
from app.models import repository
from app.storage import Database, migration
from core.layers.dense import Dense
from core.model import Model
from tests.app.http.served import AS_JSON, Pair, Served
from tests.app.jobs.service import ended, events_of, posted, service, workers
from tests.app.storage.test_database import connection_to

BATCH = {"inputs": [[1.0, 2.0], [0.5, -1.0]], "targets": [[1.0], [0.0]]}
PROBLEM = {"batch": BATCH, "loss": {"kind": "mean_squared_error"}, "convention": "row"}
QUESTIONS: dict[str, dict[str, Any]] = {
    "/v1/forward": PROBLEM,
    "/v1/gradients": PROBLEM,
    "/v1/explain": PROBLEM,
    "/v1/check": {**PROBLEM, "submission": {"loss": 0.5}},
    "/v1/jacobian": {**PROBLEM, "of": "output", "wrt": "input"},
    "/v1/products": {**PROBLEM, "kind": "jvp", "vector": {"inputs": BATCH["inputs"]}},
    "/v1/step": {**PROBLEM, "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
    "/v1/invert": {"targets": [[0.1]], "convention": "row"},
}


def state_dict() -> bytes:
    """A chain 2 → 3 → 1, whose activation a file does not say."""
    file, random = io.BytesIO(), np.random.default_rng(4)
    shapes = {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (1, 3), "2.bias": (1,)}
    arrays: dict[str, Any] = {name: random.normal(size=shape) for name, shape in shapes.items()}
    np.savez(file, **arrays)
    return file.getvalue()


def imported(served: Served, **query: str) -> dict[str, Any]:
    answer = served.post("/v1/models/import", state_dict(), (), query=urlencode(query))
    assert answer.status in (200, 201), answer.body
    model: dict[str, Any] = answer.document
    return model


def test_every_answer_repeats_them(client: httpx.Client) -> None:
    model = client.post("/v1/models/import", content=state_dict()).json()
    [warning] = model["warnings"]
    assert warning["code"] == "assumed-activation"
    assert client.get(f"/v1/models/{model['id']}").json()["warnings"] == [warning]
    assert client.get(f"/v1/models/{model['id']}?parameters=false").json()["warnings"] == [warning]
    assert client.patch(f"/v1/models/{model['id']}", json={"name": "named"}).json()["warnings"] == [warning]
    listed = {each["id"]: each["warnings"] for each in client.get("/v1/models?limit=100").json()["data"]}
    assert listed[model["id"]] == [warning]
    for path, question in QUESTIONS.items():
        for _ in range(4):
            answer = client.post(path, json={"model": model["id"], **question}).json()
            assert answer["warnings"][0] == {**warning, "pointer": "#/model"}, (path, answer)
        alone = {
            "network": model["network"],
            "parameters": client.get(f"/v1/models/{model['id']}").json()["parameters"],
        }
        without = client.post(path, json={**alone, **question}).json()
        assert answer == {**without, "warnings": [answer["warnings"][0], *without["warnings"]]}, path
    page = client.post("/v1/explain", json={"model": model["id"], **PROBLEM}, headers={"accept": "text/markdown"})
    assert warning["detail"] in page.text
    assert client.delete(f"/v1/models/{model['id']}").status_code == 204


def test_known_forms_show_the_warnings_of_now(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.http.forms, "FAST_SECONDS", 60.0)  # Every known form counts as fast.
    served, other = Served(tmp_path, database_url=address), Database(address)
    assumed = imported(served)
    body = {"model": assumed["id"], **PROBLEM}

    def codes() -> list[str]:
        [same] = {
            tuple(warning["code"] for warning in served.post("/v1/gradients", body).document["warnings"])
            for _ in range(4)
        }
        return [code for code in same if code.startswith("a")]

    for _ in range(2):
        assert codes() == ["assumed-activation"]
        named = imported(served, activation="identity", output_activation="identity")
        assert (named["id"], named["warnings"]) == (assumed["id"], [])
        assert codes() == []
        assert imported(served)["warnings"] == assumed["warnings"]
        assert codes() == ["assumed-activation"]
        repository.delete_model(other, assumed["id"])
        assert served.post("/v1/gradients", body).status == 422
        imported(served, activation="identity", output_activation="identity")
        assert codes() == []
        with other.write() as session:  # Of another process.
            repository.put_model(session, repository.load_model(other, assumed["id"]), warnings=assumed["warnings"])
        assert codes() == ["assumed-activation"]
    assert served.models.hits > served.models.misses
    assert bool(served.direct) == served.models.is_local
    other.close()
    served.app.state.database.close()


def test_caches_change_no_bit(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    [identity] = {imported(served)["id"] for served in (pair.cached, pair.plain)}
    for _ in range(3):
        assert pair.post("/v1/gradients", {"model": identity, **PROBLEM}, AS_JSON).document["warnings"]


def test_a_job_says_them_first(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'gradd.sqlite3'}"
    with service(address) as client, workers(address, 1):
        model = client.post("/v1/models/import", content=state_dict()).json()
        first = first_warning(client, model["id"])
    assert first == {**model["warnings"][0], "pointer": "#/model"}


def first_warning(client: httpx.Client, model: str) -> Any:
    """What the first warning of a job says that trains a model."""
    request = {"model": model, "data": BATCH, "loss": PROBLEM["loss"], "epochs": 2,
               "optimizer": {"kind": "sgd", "learning_rate": 0.1}, "convention": "row"}  # fmt: skip
    job = posted(client, request)
    ended(client, job)
    return next(event["data"] for event in events_of(client, job) if event["type"] == "warning")


def test_models_of_before_the_column_have_none(database: Database) -> None:
    stored, _ = repository.save_model(database, Model([Dense(units=2)]), warnings=[{"code": "a", "detail": "b"}])
    assert stored.warnings == [{"code": "a", "detail": "b"}]
    configuration = migration._configuration()
    with connection_to(database) as connection, connection.begin():
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "0002")
        assert "warnings" not in connection.execute(text("SELECT * FROM models")).mappings().one()
    assert not database.is_current()
    database.migrate()
    with database.read() as session:
        assert repository.find(session, stored.id).warnings == []
