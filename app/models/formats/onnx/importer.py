"""Import of ONNX models: every node becomes a layer or part of one; nodes that cannot are refused together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.onnx import file as onnx_file
from app.models.formats.onnx.comparison import compare_with_sample
from app.models.formats.onnx.file import OnnxGraph
from app.models.formats.onnx.fusion import fused
from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators import OPERATORS, REFUSED
from app.models.formats.onnx.operators.losses import scores_of
from app.models.formats.onnx.positionwise import translate_through_view
from app.models.schemas import ModelRequest
from app.wire.decode import validate_values
from app.wire.file_content import FileContent
from app.wire.tensor_fields import field_tree
from core.errors import Issue, Refusal, refuse_if_any


def from_onnx(body: FileContent, options: ImportOptions, elements: int) -> Imported:
    """Return the model of an ONNX file.

    Raises:
        Refusal: if the file is not valid; `unsupported-operator`, with every node that has no corresponding layer.
    """
    graph = onnx_file.read(body, elements, options.shapes, options.outputs)
    scores = None if options.outputs else scores_of(graph)
    if scores is not None:
        graph = onnx_file.read(body, elements, options.shapes, [scores[0]])
    graph = fused(graph)
    builder = Builder(graph)
    builder.warnings.extend([] if scores is None else scores[1:])
    failed = _translate(builder)
    _refuse_many_outputs(graph, failed, are_chosen=bool(options.outputs))
    refuse_if_any([_unsupported_issue(builder, *what, positions) for what, positions in failed.items()])
    outputs = _finish(builder)
    builder.warnings.extend(_fixed_constants(builder))
    network = {"layers": [_plain(layer, position, builder) for position, layer in enumerate(builder.layers)]}
    checked = validate_values({"network": network}, [], ModelRequest, field_tree(ModelRequest))
    imported = Imported(checked.network.layers, builder.parameters, builder.state, "row", builder.warnings)
    return compare_with_sample(imported, graph, outputs)


MOST_NAMES = 50
"""Largest number of parameters that a warning names."""

Failed = dict[tuple[str, str], list[int]]
"""The positions of nodes that cannot be translated, by their operator and the reason."""


def _translate(builder: Builder) -> Failed:
    """Translate the nodes. Returns those that cannot be translated."""
    failed: Failed = {}
    lost: set[str] = set()
    for position, node in enumerate(builder.graph.nodes):
        translate = OPERATORS.get(node.operator)
        try:
            if translate is None:
                raise Untranslatable("there is no layer for this operator")
            if not lost.intersection(node.inputs):
                if not translate_through_view(builder, node, translate):
                    translate(builder, node)
                continue
        except Untranslatable as error:
            failed.setdefault((node.operator, str(error)), []).append(position)
        lost.update(node.outputs)
    return failed


def _finish(builder: Builder) -> list[str]:
    """Let the last layer compute the last output of the graph, and a layer of its name each of the others.

    Returns:
        The names of these layers.

    Raises:
        Refusal: if an output does not have the examples on its first axis.
    """
    *others, last = builder.graph.outputs
    for name in (*others, last):
        if name not in builder.values:
            subject = f"The value {name[:60]!r}" if others else "The output of the graph"
            detail = f"{subject} is a constant, or the first of its axes does not count the examples."
            hint = _without_last(builder, name) or "Choose another value with ?output=."
            raise Refusal.of("unsupported-operator", detail, "graph", "output", hint=hint)
    named = [builder.name_output(name) for name in others]
    if not builder.layers or builder.layers[-1]["name"] != builder.values[last]:
        builder.add_identity("output", builder.values[last])
    return [*named, builder.layers[-1]["name"]]


def _fixed_constants(builder: Builder) -> Iterator[Issue]:
    """Yield a warning of parameters that may be fixed numbers in the file, such as a mean that is subtracted."""
    if not builder.fixed:
        return
    names = builder.fixed[:MOST_NAMES]
    more = len(builder.fixed) - len(names)
    yield Issue(
        code="constant-imported-as-parameter",
        path=("graph", "node"),
        detail=(
            f"The file adds or multiplies by constants whose names do not say whether they are trained; here they are "
            f"{len(builder.fixed)} parameters, which training changes."
        ),
        hint=f'To leave them alone, send "freeze": {json.dumps(names)}{f" and {more} more" if more else ""}.',
    )


def _refuse_many_outputs(graph: OnnxGraph, failed: Failed, *, are_chosen: bool) -> None:
    """Refuse a graph without inputs, or with several outputs of which none was chosen, and say what is behind each.

    Raises:
        Refusal: `unsupported-operator`.
    """
    if graph.inputs and (are_chosen or len(graph.outputs) == 1):
        return
    detail = f"The graph has {len(graph.outputs)} outputs and {len(graph.inputs)} inputs; a network has one output."
    untranslated = {position for positions in failed.values() for position in positions}
    behind = []
    for output in graph.outputs[:20]:
        needed = _needed(graph.nodes, output)
        missing = sorted({graph.nodes[position].operator[:60] for position in untranslated.intersection(needed)})
        behind.append(f"{output[:60]!r}" + (f" (needs {', '.join(missing)}, which no layer has)" if missing else ""))
    hint = (
        f"Choose one with ?output=, or several with ?outputs=, of which the last is the network's: {'; '.join(behind)}."
    )
    raise Refusal.of("unsupported-operator", detail, "graph", "outputs", got=list(graph.outputs)[:20], hint=hint)


def _needed(nodes: Sequence[OnnxNode], output: str) -> set[int]:
    """Return the positions of the nodes that an output depends on."""
    wanted, needed = {output}, set()
    for position in range(len(nodes) - 1, -1, -1):
        if wanted.intersection(nodes[position].outputs):
            wanted.update(nodes[position].inputs)
            needed.add(position)
    return needed


def _without_last(builder: Builder, output: str) -> str | None:
    """Return the advice to leave out the node that computes an output, if what it reads is computed by a layer."""
    node = next((node for node in builder.graph.nodes if output in node.outputs), None)
    reads = [] if node is None else [name for name in node.inputs if name in builder.values]
    found = next((name for name in reads if name not in builder.graph.inputs), None)
    return None if found is None else f"The graph up to what its last node reads comes in with ?output={found[:60]}."


def _plain(layer: dict[str, Any], position: int, builder: Builder) -> dict[str, Any]:
    """Return the fields of a layer without `inputs` that are the default."""
    before = builder.layers[position - 1]["name"] if position else "input"
    return {name: value for name, value in layer.items() if name != "inputs" or value != [before]}


def _unsupported_issue(builder: Builder, operator: str, why: str, positions: list[int]) -> Issue:
    """Return the issue of all nodes that cannot be translated for the same reason."""
    nodes = builder.graph.nodes
    ends = [name for name in nodes[positions[-1]].outputs if name in builder.graph.outputs]
    names = [nodes[position].name or nodes[position].outputs[0] for position in positions]
    shown = ", ".join(repr(name[:60]) for name in names[:10]) + (", ..." if len(names) > 10 else "")
    return Issue(
        code="unsupported-operator",
        path=("graph", "node", positions[0]),
        detail=f"{operator[:60]} ({shown}): {why}.",
        expected=[name for name in OPERATORS if name not in REFUSED] if operator not in OPERATORS else None,
        got=[name[:60] for name in names[:100]],
        hint=_without_last(builder, ends[0]) if ends else None,
    )
