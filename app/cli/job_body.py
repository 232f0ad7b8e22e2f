"""The body of a job, read from a file, and errors that only its file explains."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Errors = Sequence[Mapping[str, Any]]

REQUIRED = ("loss", "optimizer", "epochs")
"""Members that a job needs besides the network and the data."""


def read_body(file: Path) -> bytes:
    """Read the body of a job from a file, or from the standard input for `-`."""
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


def explain_batch(errors: Errors, body: bytes) -> Errors:
    """Return the errors, with a `batch` sent instead of `data` reported as missing data.

    A problem of /v1/gradients has a batch. To a job that is an unknown member, whose nearest name is `batch_size`.
    """
    if all(error["pointer"] != "#/batch" for error in errors):
        return errors
    document = json.loads(body)
    if "data" in document:
        return errors
    missing = [f'"{name}"' for name in REQUIRED if name not in document]
    error = {
        "pointer": "#/data",
        "detail": "`data` is missing: the examples to train on. `batch` is not it; it belongs to /v1/gradients.",
        "hint": 'Rename "batch" to "data"' + (f", and add {' and '.join(missing)}." if missing else "."),
    }
    return [error, *(other for other in errors if other["pointer"] != "#/batch")]
