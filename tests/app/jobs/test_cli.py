"""`gradd jobs` and `gradd train`: here, and against a real server with a real worker."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from app.cli.serve import cli
from app.jobs.examples import JOBS
from examples.server import running_server
from tests.app.jobs.service import workers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    address = f"sqlite:///{tmp_path_factory.mktemp('cli') / 'gradd.sqlite3'}"
    with running_server(GRADD_DATABASE_URL=address) as base, workers(address, 1):
        yield base


def ran(server: str, *arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(cli, [*arguments, "--server", server])
    assert result.exit_code == status, result.output
    return result.output


def test_a_network_is_trained_from_a_file(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"]))
    lines = ran(server, "train", str(file)).splitlines()
    assert lines[0].startswith("job_")
    assert json.loads(lines[-1])["model"].startswith("mdl_")
    assert lines[0] in ran(server, "jobs", "list")
    assert '"succeeded"' in ran(server, "jobs", "show", lines[0])
    assert "accuracy 1" in " ".join(ran(server, "jobs", "follow", lines[0]).split())
    assert "succeeded" in ran(server, "jobs", "resume", lines[0], status=1)


def test_training_here_comes_to_the_model_of_a_job(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "job.json"
    body = JOBS["xor"]["value"] | {"validation_fraction": 0.25, "early_stopping": {"patience": 30}, "dtype": "float32"}
    file.write_text(json.dumps(body))
    job = json.loads(ran(server, "train", str(file)).splitlines()[-1])
    here = CliRunner().invoke(cli, ["train", str(file)])
    assert here.exit_code == 0, here.output
    told = json.loads(here.output.splitlines()[-1])
    assert told == {"model": "job.model.json", "epoch": job["epoch"], "reason": job["reason"]}
    model = (tmp_path / "job.model.json").read_bytes()
    answer = httpx.post(f"{server}/v1/models/import", params={"format": "json"}, content=model)
    assert answer.json()["id"] == job["model"]


def test_the_model_of_a_job_comes_as_a_file(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"epochs": 2}))
    lines = ran(server, "train", str(file), "--output", str(tmp_path / "model.npz")).splitlines()
    ran(server, "jobs", "fetch", lines[0], str(tmp_path / "model.safetensors"))
    for form in ("npz", "safetensors"):
        content = (tmp_path / f"model.{form}").read_bytes()
        answer = httpx.post(f"{server}/v1/models/import", params={"format": form}, content=content)
        assert answer.json()["id"] == json.loads(lines[-1])["model"]
    assert "model.txt" in ran(server, "jobs", "fetch", lines[0], "model.txt", status=1)


def test_the_parts_of_a_sweep_are_told_apart(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"epochs": 2, "sweep": {"seed": [1, 2]}}))
    told = ran(server, "train", str(file))
    assert "best" in told
    assert "seed=1" in told
    assert "seed=2" in ran(server, "jobs", "list")
    assert json.loads(told.splitlines()[-1])["model"].startswith("mdl_")


def test_a_database_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.json").write_text(json.dumps(JOBS["xor"]["value"] | {"data": {"dataset": "dst_1"}}))
    result = CliRunner().invoke(cli, ["train", "job.json"])
    assert result.exit_code == 1
    assert "dst_1 cannot be found: there is no database data/gradd.sqlite3." in result.output
    assert [file.name for file in tmp_path.iterdir()] == ["job.json"], "nothing is made"


def test_what_cannot_be_trained_here_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"sweep": {"seed": [1, 2]}}))
    for arguments, words in (
        ([str(file)], "#/sweep: Sweeps need a server, because every part is a job of its own."),
        ([str(file), "--output", "model.txt"], "model.txt: a model is written as .safetensors, .npz, .json, .onnx."),
        ([str(file), "--output", "nowhere/model.json"], "there is no such folder"),
        (["none.json"], "does not exist"),
    ):
        result = CliRunner().invoke(cli, ["train", *arguments])
        assert result.exit_code, result.output
        assert words in " ".join(result.output.split())


def test_a_job_is_paused_and_cancelled(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"epochs": 1_000_000}))
    job = ran(server, "jobs", "submit", str(file)).strip()
    assert ran(server, "jobs", "pause", job).strip() == "paused"
    assert ran(server, "jobs", "resume", job).strip() == "queued"
    assert "job-state" not in ran(server, "jobs", "delete", job, status=1)
    assert ran(server, "jobs", "cancel", job).strip() == "cancelled"
    assert not ran(server, "jobs", "delete", job)
    assert "There is no job" in ran(server, "jobs", "show", job, status=1)


def test_what_is_wrong_is_said(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"epochs": "many"}))
    assert "#/epochs" in ran(server, "jobs", "submit", str(file), status=1)
    told = ran("http://127.0.0.1:9", "jobs", "list", status=1)
    assert "does not answer" in told
    assert "GRADD_SERVER" in told
    assert "is no address" in ran("127.0.0.1:8000", "jobs", "list", status=1)


def test_a_batch_is_named_data_in_a_job(server: str, tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    problem = {name: value for name, value in JOBS["xor"]["value"].items() if name in ("network", "seed", "loss")}
    file.write_text(json.dumps(problem | {"batch": JOBS["xor"]["value"]["data"], "epochs": "many"}))
    here = CliRunner().invoke(cli, ["train", str(file)])
    assert here.exit_code == 1
    for told in (here.output, ran(server, "jobs", "submit", str(file), status=1)):
        assert "#/batch: 'batch' is not known here. Did you mean 'data'?" in told
        assert "Use 'data'." in told
        assert "#/epochs" in told
        assert "batch_size'?" not in told
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"batch": {}}))
    told = ran(server, "jobs", "submit", str(file), status=1)
    assert "#/batch: 'batch' is not known here." in told
    assert "expected" not in told, "the valid names are listed once"


def test_the_address_of_the_server_may_be_a_variable(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADD_SERVER", server)
    result = CliRunner().invoke(cli, ["jobs", "list"])
    assert result.exit_code == 0, result.output
    assert "status" in result.output


def test_a_job_shows_both_sets_of_examples(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"validation_fraction": 0.25, "epochs": 300}))
    told = " ".join(ran(server, "train", str(file)).split())
    assert re.search(
        r"epoch 300 of 300 training: loss [\d.e-]+, accuracy \S+ validation: loss \S+ accuracy \S+ {", told
    )


def test_where_the_port_is_taken_no_worker_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [
            sys.executable,
            "-c",
            "from app.cli import main; main()",
            "serve",
            "--port",
            str(taken.getsockname()[1]),
        ]
        environment = {**os.environ, "GRADD_DATA_DIR": str(tmp_path / "data")}
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert result.returncode == 3
    assert "already in use" in result.stderr
    assert "Choose another port: gradd serve --port" in result.stderr
    assert not (tmp_path / "data").exists()
