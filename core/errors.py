"""Every refusal of the service: its code, its meaning, and the places it names.

A refusal lists *all* the problems that were found, each with the place in the request (a path of keys and
positions, ``("parameters", "2", "weight")``), what was expected there, what came, and the likely fix.

A code gets its HTTP status, its title and its page in ``app/http/problem_types.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that is wrong, and where."""

    code: str
    """Slug of the kind of problem, `shape-mismatch` for instance."""

    detail: str
    """A sentence that names the operator and the shapes."""

    path: Path = ()
    """Keys and positions from the root of the request to the place."""

    expected: Any = None
    """What would have been accepted: a shape, a list of names, a range."""

    got: Any = None
    """What came instead, in the same terms. Never a copy of a large input."""

    equation: str | None = None
    """The equation in which the value stands, with the request's own convention."""

    hint: str | None = None
    """The likely fix."""

    def below(self, *prefix: str | int) -> Issue:
        """The same issue seen from further up: `prefix` is put before its path."""
        return replace(self, path=(*prefix, *self.path))


class GraddError(ValueError):
    """Something about a request cannot be done; `issues` says what and where, and is never empty."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues: list[Issue] = list(issues)
        super().__init__("; ".join(issue.detail for issue in self.issues))

    def below(self, *prefix: str | int) -> GraddError:
        """The same error with every path seen from further up."""
        return type(self)(issue.below(*prefix) for issue in self.issues)


class Refusal(GraddError):
    """A request that is refused, with all the issues that were found."""

    @classmethod
    def of(cls, code: str, detail: str, *path: str | int, **more: Any) -> Refusal:
        """A refusal with a single issue."""
        return cls([Issue(code=code, detail=detail, path=path, **more)])


def refuse_if_any(issues: Sequence[Issue]) -> None:
    """Raise one `Refusal` that lists all the issues, if there are any."""
    if issues:
        raise Refusal(issues)


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name that is spelt most like this one, or None where none is near."""
    near = difflib.get_close_matches(name[:100], list(valid), 1)
    return near[0] if near else None


def did_you_mean(name: str, valid: Iterable[str]) -> str | None:
    """The hint for a name that does not exist: the nearest valid one, or None where none is near."""
    near = nearest(name, valid)
    return f"Did you mean {near!r}?" if near else None
