"""The files that this process has open, and the processes that it starts."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_OPEN = Path("/dev/fd")
_STANDARD = 3
"""Number of files that every process inherits: its input, output and errors."""


def keep_open_files() -> None:
    """Let no process that is started from here on inherit a file, above all the socket that listens.

    uvicorn makes that socket inheritable. A process that computes would keep the port after the death of the server, and
    whoever connects would wait for an answer in vain.
    """
    if not _OPEN.is_dir():
        return
    for entry in os.listdir(_OPEN):
        with suppress(OSError):  # The listing has a file of its own, which is closed by now.
            if entry.isdigit() and int(entry) >= _STANDARD:
                os.set_inheritable(int(entry), False)
