"""The compiler's settings, and the folder in which it keeps what it has compiled."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import os
import stat
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

INSTALL = (
    "Install it with `pip install 'gradd[fast]'`, or in a checkout of the source with `.venv/bin/pip install -e '.[fast]'`; "
    "or leave GRADD_JOB_ENGINE at numpy."
)
"""What to do where numba is missing."""


def is_installed() -> bool:
    """Return whether numba (the extra `fast`) is installed."""
    return importlib.util.find_spec("numba") is not None


@lru_cache(maxsize=1)
def version() -> str:
    """Return the version of numba."""
    return importlib.metadata.version("numba")


def processor() -> str:
    """Return the kind of processor that functions are compiled for, which decides how products and sums are rounded."""
    name: str = importlib.import_module("llvmlite.binding").get_host_cpu_name()
    return name


def keep_in(folder: Path) -> bool:
    """Let the compiler keep its results in a folder; call it before the compiled functions are imported.

    Returns:
        False where the folder cannot be used: the functions are then compiled in the memory of each process. What is kept
        is code that the process will run, so a folder that others can write to is not used either.
    """
    config = importlib.import_module("numba").config
    if config.CACHE_DIR:  # NUMBA_CACHE_DIR: the operator has chosen.
        return True
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return False
    is_ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
    if not is_ours or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or not os.access(folder, os.W_OK | os.X_OK):
        return False
    # numba recompiles a function when its own file changes, and not when that of a function which it calls does.
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    config.CACHE_DIR = str(folder.resolve() / hashlib.sha256(sources).hexdigest()[:16])
    return True


def compiled(function: F) -> F:
    """Compile a function when it is first called, without arithmetic that reorders sums or assumes finite numbers.

    The result is kept on disk where `keep_in` has found a folder.
    """
    numba = importlib.import_module("numba")
    settings = {"fastmath": False, "nogil": True, "error_model": "numpy"}
    decorated: F
    try:
        decorated = numba.njit(cache=bool(numba.config.CACHE_DIR), **settings)(function)
    except RuntimeError:  # NUMBA_CACHE_DIR cannot be written.
        decorated = numba.njit(**settings)(function)
    return decorated
