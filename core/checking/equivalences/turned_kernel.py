"""convolution-or-correlation: the kernel turned by 180°, or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.layers.shared.filters import Filters
from core.problem import Problem


class TurnedKernel(Equivalence):
    """True convolution where the request says cross-correlation, or the other way round."""

    slug = "convolution-or-correlation"

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        nodes = reading.problem.nodes
        if not any(isinstance(node.layer, Filters) for node in nodes):
            return
        changed = []
        for node in nodes:
            layer = node.layer
            if isinstance(layer, Filters):
                other = "convolution" if layer.mode == "cross_correlation" else "cross_correlation"
                layer = replace(layer, mode=other)  # type: ignore[arg-type]
            changed.append(replace(node, layer=layer))
        said = 'Your kernels are rotated by 180° from those of the request: set the other "mode" on the layer.'
        yield replace(reading.problem, nodes=changed), reading.sent, said
