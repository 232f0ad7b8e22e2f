"""A process that trains: the worker's end of it."""

from __future__ import annotations

import os
import select
import subprocess
import sys

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLIS_NUM_THREADS",
)


class TrainingProcess:
    """Trains one job after another. It is killed where a job is taken back, and ends by itself when we do.

    A job is a line on its standard input, and its answer `ready` a line on its standard output; where it ends instead,
    with status 0, the job has ended as well.
    """

    def __init__(self, threads: int) -> None:
        """Start it. How many threads its linear algebra uses decides bits, so it is not left to the machine."""
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        command = [sys.executable, "-m", "app.worker.job_process_main"]
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter)
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )

    def begin(self, job: str, fencing_token: int) -> None:
        """Give it a job. If it has died, `is_over` says so."""
        if self._process.stdin is None:
            raise LookupError("it has an input")
        try:
            self._process.stdin.write(f"{job} {fencing_token}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def is_over(self) -> bool:
        """Whether it is done with its job, or dead."""
        if self._process.stdout is None:
            raise LookupError("it has an output")
        readable, _, _ = select.select([self._process.stdout], [], [], 0)
        if readable and self._process.stdout.readline():
            return True
        return self._process.poll() is not None

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it lives."""
        return self._process.poll()

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Let go of it; if it lives, it ends."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
