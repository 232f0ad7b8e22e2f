"""RetryLater: a refusal of a request that may be sent again after some seconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from app.http.problem_details import RefusalWithHeaders
from core.errors import Issue


class RetryLater(RefusalWithHeaders):
    """A limit of this server, or of a key, is reached for now. The answer has the header Retry-After."""

    def __init__(
        self, code: str, detail: str, seconds: float, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """Refuse a request.

        Args:
            code: of the problem type.
            detail: what is too much.
            seconds: when the request may be sent again, from now on. They are rounded up.
            headers: further headers of the answer.
            more: further fields of the issue.
        """
        wait = max(1, math.ceil(seconds))
        issue = Issue(code=code, detail=detail, hint=f"Try again in {wait} s.", **more)
        super().__init__(issue, {**(headers or {}), "Retry-After": str(wait)})
