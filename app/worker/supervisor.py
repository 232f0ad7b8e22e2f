"""The supervisor: starts a worker, starts another one when it dies, and lets the dead one's lease end at once."""

from __future__ import annotations

import logging
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
"""Seconds before a worker that died is replaced: at first, and at most, where they die one after another."""

WELL = 30.0
"""Seconds after which a worker was well, whatever it died of."""

PATIENCE = 10
"""Seconds that a worker has to end when it is asked to."""

logger = logging.getLogger("gradd.supervisor")


class Supervisor:
    """Keeps one worker alive."""

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
        """Let the worker hand back its job and end."""
        self._stopping.set()
        process = self._process
        if process and process.stdin:
            process.stdin.close()

    def run(self) -> None:
        """Supervise until told to stop."""
        pause = SHORTEST
        while not self._stopping.is_set():
            executor, began = secrets.token_hex(8), time.monotonic()
            command = [sys.executable, "-m", "app.worker", executor]
            # In a session of its own: Ctrl-C reaches the supervisor alone, which lets the worker end in good order.
            process = self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
            status = self._wait(process)
            if self._stopping.is_set():
                return
            logger.warning("worker %s ended with %s; starting another one", executor, status)
            self._end_lease(executor)
            if status == 0 or time.monotonic() - began > WELL:
                pause = SHORTEST
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST)

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
            pass  # It ends by itself.
        finally:
            database.close()
