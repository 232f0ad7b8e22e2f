"""Refusals of requests for their key. None of them repeats what was sent."""

from __future__ import annotations

from collections.abc import Mapping

from app.access.scopes import Scope
from app.http.problem_details import RefusalWithHeaders
from app.http.retry_later import RetryLater
from core.errors import Issue

REALM = 'Bearer realm="gradd"'
PLACE = ("header", "Authorization")


def without_key() -> RefusalWithHeaders:
    """Return the refusal of a request without a key."""
    detail = "This server answers only requests with an API key, and this request has none."
    issue = Issue(code="unauthorized", path=PLACE, detail=detail, hint="Send the header `Authorization: Bearer KEY`.")
    return RefusalWithHeaders(issue, {"WWW-Authenticate": REALM})


def of_key() -> RefusalWithHeaders:
    """Return the refusal of a key that does not exist or was revoked: which of them is not told."""
    detail = "The API key of this request is not valid: it does not exist, or it was revoked."
    hint = "Send the whole key as `gradd keys create` printed it: `Authorization: Bearer gradd_...`."
    issue = Issue(code="unauthorized", path=PLACE, detail=detail, hint=hint)
    return RefusalWithHeaders(issue, {"WWW-Authenticate": f'{REALM}, error="invalid_token"'})


def without_scope(needed: Scope) -> RefusalWithHeaders:
    """Return the refusal of a key that does not have a scope."""
    detail = f"This address needs a key with the scope {needed!r}, which this one does not have."
    issue = Issue(
        code="forbidden", path=PLACE, detail=detail, expected=[needed, "admin"] if needed != "admin" else [needed]
    )
    return RefusalWithHeaders(issue, {"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{needed}"'})


def too_much(detail: str, seconds: float, headers: Mapping[str, str] | None = None) -> RetryLater:
    """Return the refusal of a request beyond a limit of its key, which may be sent again after some seconds."""
    return RetryLater("rate-limited", detail, seconds, headers, path=PLACE)
