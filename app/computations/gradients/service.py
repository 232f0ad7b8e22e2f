"""The computations of /v1/forward and /v1/gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from app.computations.gradients import feedback, per_example
from app.computations.gradients.schemas import ForwardRequest, GradientsRequest
from app.http.problem_details import error_of
from app.problem.from_request import problem_of, unknown_names
from app.problem.planned import Planned, plan_for
from app.problem.schemas import FORWARD_PARTS, GRADIENTS_PARTS
from app.problem.writer import ProblemWriter, scalar
from app.settings import Settings
from core.arrays import CheckDeadline
from core.derivatives.certificate import certify
from core.diagnoses import bind
from core.errors import Issue
from core.network import names_of
from core.plan import Plan, Retain


def compute_forward(body: ForwardRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute the forward pass of a problem."""
    problem = problem_of(
        body, settings, needs_loss=False, besides=partial(unknown_parts, body, FORWARD_PARTS), takes_feedback=True
    )
    writer = ProblemWriter(problem, body.include, body.layers)
    body.use.once("size", partial(_refuse_large, writer, body, settings))
    retain = Retain(preactivations="preactivations" in writer.parts)
    planned = plan_for(problem, body.use, check_deadline, backward=False, retain=retain)
    with np.errstate(all="ignore"):
        planned.plan.forward()
    tensors = _views(planned, writer, partial(_forward_tensors, planned.plan, writer))
    return {**_losses(planned.plan, writer), **tensors, **_closing(planned, body, writer)}


def compute_gradients(body: GradientsRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute the forward and the backward pass of a problem."""
    problem = problem_of(
        body, settings, needs_loss=True, besides=partial(unknown_parts, body, GRADIENTS_PARTS), takes_feedback=True
    )
    writer = ProblemWriter(problem, body.include, body.layers)
    body.use.once("size", partial(_refuse_large, writer, body, settings))
    per_example.refuse_coupled(writer, body.include)
    if problem.feedback and body.verify:
        feedback.refuse_verify()
    retain = Retain(
        preactivations=True,  # The diagnoses of kinks and dead units read them.
        deltas="deltas" in writer.parts,
        input_gradients="input_gradient" in writer.parts or body.verify,
    )
    planned = plan_for(problem, body.use, check_deadline, retain=retain)
    plan = planned.plan
    with np.errstate(all="ignore"):
        plan.forward()
        plan.backward()
    answer = _losses(plan, writer)
    answer |= _views(planned, writer, lambda: _forward_tensors(plan, writer) | _backward_tensors(plan, writer))
    answer |= per_example.per_example_answer(plan, writer, check_deadline)
    answer |= feedback.feedback_answer(plan, writer, check_deadline)
    if body.verify:
        certificate = certify(problem, plan.gradients.gradients, plan.gradients.input_gradients)
        answer["certificate"] = dataclasses.asdict(certificate)
    return {**answer, **_closing(planned, body, writer, *planned.once("diagnoses", partial(bind, plan))())}


def _refuse_large(writer: ProblemWriter, body: ForwardRequest | GradientsRequest, settings: Settings) -> None:
    writer.refuse_large(settings.max_answer_elements, seeded=body.seed is not None)


def _views(planned: Planned, writer: ProblemWriter, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return views of the plan's arrays, made once for each plan. Shapes that were sent otherwise may need copies."""
    return make() if writer.problem.sent_shapes else planned.once("tensors", make)


def _losses(plan: Plan, writer: ProblemWriter) -> dict[str, Any]:
    """Return the parts of the loss, if there is one."""
    answer: dict[str, Any] = {}
    objective, parts = writer.problem.objective, writer.parts
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
    return answer


def _forward_tensors(plan: Plan, writer: ProblemWriter) -> dict[str, Any]:
    """Return the tensors of the forward pass, as views of the plan's arrays."""
    tensors: dict[str, Any] = {}
    if "output" in writer.parts:
        tensors["output"] = writer.tensor(plan.output)
    if "preactivations" in writer.parts:
        tensors["preactivations"] = writer.tensors(plan.preactivations)
    if "activations" in writer.parts:
        tensors["activations"] = writer.tensors(plan.activations)
    return tensors


def _backward_tensors(plan: Plan, writer: ProblemWriter) -> dict[str, Any]:
    """Return the tensors of the backward pass, as views of the plan's arrays."""
    tensors: dict[str, Any] = {}
    if "deltas" in writer.parts:
        tensors["deltas"] = writer.tensors(plan.gradients.deltas)
    if "gradients" in writer.parts:
        tensors["gradients"] = writer.parameters(plan.gradients.gradients)
    if "input_gradient" in writer.parts:
        tensors["input_gradient"] = writer.named_inputs(plan.gradients.input_gradients)
    return tensors


def _closing(
    planned: Planned, body: ForwardRequest | GradientsRequest, writer: ProblemWriter, *diagnoses: Issue
) -> dict[str, Any]:
    """Return the fields at the end of every answer."""
    plan, problem = planned.plan, writer.problem
    closing: dict[str, Any] = {}
    if body.seed is not None:
        closing["parameters"] = writer.parameters(plan.parameters, everything=True)
    if state := plan.new_state:
        closing["state"] = state
    if reported := plan.reported:
        closing["reported"] = reported
    warnings = [error_of(issue) for issue in (*problem.warnings, *plan.warnings, *diagnoses)]
    return {**closing, "convention": problem.convention, "dtype": body.dtype, "warnings": warnings}


def unknown_parts(body: ForwardRequest | GradientsRequest, valid: Sequence[str]) -> list[Issue]:
    """Return an issue for every requested part or layer that does not exist."""
    names = names_of(body.network.layers)
    return [*unknown_names("include", body.include, valid), *unknown_names("layers", body.layers or [], names)]
