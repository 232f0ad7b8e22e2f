"""Fusion: nodes that together are one layer, as exporters write it who do without the operator."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from app.models.formats.onnx.file import OnnxGraph
from app.models.formats.onnx.gelu_pattern import GeluPattern
from app.models.formats.onnx.node import OnnxNode
from app.models.formats.onnx.rms_norm_pattern import RmsNormPattern


def fused(graph: OnnxGraph) -> OnnxGraph:
    """Return the graph with the patterns of RMSNormalization and Gelu replaced by these operators.

    Nodes between whose results others read stay as they are.
    """
    readers = Counter(name for node in graph.nodes for name in node.inputs if name) + Counter(graph.outputs)
    makers = {name: node for node in graph.nodes for name in node.outputs if name}
    patterns = [RmsNormPattern(graph, makers), GeluPattern(graph, makers)]
    new, gone = dict[int, OnnxNode](), set[int]()
    for node in graph.nodes:
        found = next((match for pattern in patterns if (match := pattern.match(node)) is not None), None)
        if found is None:
            continue
        made, parts = found
        if all(readers[part.outputs[0]] == 1 for part in parts):
            new[id(node)] = made
            gone |= {id(part) for part in parts}
    nodes = [new.get(id(node), node) for node in graph.nodes if id(node) not in gone]
    return replace(graph, nodes=nodes) if new else graph
