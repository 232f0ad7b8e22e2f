"""Query parameters of lists that are returned page by page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

Limit = Annotated[int, Query(ge=1, le=100, description="Maximum number of entries in the answer.")]
After = Annotated[str | None, Query(description="Return the entries after the one with this id.", max_length=100)]
