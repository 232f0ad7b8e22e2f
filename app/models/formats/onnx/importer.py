"""Import of ONNX models: every node becomes a layer or part of one; nodes that cannot are refused together."""

from __future__ import annotations

from collections.abc import Sequence
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
    graph = onnx_file.read(body, elements, options.shapes, options.output)
    scores = None if options.output else scores_of(graph)
    if scores is not None:
        graph = onnx_file.read(body, elements, options.shapes, scores[0])
    graph = fused(graph)
    _refuse_many_outputs(graph)
    builder = Builder(graph)
    builder.warnings.extend([] if scores is None else scores[1:])
    refuse_if_any(_translate(builder))
    _finish(builder)
    network = {"layers": [_plain(layer, position, builder) for position, layer in enumerate(builder.layers)]}
    checked = validate_values({"network": network}, [], ModelRequest, field_tree(ModelRequest))
    imported = Imported(checked.network.layers, builder.parameters, builder.state, "row", builder.warnings)
    return compare_with_sample(imported, graph)


def _translate(builder: Builder) -> list[Issue]:
    """Translate the nodes. Returns an issue for each operator and reason for which nodes cannot be translated."""
    failed: dict[tuple[str, str], list[int]] = {}
    lost: set[str] = set()
    nodes = builder.graph.nodes
    for position, node in enumerate(nodes):
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
    return [_unsupported_issue(nodes, *what, positions) for what, positions in failed.items()]


def _finish(builder: Builder) -> None:
    """Let the last layer compute the output of the graph.

    Raises:
        Refusal: if the output does not have the examples on its first axis.
    """
    output = builder.values.get(builder.graph.outputs[0])
    if output is None:
        detail = "The output of the graph is a constant, or the first of its axes does not count the examples."
        raise Refusal.of("unsupported-operator", detail, "graph", "output", hint="Choose another value with ?output=.")
    if not builder.layers or builder.layers[-1]["name"] != output:
        builder.layers.append({"kind": "activation", "function": "identity", "name": "output", "inputs": [output]})


def _refuse_many_outputs(graph: OnnxGraph) -> None:
    """Refuse a graph that does not have exactly one output, or has no input, and say what is behind each output.

    Raises:
        Refusal: `unsupported-operator`.
    """
    if len(graph.outputs) == 1 and graph.inputs:
        return
    detail = f"The graph has {len(graph.outputs)} outputs and {len(graph.inputs)} inputs; a network has one output."
    behind = []
    for output in graph.outputs[:20]:
        missing = sorted({node.operator for node in _needed(graph.nodes, output)} - (OPERATORS.keys() - REFUSED))
        behind.append(
            f"{output[:60]!r}" + (f" (needs {', '.join(missing[:10])}, which no layer has)" if missing else "")
        )
    hint = f"Choose one with ?output=: {'; '.join(behind)}."
    raise Refusal.of("unsupported-operator", detail, "graph", "outputs", got=list(graph.outputs)[:20], hint=hint)


def _needed(nodes: Sequence[OnnxNode], output: str) -> list[OnnxNode]:
    """Return the nodes that an output depends on."""
    wanted, needed = {output}, []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            needed.append(node)
    return needed


def _plain(layer: dict[str, Any], position: int, builder: Builder) -> dict[str, Any]:
    """Return the fields of a layer without `inputs` that are the default."""
    before = builder.layers[position - 1]["name"] if position else "input"
    return {name: value for name, value in layer.items() if name != "inputs" or value != [before]}


def _unsupported_issue(nodes: Sequence[OnnxNode], operator: str, why: str, positions: list[int]) -> Issue:
    """Return the issue of all nodes that cannot be translated for the same reason."""
    names = [nodes[position].name or nodes[position].outputs[0] for position in positions]
    shown = ", ".join(repr(name[:60]) for name in names[:10]) + (", ..." if len(names) > 10 else "")
    return Issue(
        code="unsupported-operator",
        path=("graph", "node", positions[0]),
        detail=f"{operator[:60]} ({shown}): {why}.",
        expected=[name for name in OPERATORS if name not in REFUSED] if operator not in OPERATORS else None,
        got=[name[:60] for name in names[:100]],
    )
