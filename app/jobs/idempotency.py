"""Idempotency keys: a repeated request gets the answer of the first one, and takes effect only once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.storage import Database, blobs
from app.storage.base import now
from app.storage.tables.jobs import IdempotencyKey
from core.arrays import Array
from core.errors import Refusal

KEPT = timedelta(hours=24)
"""The time for which an answer is stored, unless the caller says otherwise."""

TAKEN_OVER = timedelta(seconds=60)
"""The time for which an unanswered request blocks its key. Its server is then presumed dead; the request may be repeated."""

HEADER = "Idempotency-Key"
Remember = Callable[[Session, dict[str, Any]], None]


def digest_of(rest: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """Return the SHA-256 hash of a request, independent of how it is encoded."""
    return hashlib.sha256(
        orjson.dumps(rest, option=orjson.OPT_SORT_KEYS) + blobs.digest_of(tensors).encode()
    ).hexdigest()


def once(
    database: Database,
    key: str | None,
    digest: str,
    work: Callable[[Remember], dict[str, Any]],
    owner: str | None = None,
    kept: timedelta = KEPT,
) -> tuple[dict[str, Any], bool]:
    """Run `work`, or return the stored answer of an earlier request with the same key.

    Args:
        database: the database that stores the keys.
        key: the Idempotency-Key of the request; None runs `work` unconditionally.
        digest: the hash of the request.
        work: the computation. It is passed a function that stores the answer, to be called in the transaction that takes
            effect, so that both are committed or neither.
        owner: the owner whose request it is. The same key of another owner is another one.
        kept: the time for which an answer is stored.

    Returns:
        The answer, and whether it is that of an earlier request.

    Raises:
        Refusal: `idempotency-mismatch`, if the key was used for another request; `idempotency-in-flight`; the refusals of
            `work`.
    """
    if key is None:
        return work(lambda session, answer: None), False
    refuse_unusable(key)
    with database.write() as session:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - kept))
        row = {"owner": owner or "", "key": key, "digest": digest, "created_at": now()}
        if not blobs.insert_unless_there(session, IdempotencyKey, row):
            found = session.get_one(IdempotencyKey, (owner or "", key), with_for_update=True)
            if found.digest != digest:
                detail = f"This {HEADER} was used for a request with another body."
                raise Refusal.of(
                    "idempotency-mismatch", detail, "header", HEADER, hint="Use a new key for a new request."
                )
            if found.answer is not None:
                return found.answer, True
            if found.created_at > now() - TAKEN_OVER:
                detail = f"The request with this {HEADER} is still being answered."
                raise Refusal.of("idempotency-in-flight", detail, "header", HEADER)
            found.created_at = now()

    def remember(session: Session, answer: dict[str, Any]) -> None:
        session.get_one(IdempotencyKey, (owner or "", key)).answer = answer

    try:
        return work(remember), False
    except BaseException:
        with database.write() as session:
            # The request took no effect, so the key may be used again.
            mine = IdempotencyKey.owner == (owner or ""), IdempotencyKey.key == key
            session.execute(delete(IdempotencyKey).where(*mine, IdempotencyKey.answer.is_(None)))
        raise


def refuse_unusable(key: str) -> None:
    """Refuse a key that cannot be stored.

    Raises:
        Refusal: `invalid-request`.
    """
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        detail = f"An {HEADER} must consist of 1 to 255 printable ASCII characters, for instance a UUID."
        raise Refusal.of("invalid-request", detail, "header", HEADER)
