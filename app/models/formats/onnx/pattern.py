"""Pattern: nodes of a graph that together are one operator, followed from the last one backwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from app.models.formats.onnx.file import OnnxGraph
from app.models.formats.onnx.node import OnnxNode

Match = tuple[OnnxNode, list[OnnxNode]]
"""The operator that computes the result of a node, and the nodes before it that it makes superfluous."""


class Pattern(ABC):
    """Nodes that exporters write who do without an operator."""

    def __init__(self, graph: OnnxGraph, makers: Mapping[str, OnnxNode]) -> None:
        self.graph = graph
        self.makers = makers

    @abstractmethod
    def match(self, node: OnnxNode) -> Match | None:
        """Return what replaces a node that is the last one of the pattern; None if it is not."""

    def with_constant(self, node: OnnxNode, operator: str) -> tuple[str | None, OnnxNode | None]:
        """Return the constant that a node combines with the result of another node, and that node."""
        if node.operator != operator or len(node.inputs) != 2:
            return None, None
        for constant, other in (node.inputs, node.inputs[::-1]):
            if constant in self.graph.constants and constant not in self.graph.varying and other in self.makers:
                return constant, self.makers[other]
        return None, None

    def number(self, name: str) -> float | None:
        """Return a constant that is a single number, as the shortest decimal of its precision."""
        found = self.graph.constants.get(name)
        if found is None or found.size != 1 or found.ndim > 1 or name in self.graph.varying:
            return None
        number = found.reshape(-1)[0]
        return float(str(number)) if isinstance(number, np.floating) else float(number)
