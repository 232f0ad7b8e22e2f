"""A bias left out, a weight transposed, or the weight of another layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, changed, one_or_all
from core.checking.forward_readings.texts import forward_mistake
from core.checking.forward_readings.wrapped import ByName, Reparametrised
from core.checking.mistakes.forward_dense import BiasLeftOut, ForwardWeightsTransposed
from core.layers.shared.directions import REVERSE
from core.network import Node
from core.problem import Problem

NEUTRAL = {"beta": 0.0, "gamma": 1.0}


class BiasOmitted(ForwardReading):
    """Z without b; a normalisation without β or γ."""

    slug = BiasLeftOut.slug

    def variants(self, problem: Problem) -> Iterator[Variant]:
        names = {
            name
            for node in problem.nodes
            for name in node.parameters
            if name.removesuffix(REVERSE).endswith("bias") or name in NEUTRAL
        }
        both_directions = tuple(
            sorted(name for name in names if name.removesuffix(REVERSE) in ("bias", "recurrent_bias"))
        )
        groups = [("bias", "recurrent_bias"), ("in_bias", "out_bias"), *((name,) for name in sorted(names))]
        for chosen in [*groups, *([both_directions] if "bias_reverse" in names else [])]:
            if len(chosen) > 1 and not names & set(chosen[1:]):
                continue

            def change(node: Node, chosen: tuple[str, ...] = chosen) -> Changed | None:
                own = [name for name in chosen if name in node.parameters]
                if not own or (len(chosen) > 1 and len(own) == 1 and "recurrent_bias" not in chosen):
                    return None
                sent = problem.parameters[node.name]
                changes = {name: np.full_like(sent[name], NEUTRAL.get(name, 0.0)) for name in own}
                return Changed(node, changes) if any((sent[name] != changes[name]).any() for name in own) else None

            mistake = BiasLeftOut
            if chosen != ("bias",):
                mistake = forward_mistake(  # type: ignore[assignment]
                    f"{'-and-'.join(each.replace('_', '-') for each in chosen)}-left-out",
                    said=f"lacks {' and '.join(each.replace('_', ' ') for each in chosen)}",
                    wrong="",
                    why="The layer's forward equation contains every parameter.",
                )
            for other, layers in one_or_all(problem, change):
                yield Variant(problem=other, slug=mistake.slug, places=at("preactivations", layers), mistake=mistake)


class WeightTransposed(ForwardReading):
    """A square weight the other way round."""

    slug = ForwardWeightsTransposed.slug

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for name in ("weight", "recurrent_weight", "out_weight", "weight_reverse", "recurrent_weight_reverse"):
            for turned_back in (True, False):

                def change(node: Node, name: str = name, turned_back: bool = turned_back) -> Changed | None:
                    shape = node.parameters[name].shape if name in node.parameters else ()
                    if len(shape) != 2 or shape[0] != shape[1] or node.layer.reads_classes:
                        return None

                    def turned(named: ByName) -> dict[str, Array]:
                        return {**named, name: named[name].T}

                    back = turned if turned_back else dict
                    return Changed(replace(node, layer=Reparametrised(inner=node.layer, used=turned, back=back)))

                for other, layers in one_or_all(problem, change):
                    yield Variant(
                        problem=other,
                        slug=self.slug,
                        places=at("preactivations", layers),
                        mistake=ForwardWeightsTransposed,
                    )


class WeightOfAnotherLayer(ForwardReading):
    """The weight of another layer of the same shape."""

    slug = "forward-weight-of-another-layer"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for node in problem.nodes:
            for source in problem.nodes:
                for name in sorted(node.parameters.keys() & source.parameters.keys()):
                    if node is source or node.parameters[name].shape != source.parameters[name].shape:
                        continue
                    values = problem.parameters[source.name][name]
                    mistake = forward_mistake(
                        self.slug,
                        said=f"is computed with the {name.replace('_', ' ')} of layer {source.name!r}",
                        wrong=r"Z_l = \ahead{A_{l-1}}{W_m}",
                        why="Every layer has parameters of its own; two of the same shape are easily confused.",
                    )
                    other = changed(problem, {node.name: Changed(node, {name: values})})
                    yield Variant(
                        problem=other, slug=self.slug, places=at("preactivations", (node.name,)), mistake=mistake
                    )
