"""The refusal of a write for which the disk has no space."""

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
