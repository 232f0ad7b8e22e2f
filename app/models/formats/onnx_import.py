"""Import of ONNX models: every node becomes a layer or part of one; nodes that cannot are refused together."""

from __future__ import annotations

from typing import Any

from app.models.formats import onnx_file
from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.onnx_file import OnnxGraph
from app.models.formats.onnx_graph import Builder, Untranslatable
from app.models.formats.onnx_operators import OPERATORS
from app.models.schemas import ModelRequest
from app.wire.decode import validate_values
from app.wire.tensor_fields import field_tree
from core.errors import Issue, Refusal, refuse_if_any


def from_onnx(body: bytes, options: ImportOptions, elements: int) -> Imported:
    """Return the model of an ONNX file.

    Raises:
        Refusal: if the file is not valid; `unsupported-operator`, with every node that has no corresponding layer.
    """
    graph = _prune(onnx_file.read(body, elements))
    builder = Builder(graph)
    failed: dict[tuple[str, str], list[int]] = {}
    lost: set[str] = set()
    for position, node in enumerate(graph.nodes):
        translate = OPERATORS.get(node.operator)
        try:
            if translate is None:
                raise Untranslatable("there is no layer for this operator")
            if not lost.intersection(node.inputs):
                translate(builder, node)
                continue
        except Untranslatable as error:
            failed.setdefault((node.operator, str(error)), []).append(position)
        lost.update(node.outputs)
    refuse_if_any([_unsupported_issue(graph, *what, positions) for what, positions in failed.items()])
    output = builder.values.get(graph.outputs[0])
    if not builder.layers or builder.layers[-1]["name"] != output:
        raise Refusal.of(
            "unsupported-operator", "The output of the graph is not the result of its last layer.", "graph", "output"
        )
    network = {"layers": [_plain(layer, position, builder) for position, layer in enumerate(builder.layers)]}
    checked = validate_values({"network": network}, [], ModelRequest, field_tree(ModelRequest))
    return Imported(checked.network.layers, builder.parameters, builder.state, "row", builder.warnings)


def _prune(graph: OnnxGraph) -> OnnxGraph:
    """Return the graph without the nodes that its output does not depend on.

    Raises:
        Refusal: if the graph does not have exactly one output, or has no input.
    """
    if len(graph.outputs) != 1 or not graph.inputs:
        detail = f"The graph has {len(graph.outputs)} outputs and {len(graph.inputs)} inputs; a network has one output."
        hint = "Export the part of the model that has one output."
        raise Refusal.of("unsupported-operator", detail, "graph", "outputs", got=list(graph.outputs)[:20], hint=hint)
    wanted, nodes = {graph.outputs[0]}, []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            nodes.append(node)
    inputs = [name for name in graph.inputs if name in wanted]
    return OnnxGraph(inputs, graph.outputs, nodes[::-1], graph.constants, graph.opset)


def _plain(layer: dict[str, Any], position: int, builder: Builder) -> dict[str, Any]:
    """Return the fields of a layer without `inputs` that are the default."""
    before = builder.layers[position - 1]["name"] if position else "input"
    return {name: value for name, value in layer.items() if name != "inputs" or value != [before]}


def _unsupported_issue(graph: OnnxGraph, operator: str, why: str, positions: list[int]) -> Issue:
    """Return the issue of all nodes that cannot be translated for the same reason."""
    names = [graph.nodes[position].name or graph.nodes[position].outputs[0] for position in positions]
    shown = ", ".join(repr(name[:60]) for name in names[:10]) + (", ..." if len(names) > 10 else "")
    return Issue(
        code="unsupported-operator",
        path=("graph", "node", positions[0]),
        detail=f"{operator[:60]} ({shown}): {why}.",
        expected=list(OPERATORS) if operator not in OPERATORS else None,
        got=[name[:60] for name in names[:100]],
    )
