"""Refusals of writes for which the disk has no space, or the data folder no permission."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import Refusal

ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the operating system's errors of a full disk, a user's quota and the largest file."""

HINT = "Delete models, datasets or jobs that are no longer needed, or ask the operator for more space."


def no_space_left() -> Refusal:
    """Return the refusal. The write has left nothing behind."""
    detail = "No space is left on the disk of the server. Nothing was stored."
    return Refusal.of("insufficient-storage", detail, hint=HINT)


@contextmanager
def writing_to_data_folder() -> Iterator[None]:
    """Refuse the request if a file in the data folder cannot be written in the block.

    Raises:
        Refusal: `insufficient-storage` if the disk is full, otherwise `not-ready`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in ERRORS:
            raise no_space_left() from error
        hint = "Set GRADD_DATA_DIR to a writable folder with enough free space."
        raise Refusal.of("not-ready", "The server cannot write to its data folder.", hint=hint) from error
