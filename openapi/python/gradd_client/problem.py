"""A refusal as an exception."""

from __future__ import annotations

from gradd_api.models import ProblemDocument, ProblemError


class Problem(Exception):
    """The server refused: `errors` has everything it found, each with its place."""

    def __init__(self, document: ProblemDocument) -> None:
        self.type: str = document.type_
        self.title: str = document.title
        self.status: int = document.status
        self.detail: str = document.detail
        self.errors: list[ProblemError] = document.errors
        lines = [f"{error.pointer}: {error.detail}" for error in document.errors]
        super().__init__("\n".join([f"{document.status} {document.title}", *(lines or [document.detail])]))
