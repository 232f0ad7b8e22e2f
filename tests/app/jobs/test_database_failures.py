"""The database crashes, comes back, and has a full disk: no job notices."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.storage import Database
from tests.app.jobs.service import (
    assert_reported_once,
    ended,
    events_of,
    long_job,
    posted,
    service,
    wait_until,
    workers,
)

pytestmark = pytest.mark.slow

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
INITDB = shutil.which("initdb") or (str(BINARIES[-1]) if BINARIES else None)


class Cluster:
    """A PostgreSQL server of one's own, which may crash."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        # PostgreSQL refuses to run as root.
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._binaries = Path(str(INITDB)).parent
        if self._user:
            shutil.chown(folder, "postgres")
        options = ["--auth=trust", "--username=postgres", "--no-sync", "-D", str(folder / "data")]
        subprocess.run([*self._user, str(INITDB), *options], check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.address = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def start(self) -> None:
        options = f"-p {self._port} -h 127.0.0.1 -k {self._folder}"
        command = [str(self._binaries / "pg_ctl"), "-D", str(self._folder / "data"), "-o", options, "-w", "start"]
        subprocess.run([*self._user, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def crash(self) -> None:
        """Everything at once, as when the power fails."""
        pid = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for number in (pid, *map(int, children)):
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_until(lambda: not Path(f"/proc/{pid}").exists())
        time.sleep(0.5)


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = Path("/tmp") / f"gradd-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir(mode=0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster = Cluster(folder, port)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.crash()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def supervised(address: str) -> Iterator[None]:
    """`gradd worker`: a worker that loses its lease is replaced."""
    environment = {**os.environ, "GRADD_DATABASE_URL": address, "GRADD_LEASE_SECONDS": "2"}
    command = [sys.executable, "-c", "from app.cli import main; main()", "worker"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.skipif(INITDB is None, reason="there is no PostgreSQL server to crash")
def test_a_job_outlives_a_crash_of_the_database(cluster: Cluster) -> None:
    database = Database(cluster.address)
    database.migrate()
    database.close()
    with service(cluster.address) as client, supervised(cluster.address):
        expected = ended(client, posted(client, long_job(1)))["result"]["model"]
        job = posted(client, long_job(1))
        wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["progress"]["epoch"] >= 2)
        cluster.crash()
        assert client.get(f"/v1/jobs/{job}").status_code == 503
        time.sleep(1)
        cluster.start()
        wait_until(lambda: client.get(f"/v1/jobs/{job}").status_code == 200)
        assert ended(client, job)["result"]["model"] == expected
        assert_reported_once(client, job, 30)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux lets another process limit its files")
def test_a_job_outlives_a_full_disk(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'gradd.sqlite3'}"
    with service(address) as client, workers(address, 1) as running:
        Database(address).close()
        expected = ended(client, posted(client, long_job(1)))["result"]["model"]
        job = posted(client, long_job(1))
        wait_until(lambda: client.get(f"/v1/jobs/{job}").json()["progress"]["epoch"] >= 2)
        (child,) = running[0].children()
        soft, hard = resource.prlimit(child, resource.RLIMIT_FSIZE)
        resource.prlimit(child, resource.RLIMIT_FSIZE, (1, hard))  # From now on every write of the process fails.
        time.sleep(0.5)
        before = client.get(f"/v1/jobs/{job}").json()["progress"]
        time.sleep(2)
        assert client.get(f"/v1/jobs/{job}").json()["progress"] == before
        resource.prlimit(child, resource.RLIMIT_FSIZE, (soft, hard))
        assert ended(client, job)["result"]["model"] == expected
        assert_reported_once(client, job, 30)
        warnings = [event for event in events_of(client, job) if event["type"] == "warning"]
        assert not warnings, "the process waited; it did not die"
