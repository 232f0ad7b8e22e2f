"""The number of files, connections among them, that this process may open."""

from __future__ import annotations

import contextlib
import sys

MOST_FILES = 2**16
"""The number of files that is aimed at where there is no limit."""


def raise_file_limit() -> None:
    """Raise the soft limit of open files to the hard one. Processes that are started later inherit it."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS has a further limit.
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
