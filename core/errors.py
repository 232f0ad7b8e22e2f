"""Issues, and the errors that carry them.

A refusal lists *all* the issues that were found. Each names its place in the request (a path of keys and positions,
``("parameters", "2", "weight")``), what was expected there, what was sent, and the likely fix.

The HTTP status, the title and the page of each code are in ``app/http/problem_types.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.synonyms import synonym

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that is wrong with a request, and its place."""

    code: str
    """Slug of the kind of problem, `shape-mismatch` for instance."""

    detail: str
    """A sentence that names the operator and the shapes."""

    path: Path = ()
    """Keys and positions from the root of the request to the place."""

    expected: Any = None
    """The values that are accepted: a shape, a list of names, a range."""

    got: Any = None
    """The value that was sent, in the same terms; never a copy of a large input."""

    equation: str | None = None
    """The equation that the value belongs to, in the request's convention."""

    hint: str | None = None
    """The likely fix."""

    def below(self, *prefix: str | int) -> Issue:
        """Return the same issue with `prefix` in front of its path."""
        return replace(self, path=(*prefix, *self.path))


class GraddError(ValueError):
    """Base of the service's errors; `issues` lists at least one."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues: list[Issue] = list(issues)
        super().__init__("; ".join(issue.detail for issue in self.issues))

    def __reduce__(self) -> tuple[type[GraddError], tuple[list[Issue]]]:
        """Return how another process makes the same error: of its issues, not of the sentence."""
        return type(self), (self.issues,)

    def below(self, *prefix: str | int) -> GraddError:
        """Return the same error with `prefix` in front of every path."""
        return type(self)(issue.below(*prefix) for issue in self.issues)


class Refusal(GraddError):
    """A request is refused; `issues` lists everything that was found."""

    @classmethod
    def of(cls, code: str, detail: str, *path: str | int, **more: Any) -> Refusal:
        """Return a refusal with a single issue."""
        return cls([Issue(code=code, detail=detail, path=path, **more)])

    @property
    def is_timeout(self) -> bool:
        """True if the deadline of a computation has passed."""
        return any(issue.code == "timeout" for issue in self.issues)


def refuse_if_any(issues: Sequence[Issue]) -> None:
    """Raise a `Refusal` that lists all the issues if there are any."""
    if issues:
        raise Refusal(issues)


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that a name stands for or is spelt most like, or None where none is near."""
    valid = list(valid)
    name = name[:100]
    near = difflib.get_close_matches(name, valid, 1)
    return synonym(name, valid) or (near[0] if near else None)


def did_you_mean(name: str, valid: Iterable[str]) -> str | None:
    """Return the hint for a name that does not exist, or None where no valid name is near."""
    near = nearest(name, valid)
    return f"Did you mean {near!r}?" if near else None
