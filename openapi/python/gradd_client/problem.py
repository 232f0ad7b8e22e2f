"""A refusal as an exception."""

from __future__ import annotations

import httpx
from gradd_api.models import ProblemDocument, ProblemError


class Problem(Exception):
    """The server refused: `errors` has everything it found, each with its place, its shapes and its likely fix."""

    def __init__(self, document: ProblemDocument) -> None:
        super().__init__(document)
        self.type: str = document.type_
        self.title: str = document.title
        self.status: int = document.status
        self.detail: str = document.detail
        self.errors: list[ProblemError] = document.errors

    def __str__(self) -> str:
        lines = [f"{error.pointer}: {error.detail}" for error in self.errors]
        return "\n".join([f"{self.status} {self.title}", *(lines or [self.detail])])


def raise_problem(response: httpx.Response) -> None:
    """Looks at every response before the generated client does.

    Raises:
        Problem: the status is one of a refusal, also one that the schema does not name or that a proxy answered.
    """
    if not response.is_error:
        return
    text = response.read().decode(errors="replace")
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        raise Problem(ProblemDocument.from_dict(response.json()))
    path = response.request.url.path
    raise Problem(ProblemDocument("about:blank", response.reason_phrase, response.status_code, text[:500], path, []))
