"""Survey: everything about a problem that follows from its shapes alone, before anything is computed or allocated.

One walk over the layers in execution order wires them, infers every shape and compares every parameter. It never stops
at the first issue: what depends on something unknown is passed over, all else is looked at.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.activations.base import Activation
from core.activations.identity import Identity
from core.arrays import Shape
from core.convention import Convention, parameter_shape, tensor_shape
from core.errors import Issue, Refusal
from core.layers import Layer, Parameter
from core.layers.base import INITIALIZERS

INPUT = "input"
"""The name under which layers read the batch."""


@dataclass(frozen=True, slots=True)
class Node:
    """One layer in its place in the network."""

    position: int
    name: str
    layer: Layer
    reads: tuple[str, ...]
    function: Activation
    shape: Shape
    """Shape of the result, batch-first."""
    parameters: dict[str, Parameter]
    state: dict[str, Shape] = field(default_factory=dict)
    working_size: int = 0
    """How many numbers the layer keeps beside its result."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest problem that is accepted."""

    parameters: int = 2**63
    """Numbers in all parameters together."""

    activations: int = 2**63
    """Numbers in all layers' results, and in what they keep beside them, together."""


@dataclass(slots=True)
class Survey:
    """The outcome: the wired network, and the issues that were found on the way."""

    convention: Convention
    nodes: list[Node] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    """Shape of every tensor that layers may read, by name, batch-first."""
    unknown: set[str] = field(default_factory=set)
    """Names of layers whose shape could not be worked out."""
    issues: list[Issue] = field(default_factory=list)

    def as_sent(self, shape: Shape) -> list[int]:
        """A tensor's shape as the caller writes it."""
        return list(tensor_shape(shape, self.convention))


def names_of(layers: Sequence[Layer]) -> list[str]:
    """Each layer's name: its own, or its position counted from 1."""
    return [layer.name or str(position) for position, layer in enumerate(layers, 1)]


def survey(
    layers: Sequence[Layer],
    inputs: Mapping[str, Shape],
    parameters: Mapping[str, Mapping[str, Shape]],
    convention: Convention,
    *,
    state: Mapping[str, Mapping[str, Shape]] | None = None,
    seeded: bool = False,
    limits: Limits | None = None,
) -> Survey:
    """Wire the layers, infer all shapes and compare all parameters.

    Args:
        layers: the layers, in execution order.
        inputs: shapes of the batch's tensors, by name, batch-first.
        parameters: shapes of the parameters as they were sent.
        convention: how they are to be read.
        state: shapes of what layers keep between batches, as it was sent.
        seeded: whether parameters that were not sent will be drawn at random.
        limits: the largest network that is accepted.
    """
    limits = limits or Limits()
    found = Survey(convention, shapes=dict(inputs))
    names = names_of(layers)
    for position, (name, layer) in enumerate(zip(names, layers, strict=True)):
        issues: list[Issue] = []
        if name in found.shapes or name in found.unknown:
            issues.append(_taken(name, inputs, layer, position + 1))
        previous = names[position - 1] if position else INPUT
        reads = tuple(layer.inputs or [previous])
        issues += _reading(layer, reads, found, names[:position])
        node = None
        if not issues and not any(source in found.unknown for source in reads):
            node = _placed(position, name, layer, reads, found, issues)
        if node:
            found.nodes.append(node)
            found.shapes[name] = node.shape
            found.issues += _compared(node, parameters.get(name, {}), found, seeded)
            found.issues += _state_compared(node, (state or {}).get(name, {}))
        else:
            found.unknown.add(name)
        found.issues += [issue.below("network", "layers", position) for issue in issues]
    if not layers:
        detail = "A network has at least one layer; this one has none."
        found.issues.append(Issue(code="invalid-request", path=("network", "layers"), detail=detail))
    known = dict.fromkeys(names)
    for field_name, sent in (("parameters", parameters), ("state", state or {})):
        found.issues += [stray(field_name, name, known) for name in sent if name not in known]
    found.issues += _oversized(found, limits)
    return found


def _taken(name: str, inputs: Mapping[str, Shape], layer: Layer, number: int) -> Issue:
    owner = "an input of the batch" if name in inputs else "an earlier layer"
    which = "" if layer.name else f" (the default name of layer {number})"
    return Issue(
        code="invalid-request",
        path=("name",),
        detail=f"The name {name!r}{which} is taken by {owner}; every name is used once.",
    )


def _reading(layer: Layer, reads: tuple[str, ...], found: Survey, earlier: Sequence[str]) -> list[Issue]:
    """What is wrong with the names that a layer reads, and with their number."""
    issues = []
    known = list(dict.fromkeys([*found.shapes, *earlier]))
    for position, name in enumerate(reads):
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            issues.append(
                Issue(
                    code="unknown-name",
                    path=("inputs", position) if layer.inputs else (),
                    detail=f"The layer reads {name[:60]!r}, which is neither an input of the batch nor an earlier layer.",
                    expected=known[:50],
                    got=name[:60],
                    hint=f"Did you mean {near[0]!r}?" if near else "Layers are listed in execution order.",
                )
            )
    least, most = layer.reads
    if not least <= len(reads) <= most:
        wanted = str(least) if least == most else f"{least} or more"
        issues.append(
            Issue(
                code="invalid-request",
                path=("inputs",),
                detail=f"{layer.kind} reads {wanted} tensor{'s' * (least > 1)}; it is given {len(reads)}.",
                hint='Name them: "inputs": ["a", "b"].' if least > 1 else None,
            )
        )
    return issues


def _placed(
    position: int, name: str, layer: Layer, reads: tuple[str, ...], found: Survey, issues: list[Issue]
) -> Node | None:
    """The node with its shape and parameters, or None with the reason among `issues`."""
    function, wrong = function_of(layer)
    issues += wrong
    shapes = [found.shapes[source] for source in reads]
    try:
        shape = layer.result_shape(*shapes, column=found.convention == "column")
        if not function.elementwise and len(shape) < 2:
            issues.append(_featureless(function, shape))
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
    """The activation function of a layer, and what is wrong with the names in it: of that function, of an initializer."""
    issues = [] if _initializer(layer) in ("default", *INITIALIZERS) else [_uninitialized(layer)]
    try:
        return layer.activation_function(), issues
    except Refusal as refusal:
        named = isinstance(layer.activation, str)
        issues += [_at_activation(issue) if named else issue.below("activation") for issue in refusal.issues]
        return Identity(), issues


def _initializer(layer: Layer) -> str:
    return str(getattr(layer, "initializer", "default"))


def _uninitialized(layer: Layer) -> Issue:
    name, valid = _initializer(layer)[:60], ["default", *INITIALIZERS]
    near = difflib.get_close_matches(name, valid, 1)
    return Issue(
        code="unknown-name",
        path=("initializer",),
        detail=f"{name!r} is not an initializer. Valid: {', '.join(valid)}.",
        expected=valid,
        got=name,
        hint=f"Did you mean {near[0]!r}?" if near else None,
    )


def _at_activation(issue: Issue) -> Issue:
    return Issue(
        code=issue.code,
        path=("activation",),
        detail=issue.detail,
        expected=issue.expected,
        got=issue.got,
        hint=issue.hint,
    )


def _featureless(function: Activation, shape: Shape) -> Issue:
    return Issue(
        code="shape-mismatch",
        path=("activation",),
        detail=f"{function.name} runs over the features of each example; the result has shape {list(shape)}.",
    )


def _compared(node: Node, sent: Mapping[str, Shape], found: Survey, seeded: bool) -> list[Issue]:
    """What is wrong with the parameters of one layer: missing, unknown, or of another shape."""
    issues = []
    for name, parameter in node.parameters.items():
        wanted = list(parameter_shape(parameter, found.convention))
        if name not in sent:
            if not seeded:
                issues.append(
                    Issue(
                        code="missing-parameters",
                        path=("parameters", node.name, name),
                        detail=f"Layer {node.name!r} ({node.layer.kind}) needs a {name} of shape {wanted}.",
                        expected=wanted,
                        hint='Send it, or send "seed" to have it drawn at random'
                        + (', or "bias": false in the layer.' if name == "bias" else "."),
                    )
                )
        elif list(sent[name]) != wanted:
            read = " and ".join(str(found.as_sent(found.shapes[source])) for source in node.reads)
            issues.append(
                Issue(
                    code="shape-mismatch",
                    path=("parameters", node.name, name),
                    detail=f"Layer {node.name!r} ({node.layer.kind}) reads a tensor of shape {read} in convention "
                    f"{found.convention!r}, so its {name} has shape {wanted}; this one has shape {list(sent[name])}.",
                    expected=wanted,
                    got=list(sent[name]),
                    equation=node.layer.equation(found.convention),
                    hint="It is transposed." if wanted[::-1] == list(sent[name]) != wanted else None,
                )
            )
    for name in sent:
        if name not in node.parameters:
            has = list(node.parameters)
            issues.append(
                Issue(
                    code="unknown-name",
                    path=("parameters", node.name, name),
                    detail=f"Layer {node.name!r} ({node.layer.kind}) has no parameter {name[:60]!r}.",
                    expected=has,
                    got=name[:60],
                    hint='The layer says "bias": false.' if name == "bias" else None,
                )
            )
    return issues


def _state_compared(node: Node, sent: Mapping[str, Shape]) -> list[Issue]:
    """What is wrong with the state of one layer: missing where it is read, unknown, or of another shape."""
    issues = []
    for name, shape in node.state.items():
        path, wanted = ("state", node.name, name), list(shape)
        if name not in sent and node.layer.needs_state():
            detail = f"Layer {node.name!r} ({node.layer.kind}) reads its {name} of shape {wanted}."
            issues.append(Issue(code="missing-parameters", path=path, detail=detail, expected=wanted))
        elif name in sent and list(sent[name]) != wanted:
            detail = (
                f"The {name} of layer {node.name!r} ({node.layer.kind}) has shape {wanted}, not {list(sent[name])}."
            )
            issues.append(Issue(code="shape-mismatch", path=path, detail=detail, expected=wanted, got=list(sent[name])))
    for name in sent:
        if name not in node.state:
            detail = f"Layer {node.name!r} ({node.layer.kind}) keeps no {name[:60]!r}."
            expected = list(node.state)
            issues.append(Issue(code="unknown-name", path=("state", node.name, name), detail=detail, expected=expected))
    return issues


def stray(field_name: str, name: str, known: Mapping[str, object]) -> Issue:
    """The issue for tensors of a layer that does not exist."""
    near = difflib.get_close_matches(name, known, 1)
    return Issue(
        code="unknown-name",
        path=(field_name, name),
        detail=f"There are {field_name} for {name[:60]!r}, but no layer has that name.",
        expected=list(known)[:50],
        got=name[:60],
        hint=f"Did you mean {near[0]!r}?" if near else "Layers without a name are named by position, counted from 1.",
    )


def _oversized(found: Survey, limits: Limits) -> list[Issue]:
    """Whether the network is larger than the limits. Nothing of that size has been allocated at this point."""
    issues = []
    sizes = [sum(math.prod(parameter.shape) for parameter in node.parameters.values()) for node in found.nodes]
    results = [math.prod(node.shape) + node.working_size for node in found.nodes]
    for what, counts, limit in (
        ("parameters", sizes, limits.parameters),
        ("numbers in its layers' results", results, limits.activations),
    ):
        if sum(counts) > limit:
            largest = max(range(len(counts)), key=counts.__getitem__)
            node = found.nodes[largest]
            issues.append(
                Issue(
                    code="too-large",
                    path=("network", "layers", node.position),
                    detail=f"The network has {sum(counts):,} {what}; this server takes {limit:,}. "
                    f"Layer {node.name!r} alone has {counts[largest]:,}.",
                    expected=limit,
                    got=sum(counts),
                )
            )
    return issues
