"""The search for mistakes: each rule on the user's own numbers, and the fewest mistakes that explain the rest.

If a delta was submitted, its rule and the rules below it are judged separately. If not, only the gradients of its layer
depend on it: several hypotheses are then followed in parallel (a beam search), and the one that explains the whole
submission with the fewest mistakes is believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.checking.comparison import Comparator
from core.checking.formulas import RIGHT, Formulas
from core.checking.hypothesis import AGAIN, NAMED, Accusation, Hypothesis
from core.checking.quantity import Quantity
from core.checking.recovery import recovered_delta
from core.checking.replay import Finding, Made, findings
from core.checking.submission import Submission
from core.checking.trace import Network, Trace

BEAM_WIDTH = 6
"""Number of hypotheses that are followed in parallel."""


class Search:
    """Explains one submission."""

    def __init__(
        self,
        network: Network,
        comparator: Comparator,
        submission: Submission,
        check_deadline: CheckDeadline,
        limit: float = math.inf,
        supposed: Mapping[Quantity, Finding] | None = None,
    ) -> None:
        """Prepare the search.

        Args:
            network: the network of the problem.
            comparator: decides whether two tensors agree.
            submission: the submission to explain.
            check_deadline: called now and then; ends the search by raising.
            limit: hypotheses that cost this much or more are dropped, and their mistakes are not searched for.
            supposed: mistakes that are assumed in a forward pass that was not submitted.
        """
        self._network = network
        self._comparator = comparator
        self._submission = submission
        self._values = submission.values
        self._check_deadline = check_deadline
        self._limit = limit
        self._supposed = supposed or {}

    def explain(self) -> list[Hypothesis]:
        """Return the hypotheses that explain the submission at less than the limit, cheapest first."""
        return self._backward(self._cheapest([self._forward(Hypothesis(Trace(self._network)))]))

    def _forward(self, hypothesis: Hypothesis) -> Hypothesis:
        """Judge the forward rules; the trace then holds the submitted tensors, and for the others what follows from them."""
        trace = hypothesis.trace
        given = {(q.layer, q.part) for q in self._values if self._submission.fits(self._network, q)}
        trace.given = frozenset(given)
        for layer in self._network.nodes:
            for part, kept in (("preactivations", trace.preactivations), ("activations", trace.activations)):
                quantity = Quantity(part, layer)
                kept[layer] = quantity.by_rule(RIGHT, trace)
                if quantity in self._supposed:
                    finding, right = self._supposed[quantity], kept[layer]
                    kept[layer] = quantity.by_rule(finding.formulas, trace)
                    hypothesis = hypothesis.accusing(Accusation(quantity, (finding,), right, kept[layer]))
                if quantity in self._values:
                    hypothesis = self._judged(hypothesis, quantity)
                    if (layer, part) in given:
                        kept[layer] = self._values[quantity]
        if Quantity("loss") in self._values:
            hypothesis = self._judged(hypothesis, Quantity("loss"))
        return hypothesis

    def _backward(self, beam: list[Hypothesis]) -> list[Hypothesis]:
        """Judge the backward rules, from the loss down."""
        if self._network.problem.objective is None:
            return beam
        for node in reversed(self._network.problem.nodes):
            self._check_deadline()
            beam = self._cheapest([each for one in beam for each in self._at_layer(one, node.name)])
        for name in self._network.inputs:
            quantity = Quantity("input_gradient", name)
            if quantity in self._values:
                beam = self._cheapest([each for one in beam for each in self._at_input(one, quantity)])
        return beam

    def _at_layer(self, hypothesis: Hypothesis, layer: str) -> list[Hypothesis]:
        """Return the hypotheses after a layer: its delta, then the gradients of its parameters."""
        quantity = Quantity("deltas", layer)
        submitted = [q for q in self._values if q.part == "gradients" and q.layer == layer]
        if quantity in self._values:
            if not self._is_lost(hypothesis, layer):
                own = quantity.by_rule(RIGHT, hypothesis.trace)
                hypothesis = self._judged(hypothesis.with_delta(layer, own), quantity)
            if self._submission.fits(self._network, quantity):
                hypothesis = hypothesis.with_delta(layer, self._values[quantity])
            for gradient in submitted:
                hypothesis = self._judged(hypothesis, gradient)
            return [hypothesis]
        hypothesis = hypothesis.with_delta(layer, quantity.by_rule(RIGHT, hypothesis.trace))
        if self._is_lost(hypothesis, layer):
            right = [q for q in submitted if self._is_right(q)]
            hypothesis = hypothesis.losing(layer)
            return [hypothesis.contradicted() if right else hypothesis]
        unlike = [q for q in submitted if not self._follows(hypothesis.trace, q)]
        wrong = [q for q in unlike if not self._is_right(q)]
        if len(wrong) < len(unlike):
            hypothesis = hypothesis.contradicted()
        return self._options(hypothesis, layer, submitted, wrong) if wrong else [hypothesis]

    def _options(
        self, hypothesis: Hypothesis, layer: str, submitted: Sequence[Quantity], wrong: Sequence[Quantity]
    ) -> list[Hypothesis]:
        """Return hypotheses for a layer whose delta was not submitted and whose gradients are wrong."""
        if hypothesis.cost + (AGAIN if hypothesis.accusations else NAMED) >= self._limit:
            return []
        options = [self._blaming(hypothesis, wrong)]
        for struck_layer in self._suspects(layer):
            options += self._blaming_delta(hypothesis, struck_layer, layer, submitted, wrong)
        if len(wrong) == len(submitted):
            own = hypothesis.trace.deltas[layer]
            recovered = recovered_delta(self._network, hypothesis.trace, layer, self._values)
            quantity = Quantity("deltas", layer)
            if recovered.delta is not None:
                accusation = Accusation(quantity, (), own, recovered.delta)
                options.append(hypothesis.accusing(accusation).with_delta(layer, recovered.delta))
            elif recovered.possible:
                accusation = Accusation(quantity, (), own, None, certain=False)
                options.append(hypothesis.accusing(accusation).losing(layer))
        return options

    def _blaming(self, hypothesis: Hypothesis, wrong: Sequence[Quantity]) -> Hypothesis:
        """Return the hypothesis in which each of these gradients has a mistake in its own rule."""
        for quantity in wrong:
            accusation = self._accused(hypothesis.trace, quantity)
            hypothesis = hypothesis.accusing(replace(accusation, certain=bool(accusation.findings)))
        return hypothesis

    def _blaming_delta(
        self,
        hypothesis: Hypothesis,
        struck_layer: str,
        layer: str,
        submitted: Sequence[Quantity],
        wrong: Sequence[Quantity],
    ) -> list[Hypothesis]:
        """Return hypotheses with a known mistake in the delta of `struck_layer` that the gradients of `layer` support."""
        struck = Quantity("deltas", struck_layer)
        own = struck.by_rule(RIGHT, hypothesis.trace)

        def made(quantity: Quantity) -> Made:
            return lambda formulas, trace: quantity.by_rule(RIGHT, self._struck(trace, formulas, struck_layer, layer))

        options = []
        for seen in ([*submitted], *([quantity] for quantity in wrong if len(submitted) > 1)):
            rules = {quantity: made(quantity) for quantity in seen}
            yours = {quantity: self._values[quantity] for quantity in seen}
            for finding in findings(self._comparator, hypothesis.trace, struck, yours, rules)[:BEAM_WIDTH]:
                trace = self._struck(hypothesis.trace, finding.formulas, struck_layer, layer)
                accusation = Accusation(struck, (finding,), own, trace.deltas[struck_layer])
                option = replace(hypothesis.accusing(accusation), trace=trace)
                left = [quantity for quantity in submitted if not self._follows(option.trace, quantity)]
                options.append(self._blaming(option, left))
            if options:
                break
        return options

    def _struck(self, trace: Trace, formulas: Formulas, struck_layer: str, layer: str) -> Trace:
        """Return the trace with the delta of `struck_layer` from these formulas, and the deltas from there to `layer`."""
        trace = trace.with_delta(struck_layer, Quantity("deltas", struck_layer).by_rule(formulas, trace))
        path = self._suspects(layer)
        for name in reversed(path[: path.index(struck_layer)]):
            trace = trace.with_delta(name, RIGHT.delta(trace, name))
        return trace

    def _suspects(self, layer: str) -> list[str]:
        """Return the layer, and those above it for which no delta or gradient was submitted."""
        found = [layer]
        for name in found:
            for reader in self._network.readers.get(name, ()):
                silent = not any(q.layer == reader.layer and q.part in ("deltas", "gradients") for q in self._values)
                if silent and reader.layer not in found:
                    found.append(reader.layer)
        positions = {node.name: node.position for node in self._network.problem.nodes}
        return sorted(found, key=positions.__getitem__)

    def _at_input(self, hypothesis: Hypothesis, quantity: Quantity) -> list[Hypothesis]:
        """Return the hypotheses after the gradient of an input."""
        if any(reader.layer in hypothesis.lost for reader in self._network.readers[quantity.layer]):
            return [hypothesis]
        return [self._judged(hypothesis, quantity)]

    def _judged(self, hypothesis: Hypothesis, quantity: Quantity) -> Hypothesis:
        """Return the hypothesis, with an accusation if a submitted quantity is neither right nor follows from the trace."""
        if self._is_right(quantity) or self._follows(hypothesis.trace, quantity):
            return hypothesis
        if quantity.part == "gradients" and quantity.layer in hypothesis.lost:
            return hypothesis
        return self._accusing(hypothesis, quantity)

    def _accusing(self, hypothesis: Hypothesis, quantity: Quantity) -> Hypothesis:
        """Return the hypothesis with an accusation; if that reaches the limit, its mistakes are not searched for."""
        if hypothesis.cost + (AGAIN if hypothesis.accusations else NAMED) >= self._limit:
            return replace(hypothesis, cost=math.inf)
        return hypothesis.accusing(self._accused(hypothesis.trace, quantity))

    def _accused(self, trace: Trace, quantity: Quantity) -> Accusation:
        """Return an accusation of the rule of a submitted quantity, with the mistakes that reproduce it."""
        self._check_deadline()
        yours = self._values[quantity]
        found: Sequence[Finding] = findings(
            self._comparator,
            trace,
            quantity,
            {quantity: yours},
            {quantity: lambda formulas, at: quantity.by_rule(formulas, at)},
        )
        return Accusation(quantity, tuple(found), quantity.by_rule(RIGHT, trace), yours)

    def _cheapest(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        return sorted((each for each in hypotheses if each.cost < self._limit), key=lambda each: each.cost)[:BEAM_WIDTH]

    def _is_right(self, quantity: Quantity) -> bool:
        return self._comparator.is_right(quantity, self._values[quantity])

    def _follows(self, trace: Trace, quantity: Quantity) -> bool:
        """Return True if a submitted quantity follows from the trace by its rule."""
        return self._comparator.agrees(self._values[quantity], lambda at: _right(quantity, at), trace)

    def _is_lost(self, hypothesis: Hypothesis, layer: str) -> bool:
        return any(reader.layer in hypothesis.lost for reader in self._network.readers[layer])


def _right(quantity: Quantity, trace: Trace) -> Array:
    with np.errstate(all="ignore"):
        return quantity.by_rule(RIGHT, trace)
