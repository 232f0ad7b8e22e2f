"""Conversion of requests to problems of the core, and checks that the computations share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.http.problem_details import MOST_ERRORS
from app.problem.schemas import Feedback
from app.problem.schemas import Problem as ProblemBody
from app.settings import Settings
from core.errors import Issue, Refusal, did_you_mean
from core.feedback_alignment import FeedbackSpec
from core.network import INPUT, NetworkLimits
from core.problem import Problem
from core.problem_form import ProblemForm
from core.problem_reading import infer
from core.problem_spec import ProblemSpec
from core.problem_validation import validate_form
from core.shape_inference import ShapeReport


def problem_of(
    body: ProblemBody,
    settings: Settings,
    *,
    needs_loss: bool,
    besides: Callable[[], Sequence[Issue]] = tuple,
    takes_feedback: bool = False,
) -> Problem:
    """Return the validated problem of a request.

    Args:
        body: the request.
        settings: the settings of the server.
        needs_loss: whether the computation needs a loss.
        besides: returns issues with other fields of the request.
        takes_feedback: whether the computation supports feedback alignment.

    Raises:
        Refusal: with all errors of the request.
    """
    refuse_too_many_layers(len(body.network.layers), settings)
    sent = _spec(body, _feedback(body, takes_feedback))

    def form() -> ProblemForm:
        report = shapes_of(body, settings)
        return validate_form(sent, _limits(settings), needs_loss=needs_loss, besides=besides(), report=report)

    problem = body.use.once(("problem", needs_loss), form).fill(sent)
    warned = body.warnings_of_model
    return replace(problem, warnings=(*warned, *problem.warnings)) if warned else problem


def shapes_of(body: ProblemBody, settings: Settings) -> ShapeReport:
    """Return the network of a request with its shapes as they were sent, inferred once for each form.

    Raises:
        Refusal: `too-large`, if the network has too many layers.
    """

    def report() -> ShapeReport:
        refuse_too_many_layers(len(body.network.layers), settings)
        sent = _spec(body, None)
        return infer(sent, sent.convention or "row", _limits(settings))

    return body.use.once("shapes", report)


def _limits(settings: Settings) -> NetworkLimits:
    return NetworkLimits(parameters=settings.max_parameters, activations=settings.max_activations)


def _spec(body: ProblemBody, feedback: FeedbackSpec | None) -> ProblemSpec:
    """Return the problem of a request as it was sent."""
    batch = body.batch
    return ProblemSpec(
        layers=body.network.layers,
        inputs=batch.inputs if isinstance(batch.inputs, dict) else {INPUT: batch.inputs},
        parameters=body.parameters or {},
        state=body.state or {},
        loss=body.loss,
        targets=batch.targets,
        upstream=batch.upstream,
        sample_weight=batch.sample_weight,
        first_label=batch.first_label,
        convention=body.convention,
        dtype=body.dtype,
        seed=body.seed,
        feedback=feedback,
    )


def _feedback(body: ProblemBody, takes_feedback: bool) -> FeedbackSpec | None:
    feedback = body.feedback
    if feedback is None:
        return None
    if not takes_feedback:
        detail = "Feedback alignment computes directions for training, but this computation needs the true derivatives."
        hint = "Leave out feedback; POST /v1/gradients compares its directions with the gradients."
        raise Refusal.of("invalid-request", detail, "feedback", hint=hint)
    return feedback_spec(feedback)


def feedback_spec(feedback: Feedback | None) -> FeedbackSpec | None:
    """Return the feedback of a request as the core takes it."""
    if feedback is None:
        return None
    return FeedbackSpec(kind=feedback.kind, seed=feedback.seed, weights=feedback.weights or {})


def unknown_names(field: str, asked: Sequence[str], valid: Sequence[str]) -> list[Issue]:
    """Return an issue for each name that is not valid."""
    issues: list[Issue] = []
    for position, name in enumerate(asked):
        if name not in valid:
            issues.append(
                Issue(
                    code="unknown-name",
                    path=(field, position),
                    detail=f"{name[:60]!r} is not one of {', '.join(valid[:50])}.",
                    expected=list(valid[:50]),
                    got=name[:60],
                    hint=did_you_mean(name, valid) if len(issues) < MOST_ERRORS else None,
                )
            )
    return issues


def refuse_too_many_layers(layers: int, settings: Settings) -> None:
    """Refuse a network with more layers than this server allows.

    Raises:
        Refusal: `too-large`.
    """
    if layers > settings.max_layers:
        detail = f"The network has {layers:,} layers; this server allows {settings.max_layers:,}."
        raise Refusal.of("too-large", detail, "network", "layers", expected=settings.max_layers, got=layers)
