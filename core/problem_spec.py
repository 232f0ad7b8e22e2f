"""ProblemSpec, a problem as it was sent, and its validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from core.accepted_shapes import documented_parameter, documented_targets
from core.arrays import Array, Shape
from core.convention import CONVENTIONS, Convention, layer_parameters, tensor
from core.errors import Issue, Refusal, refuse_if_any
from core.feedback_alignment import SentFeedback, feedback_of
from core.initializers import initial_parameters
from core.layers import Layer
from core.losses import Loss
from core.network import INPUT, Limits
from core.nonfinite import cast
from core.plan import Objective
from core.problem import Problem
from core.problem_warnings import activation_applied_twice, unread_layers
from core.shape_inference import ShapeReport, infer_shapes
from core.targets import coefficients_for, fitted, targets_for


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemSpec:
    """A problem as it was sent: unchecked, with every array in the caller's convention."""

    layers: Sequence[Layer]
    inputs: Mapping[str, Array]
    parameters: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    state: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    loss: Loss | None = None
    targets: Array | None = None
    upstream: Array | None = None
    sample_weight: Array | None = None
    first_label: int = 0
    convention: Convention | None = None
    dtype: Literal["float64", "float32"] = "float64"
    seed: int | None = None
    feedback: SentFeedback | None = None


def validate(
    sent: ProblemSpec, limits: Limits | None = None, *, needs_loss: bool = True, besides: Sequence[Issue] = ()
) -> Problem:
    """Check a problem and bring it to the core's view.

    Args:
        sent: The problem as it was sent. Shapes of `core/accepted_shapes.py` are brought to the documented ones.
        limits: The largest problem that is accepted.
        needs_loss: Whether a problem without a loss is refused.
        besides: Issues that were found elsewhere in the request.

    Raises:
        Refusal: with every issue that was found; where shapes do not fit, the convention that would fit is named.
    """
    convention = sent.convention or "row"
    examined = _examined(sent, convention, limits, needs_loss=needs_loss)
    found, documented = examined.found, examined.spec
    issues = [*besides, *_unreadable(sent), *examined.issues]
    if any(issue.code == "shape-mismatch" for issue in issues):
        issues = _with_fitting_conventions(issues, sent, convention, limits)
    refuse_if_any(issues)
    dtype = np.dtype(sent.dtype)
    parameters = {}
    for node in found.nodes:
        drawn = {} if sent.seed is None else initial_parameters(node, found.nodes, sent.seed, dtype)
        given = layer_parameters(documented.parameters.get(node.name, {}), node.parameters, convention)
        parameters[node.name] = {name: given.get(name, drawn.get(name)) for name in node.parameters}
    return Problem(
        nodes=found.nodes,
        inputs={name: cast(array, dtype, *_at_input(sent, name)) for name, array in examined.inputs.items()},
        parameters={
            layer: {
                name: cast(array, dtype, "parameters", layer, name)
                for name, array in named.items()
                if array is not None
            }
            for layer, named in parameters.items()
        },
        objective=examined.objective,
        convention=convention,
        dtype=dtype,
        warnings=[
            *_ambiguity(sent, documented, limits),
            *unread_layers(found.nodes),
            *activation_applied_twice(found.nodes, sent.loss if examined.objective else None),
        ],
        state={
            layer: {name: cast(array, dtype, "state", layer, name) for name, array in named.items()}
            for layer, named in sent.state.items()
        },
        feedback=feedback_of(sent.feedback, found.nodes, convention, dtype) if sent.feedback else None,
        sent_shapes=_sent_shapes(sent, documented),
    )


@dataclass(frozen=True, slots=True)
class _Examined:
    """A problem as one convention reads it."""

    spec: ProblemSpec
    """The problem with its tensors in documented shapes, as far as they could be brought to them."""
    found: ShapeReport
    inputs: dict[str, Array]
    objective: Objective | None
    issues: list[Issue]

    @property
    def fits(self) -> bool:
        """True if every shape fits, whatever else may be wrong."""
        return not any(issue.code == "shape-mismatch" for issue in self.issues)


def _examined(
    sent: ProblemSpec, convention: Convention, limits: Limits | None, *, needs_loss: bool = False, exactly: bool = False
) -> _Examined:
    """Infer all shapes in one convention; `exactly` accepts documented shapes only."""
    found, inputs = _surveyed(sent, convention, limits)
    objective, issues = _objective(sent, found, convention, needs_loss)
    examined = _Examined(sent, found, inputs, objective, [*found.issues, *issues])
    if examined.fits or exactly:
        return examined
    documented = _documented(sent, found, convention)
    if documented is sent:
        return examined
    return _examined(documented, convention, limits, needs_loss=needs_loss, exactly=True)


def _documented(sent: ProblemSpec, found: ShapeReport, convention: Convention) -> ProblemSpec:
    """The same problem with every tensor of an accepted shape in its documented one; `sent` itself if there is none."""
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
    return sent if same_tensors and not _sent_shapes(sent, documented) else documented


def _sent_shapes(sent: ProblemSpec, documented: ProblemSpec) -> dict[str, dict[str, Shape]]:
    """The shape of each parameter that was brought to another one."""
    if documented is sent:
        return {}
    shapes = {
        layer: {name: array.shape for name, array in named.items() if array is not documented.parameters[layer][name]}
        for layer, named in sent.parameters.items()
    }
    return {layer: named for layer, named in shapes.items() if named}


def _surveyed(sent: ProblemSpec, convention: Convention, limits: Limits | None) -> tuple[ShapeReport, dict[str, Array]]:
    """Infer all shapes in one convention; return them with the inputs in the core's view."""
    inputs = {}
    for name, array in sent.inputs.items():
        flat = convention == "column" and array.ndim == 1
        inputs[name] = array.reshape(1, -1) if flat else tensor(array, convention)
    parameters = {
        layer: {name: array.shape for name, array in named.items()} for layer, named in sent.parameters.items()
    }
    shapes = {name: array.shape for name, array in inputs.items()}
    state = {layer: {name: array.shape for name, array in named.items()} for layer, named in sent.state.items()}
    seeded = sent.seed is not None
    return infer_shapes(sent.layers, shapes, parameters, convention, state=state, seeded=seeded, limits=limits), inputs


def _at_input(sent: ProblemSpec, name: str) -> tuple[str, ...]:
    """The path of an input in the request, with its name if the inputs are named."""
    return ("batch", "inputs") if set(sent.inputs) == {INPUT} else ("batch", "inputs", name)


def _unreadable(sent: ProblemSpec) -> list[Issue]:
    """The issues for inputs that are single numbers and so have no axis of examples."""
    return [
        Issue(
            code="shape-mismatch",
            path=_at_input(sent, name),
            detail=f"The input {name!r} is a single number; a batch is a tensor whose examples can be counted.",
            hint="Send one example with one feature as [[x]].",
        )
        for name, array in sent.inputs.items()
        if not array.ndim
    ]


def _objective(
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
    issues, targets, coefficients = [], np.empty(0), np.empty(0)
    try:
        if loss.needs_targets:
            targets = targets_for(loss, source, output, convention, sent.first_label, dtype)
        else:
            targets = fitted(source, output, convention, ("batch", name), dtype, loss)
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


def _with_fitting_conventions(
    issues: list[Issue], sent: ProblemSpec, convention: Convention, limits: Limits | None
) -> list[Issue]:
    """The same issues; the shape mismatches among them name the conventions in which everything fits."""
    fitting = [other for other in CONVENTIONS if other != convention and _examined(sent, other, limits).fits]
    if not fitting:
        return issues
    advice = "These shapes fit " + " and ".join(f'"convention": "{other}"' for other in fitting) + "."
    return [
        replace(issue, hint=f"{issue.hint} {advice}" if issue.hint else advice)
        if issue.code == "shape-mismatch"
        else issue
        for issue in issues
    ]


def _ambiguity(sent: ProblemSpec, documented: ProblemSpec, limits: Limits | None) -> list[Issue]:
    """A warning where no convention was named and the weights fit more than one."""
    if sent.convention is not None:
        return []
    matrices = [
        array for layer, named in documented.parameters.items() for name, array in named.items() if array.ndim == 2
    ]
    flat = [
        name
        for layer, named in _sent_shapes(sent, documented).items()
        for name in named
        if documented.parameters[layer][name].ndim == 2
    ]
    if not matrices:
        return []
    # A flat weight is read alike in `row` and `torch`; `column` reads other inputs with it.
    others: list[Convention] = ["column"] if len(flat) == len(matrices) else ["column", "torch"]
    exactly = documented is sent
    fitting = [other for other in others if _examined(sent, other, limits, exactly=exactly).fits]
    if not fitting:
        return []
    named_conventions = " and ".join(f"{other!r}" for other in fitting)
    return [
        Issue(
            code="ambiguous-convention",
            path=("convention",),
            detail="No convention was named and 'row' was taken; the same shapes also fit "
            f"{named_conventions}, with other results.",
            hint='Send "convention".',
        )
    ]
