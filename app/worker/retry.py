"""Patience with the database: it may be restarted, or its disk be full for a while, and no job suffers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError

from core.errors import Refusal

T = TypeVar("T")
FIRST, LONGEST = 0.1, 5.0
"""Seconds between two attempts: at first, and at most."""

logger = logging.getLogger("gradd.worker")


def retry(work: Callable[[], T]) -> T:
    """The result of a transaction that may be repeated, as soon as the database can do it."""
    pause = FIRST
    while True:
        try:
            return work()
        except Refusal as refusal:
            if refusal.issues[0].code != "not-ready":
                raise
            logger.warning("the database is not ready; trying again in %.1f s: %s", pause, refusal.__cause__)
        except IntegrityError as error:
            # A content that was to be shared was deleted in that moment.
            logger.info("trying again: %s", error)
        except DBAPIError as error:
            logger.warning("the database failed; trying again in %.1f s: %s", pause, error)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST)
