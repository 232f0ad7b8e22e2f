"""Storage of API keys in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select

from app.access.scopes import DEFAULT_SCOPES
from app.access.secrets import digest_of, new_key
from app.http.caller import UNLIMITED, Quota
from app.storage import Database
from app.storage.base import now
from app.storage.numbered import may_be_id
from app.storage.tables.keys import StoredKey
from core.errors import Refusal


def create_key(
    database: Database,
    name: str,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    quota: Quota = UNLIMITED,
    *,
    succeeds: str | None = None,
) -> tuple[StoredKey, str]:
    """Store a new key.

    Args:
        database: where it is stored.
        name: whose it is, for people.
        scopes: what it may do.
        quota: what it may use; None stands for the default of the settings.
        succeeds: id of a key whose models, datasets and jobs it owns too.

    Returns:
        The row, and the key itself, which cannot be had again.

    Raises:
        Refusal: `not-found`, if there is no key to succeed.
    """
    made = new_key()
    with database.write() as session:
        owner = made.id if succeeds is None else _find(session.get(StoredKey, succeeds), succeeds).owner
        row = StoredKey(
            id=made.id,
            name=name,
            digest=digest_of(made.text),
            scopes=list(scopes),
            owner=owner,
            created_at=now(),
            **asdict(quota),
        )
        session.add(row)
    return row, made.text


def list_keys(database: Database) -> Sequence[StoredKey]:
    """Return all keys, oldest first."""
    with database.read() as session:
        return session.scalars(select(StoredKey).order_by(StoredKey.created_at, StoredKey.id)).all()


def revoke_key(database: Database, identity: str) -> StoredKey:
    """Revoke a key for good and return its row. Repeating it has no effect.

    Raises:
        Refusal: `not-found`.
    """
    with database.write() as session:
        row = _find(session.get(StoredKey, identity) if may_be_id(identity) else None, identity)
        row.revoked_at = row.revoked_at or now()
        return row


def find_key(database: Database, identity: str) -> StoredKey | None:
    """Return the row of a key that is valid, None if there is no such key or it was revoked."""
    with database.read() as session:
        row = session.get(StoredKey, identity)
    return row if row is not None and row.revoked_at is None else None


def _find(row: StoredKey | None, identity: str) -> StoredKey:
    if row is None:
        raise Refusal.of("not-found", f"There is no key {identity[:60]!r}.", hint="`gradd keys list` lists them.")
    return row
