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

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.effort import Effort
from core.checking.formulas import RIGHT, Formulas
from core.checking.hypothesis import AGAIN, NAMED, Accusation, Hypothesis
from core.checking.inside import InsideSearch
from core.checking.quantity import Quantity
from core.checking.recovery import recovered_delta
from core.checking.replay import Finding, Made, findings
from core.checking.submission import Submission
from core.checking.trace import Network, Trace
from core.checking.trials import Scope

BEAM_WIDTH = 6
"""Number of hypotheses that are followed in parallel."""


class Search:
    """Explains one submission."""

    def __init__(
        self,
        network: Network,
        comparator: Comparator,
        submission: Submission,
        effort: Effort,
        limit: float = math.inf,
        supposed: Mapping[Quantity, Finding] | None = None,
    ) -> None:
        """Prepare the search.

        Args:
            network: the network of the problem.
            comparator: decides whether two tensors agree.
            submission: the submission to explain.
            effort: what is left of the replays that the check may make.
            limit: hypotheses that cost this much or more are dropped, and their mistakes are not searched for.
            supposed: mistakes that are assumed in a forward pass that was not submitted.
        """
        self._network = network
        self._comparator = comparator
        self._submission = submission
        self._values = submission.values
        self._effort = effort
        self._limit = limit
        self._supposed = supposed or {}
        self._right: dict[Quantity, bool] = {}
        self._inside = InsideSearch(comparator, submission.values, effort)

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
        for accusation in hypothesis.accusations:  # The gradients of a layer are those of what it computes.
            if accusation.quantity.part == "preactivations" and accusation.findings:
                formulas = accusation.findings[0].formulas
                hypothesis = hypothesis.with_rules_of(accusation.quantity.layer, formulas)
        return hypothesis

    def _backward(self, beam: list[Hypothesis]) -> list[Hypothesis]:
        """Judge the backward rules, from the loss down."""
        if self._network.problem.objective is None:
            return beam
        for node in reversed(self._network.problem.nodes):
            self._effort.look_at_the_clock()
            beam = self._cheapest([each for one in beam for each in self._at_layer(one, node.name)])
        for name in self._network.inputs:
            quantity = Quantity("input_gradient", name)
            if quantity in self._values:
                beam = self._cheapest([self._at_input(one, quantity) for one in beam])
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
            wrong = [q for q in submitted if not self._is_right(q) and not self._follows(hypothesis.trace, q)]
            return [self._blaming(hypothesis, submitted, wrong)] if wrong else [hypothesis]
        hypothesis = hypothesis.with_delta(layer, quantity.by_rule(RIGHT, hypothesis.trace))
        unlike = [q for q in submitted if not self._follows(hypothesis.trace, q)]
        if self._is_lost(hypothesis, layer) or (unlike and self._is_doubtful(hypothesis, layer)):
            right = [q for q in submitted if self._is_right(q)]
            lost = self._is_lost(hypothesis, layer)
            hypothesis = hypothesis.losing(layer)
            return [hypothesis.contradicted() if right and lost else hypothesis]
        wrong = [q for q in unlike if not self._is_right(q)]
        if len(wrong) < len(unlike):
            hypothesis = hypothesis.contradicted()
        return self._options(hypothesis, layer, submitted, wrong) if wrong else [hypothesis]

    def _options(
        self, hypothesis: Hypothesis, layer: str, submitted: Sequence[Quantity], wrong: Sequence[Quantity]
    ) -> list[Hypothesis]:
        """Return hypotheses for a layer whose delta was not submitted and whose gradients are wrong."""
        if self._is_too_costly(hypothesis):
            return []
        blamed = self._blaming(hypothesis, submitted, wrong)
        last = blamed.accusations[-1]
        if last.also and last.findings and not last.may_be_factor:
            return [blamed]  # The rules inside the layer explain it: the delta above is not blamed for that.
        options = []
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
                accusation = Accusation(quantity, (), own, None, certain=False, also=tuple(wrong))
                options.append(hypothesis.accusing(accusation).losing(layer))
            if not last.findings and self._inside.concerns(hypothesis.trace, layer):
                shown = replace(last, also=(*last.also, quantity))
                blamed = replace(blamed, accusations=(*blamed.accusations[:-1], shown))
                return [blamed, *options]
        # Of equal ones the first is believed: what all gradients of the layer show, a factor or not, is in its delta.
        of_delta = last.is_factor or (not last.findings and len(wrong) == len(submitted))
        return [*options, blamed] if of_delta else [blamed, *options]

    def _blaming(self, hypothesis: Hypothesis, submitted: Sequence[Quantity], wrong: Sequence[Quantity]) -> Hypothesis:
        """Return the hypothesis in which the mistake is in the rules of a layer's gradients.

        A mistake inside the layer is one accusation; otherwise each wrong gradient is one.
        """
        layer = wrong[0].layer
        known = Quantity("deltas", layer) in self._values
        if self._inside.concerns(hypothesis.trace, layer):
            accusation = self._inside.accusation(hypothesis.trace, submitted, wrong)
            if accusation.findings:
                return hypothesis.accusing(accusation).with_rules_of(layer, accusation.findings[0].formulas)
        scope: Scope = "tensor" if self._inside.concerns(hypothesis.trace, layer) else "rule"
        accusations = [self._accused(hypothesis.trace, quantity, scope) for quantity in wrong]
        if self._inside.concerns(hypothesis.trace, layer):
            unknown = [each for each in accusations if not each.findings]
            if unknown:
                others = tuple(each.quantity for each in unknown[1:])
                accusations = [each for each in accusations if each.findings] + [replace(unknown[0], also=others)]
                hypothesis = hypothesis.doubting(layer)
        return hypothesis.accusing(*(replace(each, certain=known or bool(each.findings)) for each in accusations))

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

        options: list[Hypothesis] = []
        for seen in ([*submitted], *([quantity] for quantity in wrong if len(submitted) > 1)):
            if self._effort.is_spent and seen != [*submitted]:
                break
            rules = {quantity: made(quantity) for quantity in seen}
            yours = {quantity: self._values[quantity] for quantity in seen}
            found = findings(self._comparator, hypothesis.trace, struck, yours, rules, self._effort)
            for finding in found[:BEAM_WIDTH]:
                trace = self._struck(hypothesis.trace, finding.formulas, struck_layer, layer)
                accusation = Accusation(struck, (finding,), own, trace.deltas[struck_layer])
                option = replace(hypothesis.accusing(accusation), trace=trace)
                left = [quantity for quantity in submitted if not self._follows(option.trace, quantity)]
                if any(self._is_right(quantity) for quantity in left):
                    continue  # A right tensor would have to be wrong.
                options.append(self._blaming(option, submitted, left) if left else option)
            if options:
                break
        return options

    def _struck(self, trace: Trace, formulas: Formulas, struck_layer: str, layer: str) -> Trace:
        """Return the trace with the delta of `struck_layer` from these formulas, and the deltas from there to `layer`."""
        trace = trace.with_delta(struck_layer, Quantity("deltas", struck_layer).by_rule(formulas, trace))
        if struck_layer == layer:
            return trace
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

    def _at_input(self, hypothesis: Hypothesis, quantity: Quantity) -> Hypothesis:
        """Return the hypothesis after the gradient of an input."""
        if self._is_lost(hypothesis, quantity.layer):
            return hypothesis
        return self._judged(hypothesis, quantity)

    def _judged(self, hypothesis: Hypothesis, quantity: Quantity) -> Hypothesis:
        """Return the hypothesis, with an accusation if a submitted quantity is neither right nor follows from the trace."""
        if self._is_right(quantity) or self._follows(hypothesis.trace, quantity):
            return hypothesis
        if self._is_too_costly(hypothesis):
            return replace(hypothesis, cost=math.inf)
        accusation = self._accused(hypothesis.trace, quantity)
        if not accusation.findings and self._is_doubtful(hypothesis, quantity.layer):
            return hypothesis  # It is wrong by the unknown mistake inside the layer above.
        return hypothesis.accusing(accusation)

    def _is_too_costly(self, hypothesis: Hypothesis) -> bool:
        """Return True if one more accusation reaches the limit, so that its mistakes need not be searched for."""
        return hypothesis.cost + (AGAIN if hypothesis.accusations else NAMED) >= self._limit

    def _accused(self, trace: Trace, quantity: Quantity, scope: Scope = "rule") -> Accusation:
        """Return an accusation of the rule of a submitted quantity, with the mistakes that reproduce it."""
        yours = self._values[quantity]
        rules: dict[Quantity, Made] = {quantity: lambda formulas, at: quantity.by_rule(formulas, at)}
        found = findings(self._comparator, trace, quantity, {quantity: yours}, rules, self._effort, scope)
        return Accusation(quantity, tuple(found), quantity.by_rule(RIGHT, trace), yours)

    def _cheapest(self, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
        return sorted((each for each in hypotheses if each.cost < self._limit), key=lambda each: each.cost)[:BEAM_WIDTH]

    def _is_right(self, quantity: Quantity) -> bool:
        if quantity not in self._right:
            self._right[quantity] = self._comparator.is_right(quantity, self._values[quantity])
        return self._right[quantity]

    def _follows(self, trace: Trace, quantity: Quantity) -> bool:
        """Return True if a submitted quantity follows from the trace by its rule."""
        self._effort.look_at_the_clock()
        return self._comparator.agrees(
            self._values[quantity], lambda at: _right(quantity, at), trace, hurried=self._effort.is_over
        )

    def _is_lost(self, hypothesis: Hypothesis, layer: str) -> bool:
        return any(reader.layer in hypothesis.lost for reader in self._network.readers[layer])

    def _is_doubtful(self, hypothesis: Hypothesis, layer: str) -> bool:
        return any(reader.layer in hypothesis.doubtful for reader in self._network.readers.get(layer, ()))


def _right(quantity: Quantity, trace: Trace) -> Array:
    with np.errstate(all="ignore"):
        return quantity.by_rule(RIGHT, trace)
