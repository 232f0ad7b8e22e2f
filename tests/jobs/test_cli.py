"""`gradd jobs` and `gradd train` against a real server with a real worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.examples import JOBS
from examples.server import running_server
from tests.jobs.service import workers


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


def test_a_job_is_paused_and_cancelled(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"epochs": 1_000_000}))
    job = ran(server, "jobs", "submit", str(file)).strip()
    assert ran(server, "jobs", "pause", job).strip() == "paused"
    assert ran(server, "jobs", "resume", job).strip() == "queued"
    assert ran(server, "jobs", "cancel", job).strip() == "cancelled"


def test_what_is_wrong_is_said(server: str, tmp_path: Path) -> None:
    file = tmp_path / "job.json"
    file.write_text(json.dumps(JOBS["xor"]["value"] | {"epochs": "many"}))
    assert "#/epochs" in ran(server, "jobs", "submit", str(file), status=1)
    assert "does not answer" in ran("http://127.0.0.1:9", "jobs", "list", status=1)
