"""RetryLater: a refusal of a request that may be sent again after some seconds."""

from __future__ import annotations

from typing import Any

from app.http.problem_details import RefusalWithHeaders
from core.errors import Issue


class RetryLater(RefusalWithHeaders):
    """A limit of this server is reached for now. The answer has the header Retry-After."""

    def __init__(self, code: str, detail: str, retry_after: int, **more: Any) -> None:
        issue = Issue(code=code, detail=detail, hint=f"Try again in {retry_after} s.", **more)
        super().__init__(issue, {"Retry-After": str(retry_after)})
