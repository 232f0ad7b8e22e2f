"""The keeper: a thread of a server that prunes periodically."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from sqlalchemy.exc import SQLAlchemyError

from app.http.abandoned_bodies import remove_abandoned_bodies
from app.retention.policy import policy_of
from app.retention.prune import prune
from app.settings import Settings
from app.storage import Database
from app.storage.space import release
from core.errors import Refusal

logger = logging.getLogger("gradd.retention")


class Keeper:
    """Prunes every `prune_seconds`. Several servers may do so at once: each thing is removed by one of them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="keeper")

    def __enter__(self) -> Keeper:
        if self._settings.prune_seconds:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.prune_seconds):
            try:
                if self._database.is_current():
                    self._prune()
            except (Refusal, SQLAlchemyError) as error:
                logger.warning("nothing was pruned: %s", error)

    def _prune(self) -> None:
        counted: Counter[str] = Counter()
        for removal in prune(self._database, policy_of(self._settings)):
            counted[removal.candidate.kind] += removal.candidate.number
            if self._stopping.is_set():
                break
        if counted:
            logger.info("pruned %s", ", ".join(f"{number} {kind}" for kind, number in counted.items()))
        release(self._database)
        remove_abandoned_bodies(self._settings.data_dir)
