"""The computation of /v1/invert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.computations.invert.linear_programme import solve
from app.computations.invert.schemas import InvertRequest
from app.http.problem_details import error_of
from app.problem.from_request import refuse_too_many_layers
from app.problem.writer import ProblemWriter, scalar
from app.settings import Settings
from core.arrays import Array, CheckDeadline
from core.convention import Convention, tensor
from core.errors import GraddError, Issue, Refusal
from core.inversion import LayerInversion, check_chain, input_features, invert
from core.losses.half_squared_error import HalfSquaredError
from core.network import INPUT, NetworkLimits
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate


def invert_network(body: InvertRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Compute inputs that the network maps to the targets, in the request's convention."""
    targets, path = _targets(body)
    convention: Convention = body.convention or "row"
    examples = _example_shape(body, targets, convention, settings)
    try:
        problem = _problem(body, targets, examples, settings)
    except GraddError as refusal:
        moved = [_at(issue, ("batch", "targets"), path) for issue in refusal.issues]
        raise Refusal(_at(issue, ("batch", "inputs"), ("reference",)) for issue in moved) from None
    reference = None if body.reference is None else problem.inputs[INPUT]
    with np.errstate(all="ignore"):
        found = invert(problem, reference, solve, check_deadline, tolerance=body.tolerance, null_spaces=body.null_space)
    answer: dict[str, Any] = {
        "feasible": bool(found.feasible.all()),
        "conclusive": found.conclusive,
        "feasible_examples": found.feasible.tolist(),
        "inputs": tensor(found.inputs, convention),
        "output": tensor(found.output, convention),
        "error": scalar(found.errors.max()),
        "errors": found.errors.tolist(),
        "layers": {name: _layer(report, convention, body.null_space) for name, report in found.layers.items()},
    }
    _refuse_large(answer, settings)
    if body.seed is not None:
        answer["parameters"] = ProblemWriter(problem, (), None).parameters(problem.parameters, everything=True)
    warnings = [error_of(issue) for issue in (*body.warnings_of_model, *problem.warnings)]
    return {**answer, "convention": convention, "dtype": problem.dtype.name, "warnings": warnings}


def _targets(body: InvertRequest) -> tuple[Array, tuple[str, ...]]:
    """Return the desired outputs and their path in the request: `targets`, otherwise `batch.targets`.

    Raises:
        Refusal: `invalid-request`, if there are none.
    """
    inside = None if body.batch is None else body.batch.targets
    if body.targets is not None:
        return body.targets, ("targets",)
    if inside is None:
        detail = "The request has no targets, which are the desired outputs."
        raise Refusal.of("invalid-request", detail, "targets", hint='Send "targets" with one row for each example.')
    return inside, ("batch", "targets")


def _example_shape(body: InvertRequest, targets: Array, convention: Convention, settings: Settings) -> tuple[int, ...]:
    """Return the shape of the inputs in the request's convention.

    Raises:
        Refusal: if the number of features cannot be determined, or the inputs would have too many elements.
    """
    features = input_features(body.network.layers, body.parameters or {}, targets, convention)
    sent = body.reference if body.reference is not None else None if body.batch is None else body.batch.inputs
    column = convention == "column"
    if features is None and isinstance(sent, np.ndarray) and sent.ndim:
        features = sent.shape[0 if column else -1]
    if features is None:
        detail = "The number of input features is unknown, because the first weight was not sent."
        hint = "Send the weight; or, if it is drawn from a seed, send a reference, whose shape determines the number."
        raise Refusal.of("missing-parameters", detail, "parameters", hint=hint)
    flat = column and targets.ndim == 1
    examples = 1 if flat or not targets.ndim else targets.shape[-1 if column else 0]
    if features * examples > settings.max_activations:
        detail = (
            f"The inputs would have {features * examples:,} numbers; this server allows {settings.max_activations:,}."
        )
        raise Refusal.of("too-large", detail, expected=settings.max_activations, got=features * examples)
    return (features, examples) if column else (examples, features)


def _problem(body: InvertRequest, targets: Array, shape: tuple[int, ...], settings: Settings) -> Problem:
    """Return the problem with placeholder inputs: the reference, if there is one, otherwise zeros."""
    layers = body.network.layers
    refuse_too_many_layers(len(layers), settings)
    besides = check_chain(layers)
    if body.reference is not None and body.reference.shape not in (shape, _flat(shape, body.convention)):
        besides.append(
            Issue(
                code="shape-mismatch",
                path=("reference",),
                detail=f"The inputs have shape {list(shape)}; the reference has shape {list(body.reference.shape)}.",
                expected=list(shape),
                got=list(body.reference.shape),
            )
        )
    fits = body.reference is not None and not besides
    sent = ProblemSpec(
        layers=layers,
        inputs={INPUT: body.reference if fits and body.reference is not None else np.zeros(shape)},
        parameters=body.parameters or {},
        loss=HalfSquaredError(),
        targets=targets,
        convention=body.convention,
        dtype=body.dtype,
        seed=body.seed,
    )
    limits = NetworkLimits(parameters=settings.max_parameters, activations=settings.max_activations)
    return validate(sent, limits, needs_loss=True, besides=besides)


def _flat(shape: tuple[int, ...], convention: Convention | None) -> tuple[int, ...]:
    """Return the shape of a single example as a flat list, which the column convention accepts."""
    return shape[:1] if convention == "column" and shape[1] == 1 else shape


def _at(issue: Issue, old: tuple[str, ...], new: tuple[str, ...]) -> Issue:
    """Return the issue with its path in the request instead of its path in the core's problem."""
    if issue.path[: len(old)] != old:
        return issue
    words = issue.detail.replace(".".join(old), ".".join(new))
    return Issue(
        code=issue.code,
        path=(*new, *issue.path[len(old) :]),
        detail=words,
        expected=issue.expected,
        got=issue.got,
        equation=issue.equation,
        hint=issue.hint,
    )


def _layer(report: LayerInversion, convention: Convention, null_space: bool) -> dict[str, Any]:
    """Return the report of one layer in the form of the answer."""
    written: dict[str, Any] = {
        "feasible": bool(report.feasible.all()),
        "why": report.why,
        "hidden_image": tensor(report.hidden_image, convention),
    }
    weight = report.weight
    if weight is not None and report.residual is not None:
        written |= {
            "residual": report.residual.tolist(),
            "rank": weight.rank,
            "singular_values": weight.values,
        }
        if null_space and weight.free:
            written["null_space"] = tensor(weight.null_space, convention)
    if report.repaired is not None:
        written["repaired"] = np.flatnonzero(report.repaired).tolist()
    return {name: value for name, value in written.items() if value is not None}


def _refuse_large(answer: Mapping[str, Any], settings: Settings) -> None:
    """Refuse an answer with more numbers than the server allows.

    Raises:
        Refusal: `too-large`.
    """
    parts = [answer["inputs"], answer["output"]]
    parts += [value for layer in answer["layers"].values() for value in layer.values() if isinstance(value, np.ndarray)]
    total = sum(part.size for part in parts)
    if total > settings.max_answer_elements:
        detail = f"The answer would have {total:,} numbers; this server allows {settings.max_answer_elements:,}."
        hint = 'Leave out the bases of the null spaces with "null_space": false.'
        raise Refusal.of("too-large", detail, "null_space", expected=settings.max_answer_elements, got=total, hint=hint)
