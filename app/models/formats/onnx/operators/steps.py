"""Steps: the layers that an operator without a layer of its own is made of."""

from __future__ import annotations

from typing import Any

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode
from app.models.formats.onnx.views import View, rearrangement
from core.arrays import Array


class Steps:
    """Adds layers for one node; after `finish`, the last of them computes the output of the node."""

    def __init__(self, builder: Builder, node: OnnxNode) -> None:
        self._builder, self._node, self._count = builder, node, 0

    def add(
        self,
        reads: list[str],
        kind: str,
        parameters: dict[str, Array] | None = None,
        named_by: int | None = None,
        **spec: Any,
    ) -> str:
        """Add a layer and return its name."""
        self._count += 1
        output = f"{self._node.outputs[0]} step {self._count}"
        spec = {"kind": kind, **spec}
        return self._builder.add(self._node, reads, spec, parameters, named_by=named_by, output=output)

    def apply(self, reads: str, function: str, **constants: Any) -> str:
        """Add an activation layer and return its name."""
        return self.add([reads], "activation", function=function, **constants)

    def finish(self) -> None:
        """Let the last layer compute the output of the node."""
        self._builder.merge(self._node, self._builder.layers[-1])

    def show(self, view: View) -> None:
        """Let the output of the node be a view of the last layer; the layer itself, rearranged, where it is the graph's."""
        made = self._node.outputs[0]
        if view.is_plain:
            self.finish()
        elif made in self._builder.graph.outputs:
            self.arrange(view)
            self.finish()
        else:
            self._builder.views[made] = view

    def arrange(self, view: View) -> str:
        """Add the layers that make a view, and return the name of the last one.

        Raises:
            Untranslatable: if its first axis does not count the examples.
        """
        layer = view.layer
        for spec in list(rearrangement(view)):
            self._count += 1
            layer = self._builder.add(self._node, [layer], spec, output=f"{self._node.outputs[0]} step {self._count}")
        return layer


def show(builder: Builder, node: OnnxNode, view: View) -> None:
    """Let the output of a node be a view of a layer that was there; layers arrange it where it is the output of the graph."""
    if node.outputs[0] not in builder.graph.outputs or view.is_plain:
        builder.show(node, view)
        return
    steps = Steps(builder, node)
    steps.arrange(view)
    steps.finish()
