"""Shape inference: the shape of every result and parameter of a network, before anything is computed or allocated.

One pass over the layers in execution order connects them, infers every shape and compares every parameter. It does not
stop at the first issue: layers that depend on an unknown shape are skipped, all others are examined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.activations.base import Activation
from core.activations.identity import Identity
from core.arrays import Shape
from core.convention import Convention, tensor_shape
from core.errors import Issue, Refusal
from core.layers import Layer
from core.layers.base import INITIALIZERS
from core.network import INPUT, NetworkLimits, Node, names_of
from core.shape_issues import (
    beyond_limits,
    name_taken,
    no_features,
    stray,
    unknown_initializer,
    wrong_inputs,
    wrong_parameters,
    wrong_state,
)


@dataclass(slots=True)
class ShapeReport:
    """The connected network, and the issues that were found."""

    convention: Convention
    nodes: list[Node] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    """Shape of every tensor that layers may read, by name, batch-first."""
    unknown: set[str] = field(default_factory=set)
    """Names of layers whose shape could not be inferred."""
    issues: list[Issue] = field(default_factory=list)

    def as_sent(self, shape: Shape) -> list[int]:
        """Return a tensor's shape in the caller's convention."""
        return list(tensor_shape(shape, self.convention))


def infer_shapes(
    layers: Sequence[Layer],
    inputs: Mapping[str, Shape],
    parameters: Mapping[str, Mapping[str, Shape]],
    convention: Convention,
    *,
    state: Mapping[str, Mapping[str, Shape]] | None = None,
    seeded: bool = False,
    limits: NetworkLimits | None = None,
) -> ShapeReport:
    """Connect the layers, infer all shapes and compare all parameters.

    Args:
        layers: the layers, in execution order.
        inputs: shapes of the batch's tensors, by name, batch-first.
        parameters: shapes of the parameters as they were sent.
        convention: the convention of the parameters.
        state: shapes of the layers' state, as it was sent.
        seeded: whether parameters that were not sent will be drawn at random.
        limits: the largest network that is accepted.
    """
    limits = limits or NetworkLimits()
    found = ShapeReport(convention, shapes=dict(inputs))
    names = names_of(layers)
    for position, (name, layer) in enumerate(zip(names, layers, strict=True)):
        issues: list[Issue] = []
        if name in found.shapes or name in found.unknown:
            issues.append(name_taken(name, inputs, layer, position + 1))
        previous = names[position - 1] if position else INPUT
        reads = tuple(layer.inputs or [previous])
        issues += wrong_inputs(layer, reads, found.shapes, names[:position])
        node = None
        if not issues and not any(source in found.unknown for source in reads):
            node = _infer_node(position, name, layer, reads, found, issues)
        if node:
            found.nodes.append(node)
            found.shapes[name] = node.shape
            found.issues += wrong_parameters(node, parameters.get(name, {}), found.shapes, convention, seeded=seeded)
            found.issues += wrong_state(node, (state or {}).get(name, {}))
        else:
            found.unknown.add(name)
        found.issues += [issue.below("network", "layers", position) for issue in issues]
    if not layers:
        detail = "A network has at least one layer; this one has none."
        found.issues.append(Issue(code="invalid-request", path=("network", "layers"), detail=detail))
    known = dict.fromkeys(names)
    for field_name, sent in (("parameters", parameters), ("state", state or {})):
        found.issues += [stray(field_name, name, known) for name in sent if name not in known]
    found.issues += beyond_limits(found.nodes, limits)
    return found


def _infer_node(
    position: int, name: str, layer: Layer, reads: tuple[str, ...], found: ShapeReport, issues: list[Issue]
) -> Node | None:
    """Return the node with its shape and parameters, or None after adding the reason to `issues`."""
    function, wrong = function_of(layer)
    issues += wrong
    shapes = [found.shapes[source] for source in reads]
    try:
        shape = layer.result_shape(*shapes, column=found.convention == "column")
        if not function.elementwise and len(shape) < 2:
            issues.append(no_features(function, shape))
    except Refusal as refusal:
        equation = layer.equation(found.convention)
        issues += [
            Issue(
                code=issue.code,
                path=issue.path,
                detail=f"Layer {name!r}: {issue.detail}",
                expected=issue.expected,
                got=issue.got,
                equation=issue.equation or equation,
                hint=issue.hint,
            )
            for issue in refusal.issues
        ]
        return None
    if 0 in shape:
        issues.append(
            Issue(code="shape-mismatch", detail=f"The result of layer {name!r} would be empty: {list(shape)}.")
        )
        return None
    parameters, state, working_size = layer.parameters(*shapes), layer.state(*shapes), layer.working_size(*shapes)
    return Node(position, name, layer, reads, function, shape, parameters, state, working_size)


def function_of(layer: Layer) -> tuple[Activation, list[Issue]]:
    """Return the activation function of a layer, and an issue for each unknown function or initializer that it names."""
    initializer = str(getattr(layer, "initializer", "default"))
    issues = [] if initializer in ("default", *INITIALIZERS) else [unknown_initializer(initializer[:60])]
    try:
        return layer.activation_function(), issues
    except Refusal as refusal:
        named = isinstance(layer.activation, str)
        issues += [_at_activation(issue) if named else issue.below("activation") for issue in refusal.issues]
        return Identity(), issues


def _at_activation(issue: Issue) -> Issue:
    return Issue(
        code=issue.code,
        path=("activation",),
        detail=issue.detail,
        expected=issue.expected,
        got=issue.got,
        hint=issue.hint,
    )
