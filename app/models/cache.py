"""ModelCache: stored models that requests have used, decoded, within a limit of memory.

The id of a model is computed from its content, so a cached model never changes. It may be deleted by any process at any
time: each use asks the database whether its row still exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

from app.http.held_bytes import held_bytes
from app.models.repository import load_model
from app.storage import Database
from app.storage.existence import Existence
from app.storage.tables.models import StoredModel
from core.arrays import Array
from core.convention import CONVENTIONS, Convention
from core.model import Model


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A stored model with its parameters as each convention writes them."""

    model: Model
    parameters: Mapping[Convention, Mapping[str, Mapping[str, Array]]]
    nbytes: int
    """Size in bytes, with the layers: a model may have many of them and no tensors."""


def load_cached(database: Database, identity: str) -> CachedModel:
    """Return a stored model as it is cached.

    Raises:
        Refusal: `not-found`.
    """
    model = load_model(database, identity)
    parameters = {convention: model.parameters_in(convention) for convention in CONVENTIONS}
    return CachedModel(model, parameters, held_bytes([model, parameters]))


class ModelCache:
    """The models that requests have used last. Several threads may use it at once."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._exists = Existence(database, StoredModel)
        self._models: LRUCache[str, CachedModel] = LRUCache(limit, getsizeof=lambda cached: cached.nbytes)
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._models)

    @property
    def nbytes(self) -> int:
        """Size of all models in bytes."""
        return int(self._models.currsize)

    @property
    def is_local(self) -> bool:
        """Whether the database is a local file, which answers without waiting for another process."""
        return self._database.is_sqlite

    def get(self, identity: str) -> CachedModel:
        """Return a stored model.

        Raises:
            Refusal: `not-found`, also if the model was deleted a moment ago.
        """
        with self._lock:
            cached = self._models.get(identity)
            is_hit = cached is not None
            self.hits += is_hit
            self.misses += not is_hit
        if cached is not None and self._exists.of(identity):
            return cached
        cached = load_cached(self._database, identity)
        with self._lock, suppress(ValueError):  # It is larger than the limit by itself.
            self._models[identity] = cached
        return cached
