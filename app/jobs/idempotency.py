"""Idempotency keys: a request that is sent again is answered as it was the first time, and nothing is done twice."""

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
"""How long an answer is remembered."""

TAKEN_OVER = timedelta(seconds=60)
"""After this a request that was never answered, because its server died, may be done anew."""

HEADER = "Idempotency-Key"
Remember = Callable[[Session, dict[str, Any]], None]


def digest_of(rest: Mapping[str, Any], tensors: Mapping[str, Array]) -> str:
    """SHA-256 of a request, however it is written."""
    return hashlib.sha256(
        orjson.dumps(rest, option=orjson.OPT_SORT_KEYS) + blobs.digest_of(tensors).encode()
    ).hexdigest()


def once(
    database: Database, key: str | None, digest: str, work: Callable[[Remember], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """The answer of `work`, or of the request with this key before, and whether it is that.

    `work` is given what it calls in the transaction that does something, with its answer: both happen, or neither.

    Raises:
        Refusal: `idempotency-mismatch`, where the key was used for another request; `idempotency-in-flight`; what `work`
            refuses.
    """
    if key is None:
        return work(lambda session, answer: None), False
    refuse_unusable(key)
    with database.write() as session:
        session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT))
        row = {"key": key, "digest": digest, "created_at": now()}
        if not blobs.insert_unless_there(session, IdempotencyKey, row):
            found = session.get_one(IdempotencyKey, key, with_for_update=True)
            if found.digest != digest:
                detail = f"This {HEADER} was used for a request with another body."
                raise Refusal.of(
                    "idempotency-mismatch", detail, "header", HEADER, hint="A new request takes a new key."
                )
            if found.answer is not None:
                return found.answer, True
            if found.created_at > now() - TAKEN_OVER:
                detail = f"The request with this {HEADER} is still being answered."
                raise Refusal.of("idempotency-in-flight", detail, "header", HEADER)
            found.created_at = now()

    def remember(session: Session, answer: dict[str, Any]) -> None:
        session.get_one(IdempotencyKey, key).answer = answer

    try:
        return work(remember), False
    except BaseException:
        with database.write() as session:
            # Nothing was done, so the key may be used again.
            unanswered = IdempotencyKey.key == key, IdempotencyKey.answer.is_(None)
            session.execute(delete(IdempotencyKey).where(*unanswered))
        raise


def refuse_unusable(key: str) -> None:
    """Refuse a key that cannot be stored.

    Raises:
        Refusal: `invalid-request`.
    """
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        detail = f"An {HEADER} is 1 to 255 printable ASCII characters: a UUID, for instance."
        raise Refusal.of("invalid-request", detail, "header", HEADER)
