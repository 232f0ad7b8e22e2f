"""Planned: a plan that requests of one form use one after the other, each with its own numbers."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TypeVar

from app.http.forms import FormUse
from app.http.held_bytes import held_bytes
from core.arrays import CheckDeadline, nothing
from core.plan import Plan, Retain
from core.problem import Problem

V = TypeVar("V")

LARGEST = 2**20
"""Largest number of elements of inputs and parameters for which a plan is kept: copying more costs more than a new plan."""


class Planned:
    """A plan, and what is made of its arrays for an answer: they are the same arrays from request to request."""

    def __init__(
        self, problem: Problem, check_deadline: CheckDeadline, *, backward: bool, retain: Retain, copies: bool
    ) -> None:
        self._check_deadline = check_deadline
        self._made: dict[Hashable, object] = {}
        self.plan: Plan = problem.plan(
            backward=backward, retain=retain, check_deadline=lambda: self._check_deadline(), copies=copies
        )

    def renew(self, problem: Problem, check_deadline: CheckDeadline) -> bool:
        """Take over the numbers of another problem of the same form. Returns False if the plan does not fit them."""
        self._check_deadline = check_deadline
        return problem.write_into(self.plan)

    def once(self, name: Hashable, make: Callable[[], V]) -> V:
        """Return the result of `make`, which may depend on the plan's arrays, but not on their elements."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]  # type: ignore[return-value]

    def rest(self) -> None:
        """Let go of the request that has used the plan."""
        self._check_deadline = nothing

    @cached_property
    def nbytes(self) -> int:
        """Size in bytes."""
        return held_bytes(self)


def plan_for(
    problem: Problem, use: FormUse, check_deadline: CheckDeadline, *, backward: bool = True, retain: Retain
) -> Planned:
    """Return a plan with the numbers of a problem: one that an earlier request of the form has left, or a new one."""
    is_kept = problem.feedback is None and use.once("plans are kept", lambda: _size(problem) <= LARGEST)

    def make() -> Planned:
        return Planned(problem, check_deadline, backward=backward, retain=retain, copies=is_kept)

    if not is_kept:
        return make()
    return use.borrow((backward, retain), make, lambda planned: planned.renew(problem, check_deadline))


def _size(problem: Problem) -> int:
    """Return the number of elements of inputs and parameters."""
    parameters = sum(array.size for named in problem.parameters.values() for array in named.values())
    return int(parameters + sum(array.size for array in problem.inputs.values()))
