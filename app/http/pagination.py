"""Query parameters of lists that are handed out a part at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=100, description="Most entries of the answer.")]
After = Annotated[str | None, Query(description="The id after which the answer starts.", max_length=100)]
