"""another-epsilon, epsilon-outside-root: the number that keeps a normalisation from dividing by 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checking.forward_readings.another_normalisation import AnotherNormalisation, axes_of
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.layers.batch_norm import BatchNorm
from core.layers.layer_norm import LayerNorm
from core.layers.rms_norm import RmsNorm
from core.network import Node
from core.problem import Problem

NORMALISATIONS = (BatchNorm, LayerNorm, RmsNorm)
VALUES = (1e-3, 1e-8, 1e-5, 1e-6, 1e-7, 1e-12, 0.0, 1e-4, 1e-2)
"""The usual ones, the default of Keras and the one of many programs in NumPy first."""


class AnotherEpsilon(ForwardReading):
    """ε = 10⁻³ as in Keras, 10⁻⁸ as in many programs, and so on."""

    slug = "another-epsilon"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for epsilon in VALUES:

            def change(node: Node, epsilon: float = epsilon) -> Changed | None:
                layer = node.layer
                if not isinstance(layer, NORMALISATIONS) or layer.epsilon == epsilon:
                    return None
                return Changed(replace(node, layer=replace(layer, epsilon=epsilon)))

            for other, names in one_or_all(problem, change):
                first = next(node.layer for node in problem.nodes if node.name == names[0])
                asked = first.epsilon if isinstance(first, NORMALISATIONS) else 0.0
                said = (
                    f"Your {of_layers(names)} normalises with ε = {epsilon:g}; the request's ε is {asked:g}: send "
                    f'"epsilon": {epsilon:g}.'
                )
                yield Variant(
                    problem=other, slug=self.slug, places=at("preactivations", names), said=said, common=epsilon > 1e-10
                )


class EpsilonOutsideRoot(ForwardReading):
    """(X − μ)/(σ + ε) instead of (X − μ)/√(σ² + ε)."""

    slug = "epsilon-outside-root"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        asked = {node.layer.epsilon for node in problem.nodes if isinstance(node.layer, NORMALISATIONS)}
        for epsilon in sorted(asked | {1e-3, 1e-5, 1e-6, 1e-8} if asked else ()):

            def change(node: Node, epsilon: float = epsilon) -> Changed | None:
                layer = node.layer
                if not isinstance(layer, NORMALISATIONS) or epsilon == 0:
                    return None
                if isinstance(layer, BatchNorm) and layer.mode != "train":
                    return None
                axes = axes_of(node)
                other = AnotherNormalisation(
                    inner=layer, epsilon=epsilon, axes=axes, outside=True, centred=not isinstance(layer, RmsNorm)
                )
                return Changed(replace(node, layer=other))

            for other, names in one_or_all(problem, change):
                said = (
                    f"Your {of_layers(names)} divides by σ + ε with ε = {epsilon:g}; the request divides by √(σ² + ε)."
                )
                yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said)
