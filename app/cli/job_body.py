"""The body of a job, read from a file."""

from __future__ import annotations

import sys
from pathlib import Path


def read_body(file: Path) -> bytes:
    """Read the body of a job from a file, or from the standard input for `-`."""
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
