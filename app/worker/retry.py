"""Retrying of transactions while the database is unavailable, for instance during a restart."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import Refusal

T = TypeVar("T")
FIRST, LONGEST = 0.1, 5.0
"""Seconds between two attempts: the first interval and the longest one."""

logger = logging.getLogger("gradd.worker")


def retry(
    work: Callable[[], T],
    between: Callable[[], None] = lambda: None,
    count: Callable[[], None] = lambda: None,
    *,
    space_seconds: float | None = None,
) -> T:
    """Run a transaction until the database can execute it, and return its result.

    The transaction must be repeatable.

    Args:
        work: the transaction.
        between: called before every attempt.
        count: called before every attempt but the first.
        space_seconds: how long to wait for free space; None waits for ever.

    Raises:
        Refusal: `insufficient-storage` after `space_seconds`; refusals that no repetition changes.
    """
    pause, began = FIRST, time.monotonic()
    while True:
        between()
        try:
            return work()
        except Refusal as refusal:
            code = refusal.issues[0].code
            waits = space_seconds is None or time.monotonic() - began < space_seconds
            if code != "not-ready" and not (code == "insufficient-storage" and waits):
                raise
            logger.warning("trying again in %.1f s: %s (%s)", pause, refusal, refusal.__cause__)
        except IntegrityError as error:
            # A shared content was deleted in the meantime.
            logger.info("trying again: %s", error)
        except DBAPIError as error:
            logger.warning("the database failed; trying again in %.1f s: %s", pause, error)
        count()
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)
