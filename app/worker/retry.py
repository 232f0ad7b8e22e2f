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


def retry(work: Callable[[], T], count: Callable[[], None] = lambda: None) -> T:
    """Run a transaction until the database can execute it, and return its result.

    The transaction must be repeatable. `count` is called before each further attempt.
    """
    pause = FIRST
    while True:
        try:
            return work()
        except Refusal as refusal:
            if refusal.issues[0].code != "not-ready":
                raise
            logger.warning("the database is not ready; trying again in %.1f s: %s", pause, refusal.__cause__)
        except IntegrityError as error:
            # A shared content was deleted in the meantime.
            logger.info("trying again: %s", error)
        except DBAPIError as error:
            logger.warning("the database failed; trying again in %.1f s: %s", pause, error)
        count()
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)
