"""The refusals of a write for which the disk has no space, or which the data folder does not take."""

from __future__ import annotations

import errno

from core.errors import Refusal

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the operating system's errors of a full disk, a user's quota and the largest file."""


def no_space_left() -> Refusal:
    """Return the refusal. The write has left nothing behind."""
    detail = "No space is left on the disk of the server. Nothing was stored."
    hint = "Delete models, datasets or jobs that are no longer needed, or ask the operator for more space."
    return Refusal.of("insufficient-storage", detail, hint=hint)


def not_written(error: OSError) -> Refusal:
    """Return the refusal of a body that could not be written to the data folder."""
    if error.errno in ERRORS:
        return no_space_left()
    hint = "Set GRADD_DATA_DIR to a writable folder with enough free space."
    return Refusal.of("not-ready", "The server cannot write to its data folder.", hint=hint)
