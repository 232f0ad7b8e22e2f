"""The one shape of every refusal (RFC 9457)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class ProblemError(BaseModel):
    """One thing that is wrong, and where."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    pointer: str
    """The place in the request as a JSON pointer: #/parameters/2/weight."""

    code: str
    """The kind of problem, as in `type`."""

    detail: str
    """A sentence that names the operator and the shapes."""

    expected: Any = None
    """What would have been accepted."""

    got: Any = None
    """What came instead."""

    equation: str | None = None
    """The equation in which the value stands."""

    hint: str | None = None
    """The likely fix."""


class ProblemDocument(BaseModel):
    """A refusal: what kind, and everything that was found."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str
    """A page of this server about this kind of problem: /problems/shape-mismatch."""

    title: str
    """The kind of problem in a few words."""

    status: int
    """The HTTP status."""

    detail: str
    """The first error in a sentence, and how many more there are."""

    instance: str
    """The address that was asked."""

    errors: list[ProblemError]
    """Everything that was found, 20 at most."""
