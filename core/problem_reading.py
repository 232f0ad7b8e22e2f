"""ProblemReading: a problem as one convention reads it, with every shape inferred and every misfit found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.accepted_shapes import documented_parameter, documented_targets
from core.arrays import Array, Shape
from core.convention import Convention, tensor
from core.errors import Issue, Refusal
from core.losses import Loss
from core.network import NetworkLimits
from core.plan import Objective
from core.problem_spec import ProblemSpec
from core.shape_inference import ShapeReport, infer_shapes
from core.targets import coefficients_for, fit_to_output, targets_for

_NONE = np.empty(0)
"""Targets and shares that could not be read."""


@dataclass(frozen=True, slots=True)
class ProblemReading:
    """A problem as one convention reads it."""

    spec: ProblemSpec
    """The problem with its tensors in documented shapes, as far as they could be brought to them."""
    report: ShapeReport
    objective: Objective | None
    issues: list[Issue]

    @property
    def fits(self) -> bool:
        """Whether every shape fits, whatever else may be wrong."""
        return not any(issue.code == "shape-mismatch" for issue in self.issues)


def read_problem(
    sent: ProblemSpec,
    convention: Convention,
    limits: NetworkLimits | None,
    *,
    needs_loss: bool = False,
    exactly: bool = False,
    report: ShapeReport | None = None,
) -> ProblemReading:
    """Infer all shapes in one convention, unless `report` has them; `exactly` accepts documented shapes only."""
    found = report or infer(sent, convention, limits)
    objective, issues = read_objective(sent, found, convention, needs_loss)
    reading = ProblemReading(sent, found, objective, [*found.issues, *issues])
    if reading.fits or exactly:
        return reading
    documented = in_documented_shapes(sent, found, convention)
    if documented is sent:
        return reading
    return read_problem(documented, convention, limits, needs_loss=needs_loss, exactly=True)


def in_documented_shapes(sent: ProblemSpec, found: ShapeReport, convention: Convention) -> ProblemSpec:
    """Return the problem with every tensor of an accepted shape in its documented one; `sent` itself if there is none."""
    nodes = {node.name: node for node in found.nodes}
    changed = {
        layer: {
            name: documented_parameter(array, nodes[layer].parameters[name], convention)
            if layer in nodes and name in nodes[layer].parameters
            else array
            for name, array in named.items()
        }
        for layer, named in sent.parameters.items()
    }
    targets, upstream = sent.targets, sent.upstream
    if sent.loss and found.nodes and found.nodes[-1].position + 1 == len(sent.layers):
        output = found.nodes[-1].shape
        if targets is not None:
            targets = documented_targets(targets, output, convention, sent.loss)
        if upstream is not None:
            upstream = documented_targets(upstream, output, convention, sent.loss)
    documented = replace(sent, parameters=changed, targets=targets, upstream=upstream)
    same_tensors = documented.targets is sent.targets and documented.upstream is sent.upstream
    return sent if same_tensors and not sent_shapes(sent, documented) else documented


def sent_shapes(sent: ProblemSpec, documented: ProblemSpec) -> dict[str, dict[str, Shape]]:
    """Return the shape that was sent for each parameter that was brought to another one."""
    if documented is sent:
        return {}
    shapes = {
        layer: {name: array.shape for name, array in named.items() if array is not documented.parameters[layer][name]}
        for layer, named in sent.parameters.items()
    }
    return {layer: named for layer, named in shapes.items() if named}


def oriented_inputs(sent: ProblemSpec, convention: Convention) -> dict[str, Array]:
    """Return the inputs batch-first. Under `column` a flat list is a single example."""
    inputs = {}
    for name, array in sent.inputs.items():
        flat = convention == "column" and array.ndim == 1
        inputs[name] = array.reshape(1, -1) if flat else tensor(array, convention)
    return inputs


def infer(sent: ProblemSpec, convention: Convention, limits: NetworkLimits | None) -> ShapeReport:
    """Return the network of a problem as it was sent, with all shapes in one convention."""
    parameters = {
        layer: {name: array.shape for name, array in named.items()} for layer, named in sent.parameters.items()
    }
    shapes = {name: array.shape for name, array in oriented_inputs(sent, convention).items()}
    state = {layer: {name: array.shape for name, array in named.items()} for layer, named in sent.state.items()}
    seeded = sent.seed is not None
    return infer_shapes(sent.layers, shapes, parameters, convention, state=state, seeded=seeded, limits=limits)


def read_objective(
    sent: ProblemSpec, found: ShapeReport, convention: Convention, needs_loss: bool
) -> tuple[Objective | None, list[Issue]]:
    """Return the loss with its targets, and the issues with them."""
    loss = sent.loss
    source, name = (sent.targets, "targets") if loss is None or loss.needs_targets else (sent.upstream, "upstream")
    if loss is None or source is None:
        if not needs_loss and source is None:
            return None, []
        if not needs_loss and loss is None:
            return None, []
        return None, [_missing(loss, name)]
    oversized = any(issue.code == "too-large" for issue in found.issues)
    if oversized or found.unknown or not found.nodes or found.nodes[-1].position + 1 != len(sent.layers):
        return None, []
    output = found.nodes[-1].shape or (1,)
    source = source.reshape(1) if not found.nodes[-1].shape and not source.ndim else source
    dtype = np.dtype(sent.dtype)
    issues, targets, coefficients = [], _NONE, _NONE
    try:
        if loss.needs_targets:
            targets = targets_for(loss, source, output, convention, sent.first_label, dtype)
        else:
            targets = fit_to_output(source, output, convention, ("batch", name), dtype, loss)
    except Refusal as refusal:
        issues += refusal.issues
    try:
        coefficients = coefficients_for(loss, output[0], sent.sample_weight, dtype)
    except Refusal as refusal:
        issues += refusal.issues
    return Objective(loss, targets, coefficients), issues


def _missing(loss: Loss | None, name: str) -> Issue:
    if loss is None:
        return Issue(
            code="invalid-request",
            path=("loss",),
            detail="Gradients are those of a loss, and the request names none.",
            hint='For instance "loss": {"kind": "half_squared_error"}; with a gradient of your own at the output, '
            '"loss": {"kind": "upstream"} and "batch": {"upstream": ...}.',
        )
    return Issue(
        code="invalid-request",
        path=("batch", name),
        detail=f"The loss {loss.kind} needs batch.{name}, and the request has none.",
    )
