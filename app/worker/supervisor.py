"""The supervisor: runs a worker, replaces it when it dies, and then ends its lease immediately."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import threading
import time

from app.jobs import leases
from app.settings import Settings
from app.storage import Database
from core.errors import Refusal

SHORTEST, LONGEST = 0.2, 10.0
"""Seconds before a dead worker is replaced: the first delay and, if workers keep dying, the longest one."""

WELL = 30.0
"""Seconds after which a worker counts as healthy, so that the next delay is the shortest again."""

PATIENCE = 10
"""Seconds that a worker may take to stop before it is killed."""

logger = logging.getLogger("gradd.supervisor")


class Supervisor:
    """Runs one worker and replaces it when it dies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self.run, daemon=True, name="supervisor")

    def __enter__(self) -> Supervisor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join(PATIENCE + 5)

    def stop(self) -> None:
        """Ask the worker to give back its job and exit."""
        self._stopping.set()
        process = self._process
        if process and process.stdin:
            process.stdin.close()

    def run(self) -> None:
        """Supervise the worker until `stop` is called."""
        pause = SHORTEST
        while not self._stopping.is_set():
            executor, began = secrets.token_hex(8), time.monotonic()
            command = [sys.executable, "-m", "app.worker", executor]
            # In a session of its own: Ctrl-C reaches the supervisor alone, which lets the worker end in good order.
            process = self._process = subprocess.Popen(  # noqa: S603  (our own command)
                command, stdin=subprocess.PIPE, start_new_session=True, env=self._environment()
            )
            status = self._wait(process)
            if self._stopping.is_set():
                return
            logger.warning("worker %s ended with %s; starting another one", executor, status)
            self._end_lease(executor)
            if status == 0 or time.monotonic() - began > WELL:
                pause = SHORTEST
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST)

    def _environment(self) -> dict[str, str]:
        """Return the variables of the worker, which counts in files if the service has a folder for them."""
        folder = self._settings.metrics_dir
        return {**os.environ, **({"PROMETHEUS_MULTIPROC_DIR": str(folder)} if folder else {})}

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while not self._stopping.is_set():
            try:
                return process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        if process.stdin:
            process.stdin.close()
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _end_lease(self, executor: str) -> None:
        database = Database(self._settings.database_url)
        try:
            with database.write() as session:
                leases.end(session, executor)
        except Refusal:
            pass  # The lease expires by itself.
        finally:
            database.close()
