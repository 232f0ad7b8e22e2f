"""`gradd serve --processes`: real processes on one port, which are killed in every order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from app.cli.processes import share_processors
from tests import ROOT
from tests.app.cli.terminal import GRADD, PATIENCE, terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc"),
]

CPUS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


class Service:
    """A running `gradd serve`."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log
        wait_until(lambda: "stop with Ctrl-C)\n" in log.read_text() or process.poll() is not None)
        self.address = log.read_text().split("open ")[1].split()[0]
        self.port = int(self.address.rpartition(":")[2])

    def servers(self) -> list[int]:
        """The processes that serve."""
        return [pid for pid in children(self.process.pid) if "spawn_main" in command_of(pid)]

    def workers(self) -> list[int]:
        """The processes that train."""
        return [pid for pid in children(self.process.pid) if "app.worker" in command_of(pid)]

    def processes(self) -> list[int]:
        """All that it has started."""
        return children(self.process.pid)

    def connections(self) -> Counter[int]:
        """The number of open connections of each process that serves."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        open_ones = {
            f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{self.port:04X}") and line[3] == "01"
        }
        return Counter(pid for pid in self.servers() for name in files_of(pid) if name in open_ones)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(number) for path in found for number in path.read_text().split()]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def files_of(pid: int) -> list[str]:
    names = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.append(os.readlink(path))
        except OSError:  # It was closed in the meantime.
            continue
    return names


def variables_of(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def running(folder: Path, *options: str, **variables: str) -> Iterator[Service]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment = kept | {"PYTHONPATH": str(ROOT), **variables}
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*GRADD, "serve", "--port", "0", *options], cwd=folder, env=environment, stdout=output, stderr=output
        )
    try:
        yield Service(process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running(tmp_path_factory.mktemp("serve"), "--processes", "2", "--access-log") as service:
        yield service


def test_two_processes_answer_and_one_worker_trains(service: Service) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=service.address)) for _ in range(32)]
        assert {client.get("/readyz").status_code for client in clients} == {200}
        spread = service.connections()
    assert spread.total() == 32
    assert len(spread) == 2
    # In one of 50,000 runs one of them has fewer.
    assert min(spread.values()) >= 5
    assert len(service.workers()) == 1
    log = service.log.read_text()
    assert log.count("open http") == 1
    assert log.count("GET /readyz") == 32


def test_processors_are_shared(service: Service) -> None:
    for pid in service.servers():
        variables = variables_of(pid)
        assert variables["OPENBLAS_NUM_THREADS"] == variables["OMP_NUM_THREADS"] == str(max(1, CPUS // 2))
        assert variables["GRADD_COMPUTE_THREADS"] == str(max(2, CPUS // 2))


def test_what_the_operator_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"OMP_NUM_THREADS": "3", "GRADD_COMPUTE_THREADS": "5"}
    monkeypatch.setattr(os, "environ", environment)
    share_processors(2)
    assert environment == {"OMP_NUM_THREADS": "3", "GRADD_COMPUTE_THREADS": "5"}


def test_a_killed_process_is_replaced(service: Service) -> None:
    first, second = service.servers()
    worker = service.workers()
    os.kill(first, signal.SIGKILL)
    for _ in range(10):
        assert httpx.get(f"{service.address}/readyz", timeout=PATIENCE).status_code == 200
    wait_until(lambda: len(service.servers()) == 2)
    assert first not in service.servers()
    assert second in service.servers()
    assert service.workers() == worker
    assert f"server process {first} ended with -9; starting another one" in service.log.read_text()


def test_sigterm_ends_everything(tmp_path: Path) -> None:
    with running(tmp_path, "--processes", "2") as service, httpx.Client(base_url=service.address) as client:
        assert client.get("/readyz").status_code == 200
        processes = service.processes()
        service.process.terminate()
        assert service.process.wait(PATIENCE) == 0
        wait_until(lambda: not any(map(is_running, processes)))
        assert is_free(service.port)


def test_nothing_outlives_the_supervisor(tmp_path: Path) -> None:
    with running(tmp_path, "--processes", "2") as service:
        processes = service.processes()
        assert len(service.servers()) == 2
        service.process.kill()
        wait_until(lambda: not any(map(is_running, processes)))
        assert is_free(service.port)


def test_control_c_ends_everything(tmp_path: Path) -> None:
    command = [*GRADD, "serve", "--port", "0", "--processes", "2", "--no-worker"]
    with terminal(command, tmp_path, columns=120) as screen:
        screen.wait_for("stop with Ctrl-C)\n")
        processes = children(screen.process.pid)
        screen.press_control_c()
        assert screen.status() == 0, screen.text
        wait_until(lambda: not any(map(is_running, processes)))
    assert screen.text.rstrip().endswith("gradd has stopped.")
    assert "Traceback" not in screen.text


def test_control_c_during_the_start_leaves_no_traceback(tmp_path: Path) -> None:
    command = [*GRADD, "serve", "--port", "0", "--processes", "2", "--no-worker"]
    with terminal(command, tmp_path, columns=120) as screen:
        wait_until(lambda: sum("spawn_main" in command_of(pid) for pid in children(screen.process.pid)) == 2)
        screen.press_control_c()
        assert screen.status() == 0, screen.text
    assert screen.text.rstrip().endswith("gradd has stopped.")
    assert "Traceback" not in screen.text


def test_one_process_is_the_command_itself(tmp_path: Path) -> None:
    with running(tmp_path, "--no-worker") as service:
        assert httpx.get(f"{service.address}/readyz").status_code == 200
        assert service.processes() == []


def test_a_port_that_is_taken_ends_the_command(service: Service, tmp_path: Path) -> None:
    command = [*GRADD, "serve", "--port", str(service.port), "--processes", "2"]
    result = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert result.returncode == 3
    assert f"Choose another port: gradd serve --port {service.port + 1}" in result.stderr
    assert not list(tmp_path.iterdir())


def test_an_application_that_does_not_start_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "gradd.sqlite3").write_text("This is no database. " * 100)
    command = [*GRADD, "serve", "--port", "0", "--processes", "2", "--no-worker"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GRADD_DATA_DIR": str(tmp_path)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 3
    assert "open http" not in result.stdout
    assert "file is not a database" in result.stderr
