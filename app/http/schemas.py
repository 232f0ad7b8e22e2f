"""The answer that every refusal has (RFC 9457)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class ProblemError(BaseModel):
    """One error in the request and its location."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    pointer: str
    """Location in the request as a JSON pointer, for instance #/parameters/2/weight."""

    code: str
    """The kind of problem: the last part of a problem document's `type`."""

    detail: str
    """A sentence that says what is wrong, with the operator and the shapes concerned."""

    expected: Any = None
    """The value, shape or names that would be accepted."""

    got: Any = None
    """The value or shape that was received."""

    equation: str | None = None
    """The equation in which the value is used."""

    hint: str | None = None
    """The likely fix."""


class ProblemDocument(BaseModel):
    """A refused request: the kind of problem and all errors that were found."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """Path of this server's page about the kind of problem, for instance /problems/shape-mismatch."""

    title: str
    """The kind of problem in a few words."""

    status: int
    """The HTTP status code."""

    detail: str
    """The first error in a sentence, and the number of further errors."""

    instance: str
    """The path that was requested, and as its fragment the id of the request: `#request-` and the header X-Request-Id."""

    errors: list[ProblemError]
    """All errors that were found, at most 20."""
