"""A small file system of one's own that can be filled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class CannotMount(Exception):
    """Only root can mount a file system."""


@contextmanager
def small_disk(folder: Path, mebibytes: int = 8) -> Iterator[Path]:
    """Mount a file system in memory on a new folder, for as long as the block lasts.

    Raises:
        CannotMount: if this user may not.
    """
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        raise CannotMount
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Take the free space of a disk, but for some bytes. What is written there meanwhile may take some of it."""
    file = folder / "filler"
    free = os.statvfs(folder)
    size = max(0, free.f_bavail * free.f_frsize - leave)
    with suppress(OSError):
        file.write_bytes(bytes(size))
    return file
