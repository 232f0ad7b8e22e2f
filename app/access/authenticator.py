"""Authenticator: finds the key of a request, in memory where it was used in the last seconds."""

from __future__ import annotations

from dataclasses import dataclass, fields
from threading import Lock

from anyio import to_thread
from cachetools import TTLCache

from app.access import refusals
from app.access.repository import find_key
from app.access.secrets import has_digest, id_of
from app.http.caller import Caller, Quota
from app.settings import Settings
from app.storage import Database
from app.storage.tables.keys import StoredKey

KEPT_SECONDS = 5.0
"""The time for which a key is not looked up again, and so the time in which its revocation takes effect."""

KEPT = 4096
"""Maximum number of keys in memory."""


@dataclass(frozen=True, slots=True)
class Key:
    """A valid key."""

    id: str
    digest: str
    scopes: frozenset[str]
    caller: Caller


class Authenticator:
    """Finds keys by what requests send."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._defaults = {field.name: getattr(settings, f"key_{field.name}") for field in fields(Quota)}
        self._kept: TTLCache[str, Key | None] = TTLCache(KEPT, KEPT_SECONDS)
        self._lock = Lock()

    async def authenticate(self, headers: list[tuple[bytes, bytes]]) -> Key:
        """Return the key of a request.

        Raises:
            Refusal: `unauthorized`; `not-ready` if the database does not answer.
        """
        sent = [value for name, value in headers if name == b"authorization"]
        if not sent:
            raise refusals.without_key()
        scheme, _, text = sent[0].decode("latin-1").strip().partition(" ")
        text = text.strip()
        identity = id_of(text) if len(sent) == 1 and scheme.lower() == "bearer" else None
        if identity is None:
            raise refusals.of_key()
        try:
            with self._lock:
                key = self._kept[identity]  # One step: between two, its time may be over.
        except KeyError:
            key = await to_thread.run_sync(self._look_up, identity)
        if not has_digest(text, key.digest if key else None) or key is None:
            raise refusals.of_key()
        return key

    def _look_up(self, identity: str) -> Key | None:
        row = find_key(self._database, identity)
        key = self._key_of(row) if row else None
        with self._lock:
            self._kept[identity] = key
        return key

    def _key_of(self, row: StoredKey) -> Key:
        own = {name: getattr(row, name) for name in self._defaults}
        quota = Quota(**{name: self._defaults[name] if value is None else value for name, value in own.items()})
        return Key(row.id, row.digest, frozenset(row.scopes), Caller(row.owner, "admin" in row.scopes, quota))
