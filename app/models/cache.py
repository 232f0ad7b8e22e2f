"""ModelCache: stored models that requests have used, decoded, within a limit of memory.

The id of a model is computed from its content, so the content of a cached model never changes. But any process may delete
it at any time, or store it again with other warnings: each use asks the database for the warnings in its row. That is also
how a caller gets only what it owns: owners of the same content share the numbers in memory, and each has its own row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

import orjson
from cachetools import LRUCache
from sqlalchemy import Text, cast

from app.http.caller import OPERATOR, Caller
from app.http.held_bytes import held_bytes
from app.models.repository import find, to_model
from app.storage import Database
from app.storage.existence import Existence
from app.storage.tables.models import StoredModel
from core.arrays import Array
from core.convention import CONVENTIONS, Convention
from core.errors import Issue
from core.model import Model


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A stored model with its parameters as each convention writes them."""

    model: Model
    parameters: Mapping[Convention, Mapping[str, Mapping[str, Array]]]
    nbytes: int
    """Size in bytes, with the layers: a model may have many of them and no tensors."""

    written: str = "[]"
    """The warnings as the database holds them, by which a change is noticed."""

    warnings: Sequence[Issue] = ()
    """What was assumed when the model was stored, as issues of the request that names it."""


def load_cached(database: Database, identity: str, caller: Caller = OPERATOR) -> CachedModel:
    """Return a stored model as it is cached.

    Raises:
        Refusal: `not-found`.
    """
    with database.read() as session:
        row = find(session, identity, caller)
        model, written = to_model(session, row), json.dumps(row.warnings)
    parameters = {convention: model.parameters_in(convention) for convention in CONVENTIONS}
    warnings = _warnings_of(written)
    return CachedModel(model, parameters, held_bytes([model, parameters, written, warnings]), written, warnings)


def _warnings_of(written: str) -> list[Issue]:
    """Return warnings in the form of answers as issues of the field `model`."""
    fields = ("code", "detail", "expected", "got", "hint")
    return [
        Issue(path=("model",), **{name: warning[name] for name in fields if name in warning})
        for warning in orjson.loads(written)
    ]


class ModelCache:
    """The models that requests have used last. Several threads may use it at once."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._exists = Existence(database, StoredModel, cast(StoredModel.warnings, Text))
        self._models: LRUCache[str, CachedModel] = LRUCache(limit, getsizeof=lambda cached: cached.nbytes)
        self._lock = Lock()
        self.hits = 0
        self.misses = 0

    def __reduce__(self) -> tuple[Callable[[str, int], ModelCache], tuple[str, int]]:
        """Return how another process makes a cache for the same database, which its requests share."""
        return shared_model_cache, (self._database.url.render_as_string(hide_password=False), int(self._models.maxsize))

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

    def get(self, identity: str, caller: Caller) -> CachedModel:
        """Return a stored model that a caller may see, with the warnings of the caller's row.

        Raises:
            Refusal: `not-found`, also if the model was deleted a moment ago.
        """
        with self._lock:
            cached = self._models.get(identity)
            is_hit = cached is not None
            self.hits += is_hit
            self.misses += not is_hit
        written = self._exists.value(identity, caller) if cached is not None else None
        if cached is not None and written == cached.written:
            return cached
        if cached is not None and written is not None:
            cached = replace(cached, written=written, warnings=_warnings_of(written))
        else:
            cached = load_cached(self._database, identity, caller)
        with self._lock, suppress(ValueError):  # It is larger than the limit by itself.
            self._models[identity] = cached
        return cached


@lru_cache(maxsize=1)
def shared_model_cache(database_url: str, limit: int) -> ModelCache:
    """Return the model cache of this process, which is one that computes for a server."""
    return ModelCache(Database(database_url), limit)
