"""Known mistakes: each at every place of the layer where it can be made, everything behind it honestly computed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from core.checking.layer_rules import Backward
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Fitted, Mistake
from core.checking.mistakes.shared.kind import InsideLayer, OfKind
from core.checking.quantity import Quantity, quantities
from core.checking.trace import BackwardOfLayer, Network, Trace
from core.errors import Refusal
from tests.core.checking.campaign.outcome import Expected, Trial
from tests.core.checking.campaign.problems import Sample, sample_of
from tests.core.checking.campaign.program import (
    WAYS,
    Rule,
    Values,
    computed,
    differs,
    is_finite,
    right_trace,
    submission,
)

FAMILY = "known"
FACTORS = (0.37, -0.6, 3.0, 4.0)
"""Numbers for the mistakes that have an unknown one."""


class Made:
    """A mistake at one place of a network."""

    def __init__(self, mistake: type[Mistake], place: Quantity, kind: str, formulas: Mistake) -> None:
        self.mistake, self.place, self.kind, self.formulas = mistake, place, kind, formulas
        self.is_inside = isinstance(formulas, InsideLayer)

    @property
    def name(self) -> str:
        """The cause and the place."""
        return f"{self.mistake.slug} in {self.place.layer}.{self.place.tensor}"

    def rules(self) -> tuple[dict[Quantity, Rule], dict[str, BackwardOfLayer]]:
        """The wrong rule, or the wrong backward pass of a layer."""
        if self.is_inside:
            return {}, {self.place.layer: partial(_backward, self.formulas, self.place.layer)}
        return {self.place: partial(self.place.by_rule, self.formulas)}, {}

    def places(self, network: Network) -> frozenset[Quantity]:
        """Where it shows before anything else."""
        if not self.is_inside:
            return frozenset([self.place])
        node = network.nodes[self.place.layer]
        below = {Quantity("deltas" if name in network.nodes else "input_gradient", name) for name in node.reads}
        return frozenset({Quantity("gradients", self.place.layer, name) for name in node.parameters} | below)


def _backward(formulas: Mistake, layer: str, trace: Trace) -> Backward:
    assert isinstance(formulas, InsideLayer)
    found = formulas.backward(trace, layer)
    assert found is not None
    return found


def mistakes_at(sample: Sample, network: Network, trace: Trace) -> Iterator[Made]:
    """Every known mistake that can be made in the layer and around it."""
    for mistake in MISTAKES:
        for place in _around(sample, network):
            formulas = mistake()
            try:
                strikes = formulas.strikes_at(trace, place)
            except (ValueError, TypeError, IndexError, KeyError, LookupError, Refusal):
                continue
            if not strikes:
                continue
            if isinstance(formulas, Fitted):
                accepted = [factor for factor in FACTORS if formulas.accepts(trace, factor)]
                if not accepted:
                    continue
                formulas.factor = accepted[0]
            if isinstance(formulas, InsideLayer):
                continue
            yield Made(mistake, place, _kind(network, place, formulas), formulas)
        if issubclass(mistake, InsideLayer):
            formulas = mistake()
            if formulas.is_kind(trace, sample.layer) and formulas.backward(trace, sample.layer) is not None:
                names = [*network.nodes[sample.layer].parameters, ""]
                yield Made(mistake, Quantity("gradients", sample.layer, names[0]), sample.kind, formulas)


def _around(sample: Sample, network: Network) -> list[Quantity]:
    """The rules of the layer, what it sends back, and the loss; every rule where the layer is dense."""
    every = quantities(network)
    if sample.kind == "dense":
        return every
    near = {sample.layer, *network.nodes[sample.layer].reads}
    return [q for q in every if q.layer in near and not (q.part == "gradients" and q.layer != sample.layer)]


def _kind(network: Network, place: Quantity, formulas: Mistake) -> str:
    """The kind of the layer whose rule is wrong."""
    if isinstance(formulas, OfKind):
        return formulas.kinds[0] if len(formulas.kinds) == 1 else "/".join(formulas.kinds)
    return network.nodes[place.layer].layer.kind if place.layer in network.nodes else "input"


def trials(number: int) -> Iterator[tuple[Sample, Trial]]:
    """The trials of one problem."""
    sample = sample_of(number)
    network = sample.network()
    right, trace = computed(network), right_trace(network)
    for made in mistakes_at(sample, network, trace):
        values = values_of(network, made)
        if values is None:
            continue
        expected = Expected(made.places(network), frozenset([made.mistake.slug]))
        for way, parts in WAYS.items():
            if differs(values, right, parts) and is_finite(values, parts):
                sent = submission(network, values, parts)
                yield sample, Trial(FAMILY, number, made.name, sample.kind, way, sent, expected)


def values_of(network: Network, *made: Made) -> Values | None:
    """What a program with these mistakes computes; None where it cannot run."""
    wrong: dict[Quantity, Rule] = {}
    inside: dict[str, BackwardOfLayer] = {}
    for each in made:
        rules, layers = each.rules()
        wrong |= rules
        inside |= layers
    try:
        with np.errstate(all="ignore"):
            return computed(network, wrong, inside)
    except (ValueError, TypeError, IndexError, KeyError, AssertionError, np.linalg.LinAlgError, Refusal):
        return None
