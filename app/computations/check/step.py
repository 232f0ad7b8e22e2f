"""The part of /v1/check that judges an update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.computations.check.schemas import Submission
from app.computations.check.step_schemas import StepSubmission, SubmittedUpdate
from app.problem.learning_rates import rates_of
from app.problem.optimizer_state import state_of
from core.arrays import Array, CheckDeadline
from core.checking import Tolerance
from core.checking.steps import SentStep, StepChecker, StepReport, StepSpec
from core.errors import Refusal
from core.problem import Problem

PATH = ("submission", "step")


def check_steps(
    problem: Problem,
    sent: Submission,
    freeze: Sequence[str],
    dtypes: set[str],
    tolerance: Tolerance,
    check_deadline: CheckDeadline,
) -> StepReport:
    """Check the update of a submission."""
    step = sent.step
    assert step is not None  # noqa: S101  # The caller has looked.
    before = state_of(step.optimizer_state_before, step.optimizer, freeze, problem, *PATH, "optimizer_state_before")
    spec = StepSpec(
        optimizer=step.optimizer,
        before=before,
        steps=_sent(step, before.step, sent.gradients),
        rates=rates_of(step.optimizer, problem, *PATH, "optimizer"),
        frozen=freeze,
        convention=sent.convention,
    )
    dtypes = dtypes | {each.dtype for each in (step, *(step.steps or ())) if each.dtype}
    return StepChecker(problem, spec, dtypes, tolerance.rtol, tolerance.atol, check_deadline).report()


def _sent(step: StepSubmission, done: int, gradients: Mapping[str, Mapping[str, Array]] | None) -> list[SentStep]:
    """Return the steps of a submission in order, with the number of each.

    Raises:
        Refusal: `invalid-request` without parameters, with both forms at once, or for steps that are not in order.
    """
    single = step.parameters is not None or step.optimizer_state is not None
    if single == (step.steps is not None):
        detail = (
            "Send either the parameters after one step or `steps`, a list of objects with the parameters after each."
        )
        raise Refusal.of("invalid-request", detail, *PATH)
    found: list[SentStep] = []
    for number, (each, path) in enumerate(_entries(step)):
        completed = each.step or (each.optimizer_state.step if each.optimizer_state else 0) or done + 1
        if completed <= done:
            detail = f"The steps must be in order: {completed} comes after {done}."
            raise Refusal.of("invalid-request", detail, *path, "step", got=completed)
        used = each.gradients or (gradients if number == 0 and completed == done + 1 else None)
        found.append(
            SentStep(
                step=completed,
                path=path,
                parameters=each.parameters or {},
                slots=each.optimizer_state.slots if each.optimizer_state else {},
                gradients=used or {},
            )
        )
        done = completed
    return found


def _entries(step: StepSubmission) -> list[tuple[SubmittedUpdate, tuple[str | int, ...]]]:
    if step.steps is None:
        return [(step, PATH)]
    return [(each, (*PATH, "steps", number)) for number, each in enumerate(step.steps)]
