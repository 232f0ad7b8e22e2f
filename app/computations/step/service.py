"""The computation of /v1/step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.computations.step.schemas import StepRequest
from app.http.problem_details import error_of
from app.problem.from_request import problem_of
from app.problem.learning_rates import rates_of
from app.problem.optimizer_state import state_of
from app.problem.writer import ProblemWriter, scalar
from app.settings import Settings
from core.arrays import CheckDeadline
from core.convention import layer_parameters
from core.derivatives import per_example
from core.errors import Issue, Refusal
from core.training.minibatches import Minibatches
from core.training.start import diagnose_start
from core.training.stepper import Stepper
from core.training.trainable import Trainable


def take_steps(body: StepRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Update the parameters of a problem with an optimizer."""
    problem = problem_of(body, settings, needs_loss=True, takes_feedback=True)
    rendering = ProblemWriter(problem, (), None)
    rendering.refuse_large(settings.max_answer_elements, seeded=True)
    trainable = Trainable(problem.nodes, body.freeze or ())
    state = state_of(body.optimizer_state, body.optimizer, body.freeze or (), problem, "optimizer_state")
    rates = rates_of(body.optimizer, problem)
    per_example.refuse_divided(problem, body.batch_size)
    size = body.batch_size or (len(problem.objective.targets) if problem.objective else 1)
    stepper = Stepper(body.optimizer, trainable, problem.parameters, problem.dtype, state=state, rates=rates)
    batches = Minibatches(
        replace(problem, parameters=stepper.parameters),
        size,
        shuffle=body.shuffle,
        seed=body.shuffle_seed,
        gradients=stepper.gradients,
        check_deadline=check_deadline,
    )
    diagnoses = diagnose_start(problem)
    losses = np.empty(body.steps)
    with np.errstate(all="ignore"):
        plan = batches.plan(state.step)
        for number in range(body.steps):
            if number:
                plan = batches.plan(state.step + number)
            try:
                losses[number] = stepper.step(plan)
            except Refusal as refusal:
                raise _at_step(refusal, stepper, body.steps) from None
            batches.carry_state()
    after = stepper.state()
    answer: dict[str, Any] = {
        "parameters": rendering.parameters(plan.parameters, everything=True),
        "optimizer_state": {
            "step": after.step,
            "slots": {
                name: {
                    layer: layer_parameters(named, rendering.nodes[layer].parameters, problem.convention)
                    for layer, named in slot.items()
                }
                for name, slot in after.slots.items()
            },
            "scalars": after.scalars,
        },
        "step": after.step,
    }
    if problem.objective and problem.objective.loss.needs_targets:
        terms = plan.loss.terms
        answer |= {
            "loss": scalar(plan.loss.total),
            "loss_terms": {name: scalar(value) for name, value in terms.items()},
            "losses": losses.astype(problem.dtype),
        }
    if plan.new_state:
        answer["state"] = plan.new_state
    warnings = [error_of(issue) for issue in (*problem.warnings, *plan.warnings, *diagnoses)]
    return {**answer, "convention": problem.convention, "dtype": problem.dtype.name, "warnings": warnings}


def _at_step(refusal: Refusal, stepper: Stepper, steps: int) -> Refusal:
    """Return the refusal with the number of the step in which it occurred."""
    if steps == 1:
        return refusal
    return Refusal(
        Issue(
            code=issue.code,
            path=issue.path,
            detail=issue.detail
            if issue.detail.startswith("Step")
            else f"In step {stepper.memory.step}: {issue.detail}",
            expected=issue.expected,
            got=issue.got,
            hint=issue.hint or 'Use a smaller learning_rate, or set "gradient_clip_norm".',
        )
        for issue in refusal.issues
    )
