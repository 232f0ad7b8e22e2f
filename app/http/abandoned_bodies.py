"""Files of bodies that a server has left behind because it was killed."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from app.http.body import PREFIX

KEPT_SECONDS = 6 * 3600.0
"""Age beyond which no request waits for its body any more. Other servers with the same folder may be receiving."""


def remove_abandoned_bodies(folder: Path) -> int:
    """Remove the files of bodies in a data folder that nobody reads any more, and return their number."""
    removed = 0
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink()
                removed += 1
    return removed
