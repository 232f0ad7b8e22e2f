"""The metrics of several processes: a scrape of any of them shows all, also after one was killed, and those of the worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.examples import XOR
from tests.app.cli.test_processes import is_free, running, wait_until
from tests.app.pages.test_metrics import samples

pytestmark = pytest.mark.slow
COUNT = ("http_server_request_duration_seconds_count", "POST", "200", "/v1/gradients")


def gradients(address: str, count: int) -> None:
    """Send requests, each over a connection of its own, so that every process gets some."""
    for _ in range(count):
        assert httpx.post(f"{address}/v1/gradients", json=XOR, timeout=60).status_code == 200


def test_any_process_shows_what_all_have_counted(tmp_path: Path) -> None:
    with running(tmp_path, "--processes", "2", "--no-worker") as service:

        def all_show(count: int) -> bool:
            found = []
            for _ in range(8):
                with httpx.Client(base_url=service.address, timeout=60) as client:
                    found.append(samples(client).get(COUNT, 0))
            return set(found) == {count}

        gradients(service.address, 20)
        wait_until(lambda: all_show(20))
        first, second = service.servers()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(service.servers()) == 2 and first not in service.servers())
        gradients(service.address, 10)
        wait_until(lambda: all_show(30))
        with httpx.Client(base_url=service.address, timeout=60) as client:
            assert samples(client)["gradd_cache_entries", "forms"] in (1, 2)
            assert samples(client)["http_server_active_requests",] <= 2
        folders = [line for line in Path(f"/proc/{second}/environ").read_text().split("\0") if "METRICS_DIR" in line]
    assert not Path(folders[0].partition("=")[2]).exists()


def test_the_server_shows_its_worker(tmp_path: Path) -> None:
    with running(tmp_path, GRADD_LEASE_SECONDS="0.6") as service, httpx.Client(base_url=service.address) as client:
        wait_until(lambda: samples(client).get(("gradd_worker_lease_renewals_total",), 0) >= 3)
        before = samples(client)["gradd_worker_lease_renewals_total",]
        os.kill(service.workers()[0], signal.SIGKILL)
        wait_until(lambda: samples(client)["gradd_worker_lease_renewals_total",] >= before + 3)


def test_a_worker_alone_shows_itself_on_a_port(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {"GRADD_DATA_DIR": str(tmp_path), "GRADD_WORKER_METRICS_PORT": str(port), "GRADD_LEASE_SECONDS": "0.6"}
    environment = {**os.environ, **variables}
    subprocess.run([sys.executable, "-m", "app.cli", "migrate"], env=environment, check=True)
    worker = subprocess.Popen([sys.executable, "-m", "app.worker"], env=environment, stdin=subprocess.PIPE)
    try:
        wait_until(lambda: not is_free(port))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_until(lambda: samples(client)["gradd_worker_lease_renewals_total",] >= 1)
            assert samples(client)["gradd_worker_job_kills_total", "stopped"] == 0
    finally:
        worker.terminate()
        worker.wait(30)
        assert worker.stdin
        worker.stdin.close()
