"""Ctrl-C, as a terminal sends it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import httpx
import pytest

from app.jobs.examples import JOBS
from examples.server import running_server
from tests import ROOT
from tests.app.cli.terminal import GRADD, Terminal, terminal
from tests.app.jobs.service import long_job, posted, wait_until

XOR = JOBS["xor"]["value"]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("output", [None, "kept.npz"])
def test_training_keeps_the_model_of_the_last_finished_epoch(tmp_path: Path, output: str | None) -> None:
    (tmp_path / "job.json").write_text(json.dumps(XOR | {"epochs": 1_000_000}))
    (tmp_path / "job.model.json").write_text("an earlier model")
    command = [*GRADD, "train", "job.json", *(["--output", output] if output else [])]
    with terminal(command, tmp_path) as screen:
        screen.wait_for("training: loss")
        screen.press_control_c()
        assert screen.status() == 130, screen.text
    told = " ".join(screen.text.split())
    found = re.search(
        r"Interrupted after ([\d,]+) of 1,000,000 epochs\. The model of epoch ([\d,]+) is kept in (\S+)\.", told
    )
    assert found, told
    done, epoch, name = found.groups()
    assert done == epoch
    epoch = epoch.replace(",", "")
    assert name == (output or f"job.epoch-{epoch}.model.json")
    assert ("--output FILE" in told) == (output is None)
    assert "Traceback" not in told
    assert (tmp_path / "job.model.json").read_text() == "an earlier model"
    # The same run to that epoch has the same model.
    (tmp_path / "again.json").write_text(json.dumps(XOR | {"epochs": int(epoch)}))
    with terminal([*GRADD, "train", "again.json", "--output", f"again{(tmp_path / name).suffix}"], tmp_path) as screen:
        assert screen.status() == 0, screen.text
    assert (tmp_path / f"again{(tmp_path / name).suffix}").read_bytes() == (tmp_path / name).read_bytes()


def test_training_that_ends_in_its_first_epoch_says_that_there_is_no_model(tmp_path: Path) -> None:
    inputs = [[float(i % 7)] * 64 for i in range(20_000)]
    network = {"layers": [{"kind": "dense", "units": 1500, "activation": "tanh"}, {"kind": "dense", "units": 64}]}
    body = {
        "network": network,
        "seed": 1,
        "data": {"inputs": inputs, "targets": inputs},
        "loss": {"kind": "mean_squared_error"},
        "optimizer": {"kind": "sgd", "learning_rate": 1e-9},
        "epochs": 3,
        "batch_size": 1,
    }
    (tmp_path / "job.json").write_text(json.dumps(body))
    with terminal([*GRADD, "train", "job.json"], tmp_path) as screen:
        screen.wait_for_bar()
        screen.press_control_c()
        assert screen.status() == 130, screen.text
    assert "Interrupted in the first epoch: there is no model to keep." in screen.text
    assert [file.name for file in tmp_path.iterdir()] == ["job.json"]


def test_following_says_that_the_job_goes_on(tmp_path: Path) -> None:
    with running_server() as server, httpx.Client(base_url=server) as client:
        job = posted(client, XOR)
        with terminal([*GRADD, "jobs", "follow", job], tmp_path, GRADD_SERVER=server) as screen:
            screen.wait_for("epoch 0 of 200")
            screen.press_control_c()
            assert screen.status() == 130, screen.text
        told = " ".join(screen.text.split())
        assert f"The job goes on at {server}." in told
        assert f"gradd jobs follow {job} --server {server}" in told
        assert f"gradd jobs cancel {job} --server {server}" in told
        assert client.get(f"/v1/jobs/{job}").json()["status"] == "queued"


def stopped(screen: Terminal) -> int:
    """Stop the service; nothing that looks like an error is printed, and nobody answers any more."""
    address = re.search(r"open (http://\S+) ", screen.text)
    assert address, screen.text
    screen.press_control_c()
    status = screen.status()
    for word in ("Traceback", "KeyboardInterrupt", "***", "Error", "Aborted"):
        assert word not in screen.text, screen.text
    assert "gradd has stopped." in screen.text
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address[1]}/livez")
    return status


def test_the_service_stops_while_its_worker_starts(tmp_path: Path) -> None:
    with terminal([*GRADD, "serve", "--port", "0"], tmp_path) as screen:
        screen.wait_for("stop with Ctrl-C")
        assert stopped(screen) == 0


def test_the_service_stops_while_it_starts(tmp_path: Path) -> None:
    with terminal([*GRADD, "serve", "--port", "0"], tmp_path, PYTHONVERBOSE="1") as screen:
        screen.wait_for("import 'app.cli.serving'")
        screen.press_control_c()
        assert screen.status() == 0, screen.text
    assert "Traceback" not in screen.text


def test_make_run_stops_while_a_job_trains(tmp_path: Path) -> None:
    # `make run` as it is, without the installation, in an environment whose `gradd` is this one.
    script = tmp_path / "environment" / "bin" / "gradd"
    script.parent.mkdir(parents=True)
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m app.cli "$@"\n')
    script.chmod(0o755)
    environment = os.path.relpath(script.parents[1], ROOT)
    command = ["make", "run", f"VENV={environment}", "RUN_STAMP=", "RUN_ARGS=--port 0"]
    with terminal(command, ROOT, GRADD_DATA_DIR=str(tmp_path / "data")) as screen:
        screen.wait_for("stop with Ctrl-C")
        address = screen.text.split("open ")[1].split()[0]
        with httpx.Client(base_url=address) as client:
            job = posted(client, long_job(1, epochs=100_000))
            wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["progress"]["epoch"] >= 1)
        # make ends as an interrupted program does, and the shell that called it says no more.
        assert stopped(screen) in (0, -2)
