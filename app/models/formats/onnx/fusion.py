"""Fusion: nodes that together are one layer, as exporters write it who do without the operator."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from app.models.formats.onnx.file import OnnxGraph
from app.models.formats.onnx.node import OnnxNode


def fused(graph: OnnxGraph) -> OnnxGraph:
    """Return the graph with x / √(mean(x²) + ε) · γ as RMSNormalization.

    Nodes between whose results others read stay as they are.
    """
    readers = Counter(name for node in graph.nodes for name in node.inputs if name) + Counter(graph.outputs)
    makers = {name: node for node in graph.nodes for name in node.outputs if name}
    new, gone = dict[int, OnnxNode](), set[int]()
    for node in graph.nodes:
        found = _RmsNorm(graph, makers).match(node)
        if found is None:
            continue
        made, parts = found
        if all(readers[part.outputs[0]] == 1 for part in parts):
            new[id(node)] = made
            gone |= {id(part) for part in parts}
    nodes = [new.get(id(node), node) for node in graph.nodes if id(node) not in gone]
    return replace(graph, nodes=nodes) if new else graph


class _RmsNorm:
    """The pattern of an RMS normalisation, followed from its last node backwards."""

    def __init__(self, graph: OnnxGraph, makers: dict[str, OnnxNode]) -> None:
        self.graph = graph
        self.makers = makers

    def match(self, node: OnnxNode) -> tuple[OnnxNode, list[OnnxNode]] | None:
        """Return the operator that computes the result of a node, and the nodes before it that it makes superfluous."""
        gamma, last = self._with_constant(node, "Mul")
        if gamma is None or last is None or self.graph.constants[gamma].ndim != 1:
            return None
        for X, root, parts in self._quotients(last):
            epsilon = self._epsilon(X, root, parts)
            features = (self.graph.shapes.get(X) or (None,))[-1]
            if epsilon is not None and self.graph.constants[gamma].size == features:
                fields = {"axis": -1, "epsilon": epsilon}
                return replace(node, operator="RMSNormalization", inputs=[X, gamma], attributes=fields), parts
        return None

    def _quotients(self, last: OnnxNode) -> list[tuple[str, OnnxNode, list[OnnxNode]]]:
        """Return what may be divided by what, and the nodes so far: x / r, x · (1 / r) or x · reciprocal(r)."""
        if last.operator == "Div":
            root = self.makers.get(last.inputs[1])
            return [] if root is None else [(last.inputs[0], root, [last])]
        if last.operator != "Mul":
            return []
        found = []
        for X, other in (last.inputs, last.inputs[::-1]):
            inverse = self.makers.get(other)
            if inverse is None or inverse.operator not in ("Reciprocal", "Div"):
                continue
            if inverse.operator == "Div" and self._number(inverse.inputs[0]) != 1:
                continue
            root = self.makers.get(inverse.inputs[-1])
            if root is not None:
                found.append((X, root, [last, inverse]))
        return found

    def _epsilon(self, X: str, root: OnnxNode, parts: list[OnnxNode]) -> float | None:
        """Return ε if the root is √(mean(x²) + ε) along the last axis, and add its nodes to the parts."""
        added = self.makers.get(root.inputs[0]) if root.operator == "Sqrt" else None
        constant, mean = (None, None) if added is None else self._with_constant(added, "Add")
        epsilon = None if constant is None else self._number(constant)
        if added is None or mean is None or epsilon is None or mean.operator != "ReduceMean" or not self._last(mean, X):
            return None
        square = self.makers.get(mean.inputs[0])
        if square is None or square.inputs[:1] != [X]:
            return None
        of_itself = square.operator == "Mul" and list(square.inputs) == [X, X]
        if not of_itself and not (square.operator == "Pow" and self._number(square.inputs[1]) == 2):
            return None
        parts += [root, added, mean, square]
        return epsilon

    def _last(self, mean: OnnxNode, X: str) -> bool:
        """Return whether a mean is taken along the last axis, which is kept."""
        axes = mean.attributes.get("axes")
        if axes is None and len(mean.inputs) > 1 and (given := self.graph.constants.get(mean.inputs[1])) is not None:
            axes = given.reshape(-1).tolist()
        shape = self.graph.shapes.get(X)
        return mean.attributes.get("keepdims", 1) == 1 and (
            axes == [-1] or (shape is not None and axes == [len(shape) - 1])
        )

    def _with_constant(self, node: OnnxNode, operator: str) -> tuple[str | None, OnnxNode | None]:
        """Return the constant that a node combines with the result of another node, and that node."""
        if node.operator != operator or len(node.inputs) != 2:
            return None, None
        for constant, other in (node.inputs, node.inputs[::-1]):
            if constant in self.graph.constants and constant not in self.graph.varying and other in self.makers:
                return constant, self.makers[other]
        return None, None

    def _number(self, name: str) -> float | None:
        """Return a constant that is a single number, as the shortest decimal of its precision."""
        found = self.graph.constants.get(name)
        if found is None or found.size != 1 or found.ndim > 1 or name in self.graph.varying:
            return None
        number = found.reshape(-1)[0]
        return float(str(number)) if isinstance(number, np.floating) else float(number)
