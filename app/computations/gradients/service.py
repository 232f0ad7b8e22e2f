"""The computations of /v1/forward and /v1/gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from app.computations.gradients import feedback, per_example
from app.computations.gradients.schemas import ForwardRequest, GradientsRequest
from app.http.problem_details import error_of
from app.problem.from_request import problem_of, unknown_names
from app.problem.schemas import FORWARD_PARTS, GRADIENTS_PARTS
from app.problem.writer import ProblemWriter, scalar
from app.settings import Settings
from core.arrays import CheckDeadline
from core.derivatives.certificate import certify
from core.diagnoses import diagnose
from core.errors import Issue
from core.network import names_of
from core.plan import Plan, Retain
from core.problem import Problem


def compute_forward(body: ForwardRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute the forward pass of a problem."""
    problem = problem_of(
        body, settings, needs_loss=False, besides=unknown_parts(body, FORWARD_PARTS), takes_feedback=True
    )
    rendering = ProblemWriter(problem, body.include, body.layers)
    rendering.refuse_large(settings.max_answer_elements, seeded=body.seed is not None)
    retain = Retain(preactivations="preactivations" in rendering.parts)
    plan = problem.plan(backward=False, retain=retain, check_deadline=check_deadline)
    with np.errstate(all="ignore"):
        plan.forward()
    return {**_results(plan, problem, rendering), **_closing(plan, body, rendering)}


def compute_gradients(body: GradientsRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute the forward and the backward pass of a problem."""
    problem = problem_of(
        body, settings, needs_loss=True, besides=unknown_parts(body, GRADIENTS_PARTS), takes_feedback=True
    )
    rendering = ProblemWriter(problem, body.include, body.layers)
    rendering.refuse_large(settings.max_answer_elements, seeded=body.seed is not None)
    per_example.refuse_coupled(rendering, body.include)
    if problem.feedback and body.verify:
        feedback.refuse_verify()
    parts = rendering.parts
    retain = Retain(
        preactivations=True,  # The diagnoses of kinks and dead units read them.
        deltas="deltas" in parts,
        input_gradients="input_gradient" in parts or body.verify,
    )
    plan = problem.plan(retain=retain, check_deadline=check_deadline)
    with np.errstate(all="ignore"):
        plan.forward()
        plan.backward()
    answer = _results(plan, problem, rendering)
    if "deltas" in parts:
        answer["deltas"] = rendering.tensors(plan.gradients.deltas)
    if "gradients" in parts:
        answer["gradients"] = rendering.parameters(plan.gradients.gradients)
    if "input_gradient" in parts:
        answer["input_gradient"] = rendering.named_inputs(plan.gradients.input_gradients)
    answer |= per_example.per_example_answer(plan, rendering, check_deadline) | feedback.feedback_answer(
        plan, rendering, check_deadline
    )
    if body.verify:
        certificate = certify(problem, plan.gradients.gradients, plan.gradients.input_gradients)
        answer["certificate"] = dataclasses.asdict(certificate)
    return {**answer, **_closing(plan, body, rendering, *diagnose(plan))}


def _results(plan: Plan, problem: Problem, rendering: ProblemWriter) -> dict[str, Any]:
    """Return the parts that both computations have: the loss, if there is one, and the tensors of the forward pass."""
    answer: dict[str, Any] = {}
    objective, parts = problem.objective, rendering.parts
    if objective and objective.loss.needs_targets:
        if "loss" in parts:
            terms = plan.loss.terms
            answer["loss"] = scalar(plan.loss.total)
            answer["loss_terms"] = {name: scalar(value) for name, value in terms.items()}
            answer["loss_formula"] = objective.loss.batch_formula()
        if "per_example_losses" in parts:
            answer["per_example_losses"] = plan.loss.per_example()
    elif objective and "loss" in parts:
        answer["loss_formula"] = objective.loss.batch_formula()
    if "output" in parts:
        answer["output"] = rendering.tensor(plan.output)
    if "preactivations" in parts:
        answer["preactivations"] = rendering.tensors(plan.preactivations)
    if "activations" in parts:
        answer["activations"] = rendering.tensors(plan.activations)
    return answer


def _closing(
    plan: Plan, body: ForwardRequest | GradientsRequest, rendering: ProblemWriter, *diagnoses: Issue
) -> dict[str, Any]:
    """Return the fields at the end of every answer."""
    problem = rendering.problem
    closing: dict[str, Any] = {}
    if body.seed is not None:
        closing["parameters"] = rendering.parameters(plan.parameters, everything=True)
    if plan.new_state:
        closing["state"] = plan.new_state
    if plan.reported:
        closing["reported"] = plan.reported
    warnings = [error_of(issue) for issue in (*problem.warnings, *plan.warnings, *diagnoses)]
    return {**closing, "convention": problem.convention, "dtype": problem.dtype.name, "warnings": warnings}


def unknown_parts(body: ForwardRequest | GradientsRequest, valid: Sequence[str]) -> list[Issue]:
    """Return an issue for every requested part or layer that does not exist."""
    names = names_of(body.network.layers)
    return [*unknown_names("include", body.include, valid), *unknown_names("layers", body.layers or [], names)]
