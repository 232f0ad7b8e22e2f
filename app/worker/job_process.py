"""The worker's interface to the process that trains."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)


ALIVE, READY = b".", b"!"
"""What the process writes: training goes on; it is ready for another job."""

ALIVE_EVERY = 0.5
"""Minimum number of seconds between two signs of life."""

LONGEST_LOOK = 1.0
"""Seconds of silence that one look adds at most: after a pause of the worker itself, nobody was listening."""


class TrainingProcess:
    """A child process that trains one job after another. It exits when the worker does.

    A job is a line on its standard input. While it trains, the process writes a byte `ALIVE` to its standard output now and
    then. When the job has ended, it writes the byte `READY`, or exits with status 0.
    """

    def __init__(self, threads: int) -> None:
        """Start the process.

        Args:
            threads: number of linear algebra threads. It is fixed, because it determines the last bits of results.
        """
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        command = [sys.executable, "-m", "app.worker.job_process_main"]
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.silence = 0.0
        """Seconds since the last sign of life, as far as the worker has looked for one."""

        self.has_spoken = False
        """Whether it has given a sign of life: it then has loaded its modules, which may take long on a busy machine."""

        self._looked = time.monotonic()

    def begin(self, job: str, fencing_token: int) -> None:
        """Start a job. If the process has died, `is_over` returns True."""
        if self._process.stdin is None:
            raise LookupError("it has an input")
        self.silence, self._looked = 0.0, time.monotonic()
        try:
            self._process.stdin.write(f"{job} {fencing_token}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def is_over(self) -> bool:
        """Return whether the process has finished its job or died."""
        if self._process.stdout is None:
            raise LookupError("it has an output")
        pipe, since = self._process.stdout.fileno(), self._looked
        self._looked = time.monotonic()
        self.silence += min(LONGEST_LOOK, self._looked - since)
        readable, _, _ = select.select([pipe], [], [], 0)
        heard = os.read(pipe, 65536) if readable else b""
        if heard:
            self.silence, self.has_spoken = 0.0, True
        return READY in heard or self._process.poll() is not None

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while the process is alive."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Close the pipes. A process that is alive then exits."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
