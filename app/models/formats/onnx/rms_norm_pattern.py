"""RMS normalisation as x / √(mean(x²) + ε) · γ, which exporters write below operator set 23."""

from __future__ import annotations

from dataclasses import replace

from app.models.formats.onnx.node import OnnxNode
from app.models.formats.onnx.pattern import Match, Pattern


class RmsNormPattern(Pattern):
    """The pattern of an RMS normalisation, followed from its last node backwards."""

    def match(self, node: OnnxNode) -> Match | None:
        gamma, last = self.with_constant(node, "Mul")
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
            if inverse.operator == "Div" and self.number(inverse.inputs[0]) != 1:
                continue
            root = self.makers.get(inverse.inputs[-1])
            if root is not None:
                found.append((X, root, [last, inverse]))
        return found

    def _epsilon(self, X: str, root: OnnxNode, parts: list[OnnxNode]) -> float | None:
        """Return ε if the root is √(mean(x²) + ε) along the last axis, and add its nodes to the parts."""
        added = self.makers.get(root.inputs[0]) if root.operator == "Sqrt" else None
        constant, mean = (None, None) if added is None else self.with_constant(added, "Add")
        epsilon = None if constant is None else self.number(constant)
        if added is None or mean is None or epsilon is None or mean.operator != "ReduceMean" or not self._last(mean, X):
            return None
        square = self.makers.get(mean.inputs[0])
        if square is None or square.inputs[:1] != [X]:
            return None
        of_itself = square.operator == "Mul" and list(square.inputs) == [X, X]
        if not of_itself and not (square.operator == "Pow" and self.number(square.inputs[1]) == 2):
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
