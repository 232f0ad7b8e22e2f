"""GELU as x · ½ (1 + erf(x / √2)), which exporters write below operator set 20."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from app.models.formats.onnx.node import OnnxNode
from app.models.formats.onnx.pattern import Match, Pattern


class GeluPattern(Pattern):
    """A product of x, ½ and 1 + erf(x / √2), in any order."""

    def match(self, node: OnnxNode) -> Match | None:
        for factors, product in self._factors(node):
            halves = [name for name in factors if self.number(name) == 0.5]
            rest = [name for name in factors if name not in halves]
            if len(halves) != 1 or len(rest) != 2:
                continue
            for X, other in (rest, rest[::-1]):
                parts = self._one_more_than_erf(other, X)
                if parts is not None:
                    return replace(node, operator="Gelu", inputs=[X], attributes={}), [product, *parts]
        return None

    def _factors(self, node: OnnxNode) -> Iterator[tuple[list[str], OnnxNode]]:
        """Yield the three factors of a product of a product, and the inner one."""
        if node.operator != "Mul" or len(node.inputs) != 2:
            return
        for inner, outer in (node.inputs, node.inputs[::-1]):
            product = self.makers.get(inner)
            if product is not None and product.operator == "Mul":
                yield [*product.inputs, outer], product

    def _one_more_than_erf(self, name: str, X: str) -> list[OnnxNode] | None:
        """Return the nodes of which a value is 1 + erf(X / √2); None if it is not."""
        added = self.makers.get(name)
        one, erf = (None, None) if added is None else self.with_constant(added, "Add")
        if added is None or one is None or self.number(one) != 1 or erf is None or erf.operator != "Erf":
            return None
        scaled = self.makers.get(erf.inputs[0])
        if scaled is None or len(scaled.inputs) != 2 or X not in scaled.inputs:
            return None
        factor = self.number(scaled.inputs[1 - list(scaled.inputs).index(X)])
        wanted = {"Mul": math.sqrt(0.5), "Div": math.sqrt(2)}.get(scaled.operator, math.inf)
        if factor is None or not math.isclose(factor, wanted, rel_tol=1e-6):
            return None
        if scaled.operator == "Div" and scaled.inputs[0] != X:
            return None
        return [added, erf, scaled]
