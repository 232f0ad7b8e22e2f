"""A command in a terminal: a pseudo-terminal of a given width, with Ctrl-C as the keyboard sends it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests import ROOT

PATIENCE = 60
GRADD = [sys.executable, "-m", "app.cli"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A process in the foreground of a terminal."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process, self._master = process, master
        self._output = b""

    @property
    def text(self) -> str:
        """Everything that was written so far, without escape sequences."""
        return ESCAPES.sub("", self._output.decode(errors="replace"))

    def wait_for(self, words: str) -> None:
        """Read until these words have appeared."""
        deadline = time.monotonic() + PATIENCE
        while words not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def wait_for_bar(self) -> None:
        """Read until a progress bar begins, for which the cursor is hidden."""
        deadline = time.monotonic() + PATIENCE
        while b"\x1b[?25l" not in self._output:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def press_control_c(self) -> None:
        """The terminal sends SIGINT to every process in its foreground."""
        os.write(self._master, b"\x03")

    def status(self) -> int:
        """Read to the end and return the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._read():
            assert time.monotonic() < deadline, self.text
        return self.process.wait(PATIENCE)

    def _read(self) -> bool:
        readable, _, _ = select.select([self._master], [], [], 1)
        if not readable:
            return True
        try:
            chunk = os.read(self._master, 1 << 16)
        except OSError:  # The last process has closed the terminal.
            return False
        self._output += chunk
        return bool(chunk)


@contextmanager
def terminal(command: Sequence[str], folder: Path, *, columns: int = 80, **variables: str) -> Iterator[Terminal]:
    """A command in a terminal of its own; it is killed at the end of the block if it still runs."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm", **variables}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
