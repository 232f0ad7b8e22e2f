"""The issues of shape inference: each names the place, the operator, the shapes and the likely fix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.activations.base import Activation
from core.arrays import Shape
from core.convention import Convention, parameter_shape, tensor_shape
from core.errors import Issue, did_you_mean
from core.layers import Layer
from core.layers.base import INITIALIZERS
from core.network import NetworkLimits, Node


def name_taken(name: str, inputs: Mapping[str, Shape], layer: Layer, number: int) -> Issue:
    """The issue for a layer whose name, given or default, is taken."""
    owner = "an input of the batch" if name in inputs else "an earlier layer"
    which = "" if layer.name else f" (the default name of layer {number})"
    return Issue(
        code="invalid-request",
        path=("name",),
        detail=f"The name {name!r}{which} is taken by {owner}; every name is used once.",
    )


def wrong_inputs(
    layer: Layer, reads: tuple[str, ...], shapes: Mapping[str, Shape], earlier: Sequence[str]
) -> list[Issue]:
    """The issues with the inputs of a layer: unknown names, and too few or too many."""
    issues = []
    known = list(dict.fromkeys([*shapes, *earlier]))
    for position, name in enumerate(reads):
        if name not in known:
            issues.append(
                Issue(
                    code="unknown-name",
                    path=("inputs", position) if layer.inputs else (),
                    detail=f"The layer reads {name[:60]!r}, which is neither an input of the batch nor an earlier layer.",
                    expected=known[:50],
                    got=name[:60],
                    hint=did_you_mean(name, known) or "Layers are listed in execution order.",
                )
            )
    least, most = layer.reads
    if not least <= len(reads) <= most:
        wanted = str(least) if least == most else f"{least} or more" if len(reads) < least else f"{least} to {most}"
        issues.append(
            Issue(
                code="invalid-request",
                path=("inputs",),
                detail=f"{layer.kind} reads {wanted} tensor{'s' * (most > 1)}; it is given {len(reads)}.",
                hint='Name them: "inputs": ["a", "b"].' if least > 1 else None,
            )
        )
    return issues


def unknown_initializer(name: str) -> Issue:
    """The issue for an initializer that does not exist."""
    valid = ["default", *INITIALIZERS]
    return Issue(
        code="unknown-name",
        path=("initializer",),
        detail=f"{name!r} is not an initializer. Valid: {', '.join(valid)}.",
        expected=valid,
        got=name,
        hint=did_you_mean(name, valid),
    )


def no_features(function: Activation, shape: Shape) -> Issue:
    """The issue for an activation function over features after a layer whose result has none."""
    return Issue(
        code="shape-mismatch",
        path=("activation",),
        detail=f"{function.name} runs over the features of each example; the result has shape {list(shape)}.",
    )


def wrong_parameters(
    node: Node, sent: Mapping[str, Shape], shapes: Mapping[str, Shape], convention: Convention, *, seeded: bool
) -> list[Issue]:
    """The issues with the parameters of a layer: missing, unknown, or of another shape."""
    issues = []
    for name, parameter in node.parameters.items():
        wanted = list(parameter_shape(parameter, convention))
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
            read = " and ".join(str(list(tensor_shape(shapes[source], convention))) for source in node.reads)
            issues.append(
                Issue(
                    code="shape-mismatch",
                    path=("parameters", node.name, name),
                    detail=f"Layer {node.name!r} ({node.layer.kind}) reads a tensor of shape {read} in convention "
                    f"{convention!r}, so its {name} has shape {wanted}; this one has shape {list(sent[name])}.",
                    expected=wanted,
                    got=list(sent[name]),
                    equation=node.layer.equation(convention),
                    hint=_fix(name, wanted, list(sent[name])),
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
                    hint='The layer says "bias": false.' if name == "bias" else did_you_mean(name, has),
                )
            )
    return issues


def _fix(name: str, wanted: list[int], got: list[int]) -> str | None:
    """The hint for a parameter of another shape, where the fix is plain."""
    if len(wanted) == 1:
        return f"Send the {name} as a list of {wanted[0]} number{'s' * (wanted[0] > 1)}."
    if wanted[::-1] == got != wanted:
        return "It is transposed."
    if len(wanted) != len(got) and math.prod(wanted) == math.prod(got):
        return f"Send the {name} as nested lists of shape {wanted}" + (
            f": {wanted[0]} row{'s' * (wanted[0] > 1)} of {wanted[1]} number{'s' * (wanted[1] > 1)}."
            if len(wanted) == 2
            else "."
        )
    return None


def wrong_state(node: Node, sent: Mapping[str, Shape]) -> list[Issue]:
    """The issues with the state of a layer: missing where it is read, unknown, or of another shape."""
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
    return Issue(
        code="unknown-name",
        path=(field_name, name),
        detail=f"There are {field_name} for {name[:60]!r}, but no layer has that name.",
        expected=list(known)[:50],
        got=name[:60],
        hint=did_you_mean(name, known) or "Layers without a name are named by position, counted from 1.",
    )


def beyond_limits(nodes: Sequence[Node], limits: NetworkLimits) -> list[Issue]:
    """The issues with a network that is larger than the limits, found before anything of that size is allocated."""
    issues = []
    sizes = [sum(math.prod(parameter.shape) for parameter in node.parameters.values()) for node in nodes]
    results = [math.prod(node.shape) + node.working_size for node in nodes]
    for what, counts, limit in (
        ("parameters", sizes, limits.parameters),
        ("numbers in its layers' results", results, limits.activations),
    ):
        if sum(counts) > limit:
            largest = max(range(len(counts)), key=counts.__getitem__)
            node = nodes[largest]
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
