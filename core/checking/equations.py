"""The right rule of every quantity, as the part of the problem's derivation that computes it.

A rule starts from the variables of a hand-written program at that point: the tensors of the request, the preactivations
and activations of every layer, and the deltas above. Equations between those and the quantity, such as x̂ of a
normalisation, belong to the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from core.checking.quantity import Quantity
from core.checking.trace import Network
from core.explaining.derivation_builder import DerivationBuilder
from core.explaining.step import Step
from core.network import INPUT

MOST_EQUATIONS = 4
"""Of a rule with more equations than this, LaTeX shows only the last one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The right rule of one quantity."""

    latex: str
    numpy: str
    """Lines of NumPy that compute the quantity; "" if there is no derivation."""


class Equations:
    """The right rules of one network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def rule(self, quantity: Quantity) -> Rule:
        """Return the right rule of a quantity."""
        objective = self._network.problem.objective
        if objective is None or not objective.loss.has_derivation:
            return Rule(objective.loss.batch_formula() if objective and quantity.part == "loss" else "", "")
        if quantity.part == "activations" and self._network.nodes[quantity.layer].function.is_identity:
            result = self._steps[f"preactivations.{quantity.layer}"].result
            name = result.python.replace("Z", "A", 1)
            return Rule(f"{result.latex.replace('Z', 'A', 1)} = {result.latex}", f"{name} = {result.python}")
        steps = list(self._slice(step_id(quantity)))
        shown = steps if len(steps) <= MOST_EQUATIONS else steps[-1:]
        lines = [step.numpy for step in steps]
        if any("math." in line for line in lines):
            lines.insert(0, "import math")
        return Rule(r", \quad ".join(step.latex for step in shown), "\n".join(lines))

    @cached_property
    def _steps(self) -> dict[str, Step]:
        problem = self._network.problem
        reported = {name: rules.reported for name, rules in self._network.layer_rules.items() if rules.reported}
        builder = DerivationBuilder(problem, reported, "delta", with_numbers=False)
        return {step.id: step for step in builder.steps}

    def _slice(self, target: str) -> Iterator[Step]:
        """The steps that compute `target` from what a program has by then, in the order of the derivation."""
        at_hand = {
            f"{part}.{name}" for part in ("preactivations", "activations", "deltas") for name in self._network.nodes
        }
        needed, waiting = set[str](), [target]
        while waiting:
            id = waiting.pop()
            if id in self._steps and id not in needed and (id == target or id not in at_hand):
                needed.add(id)
                waiting += self._steps[id].depends_on
        return (step for id, step in self._steps.items() if id in needed)


def step_id(quantity: Quantity) -> str:
    """The id of the step that defines a quantity."""
    if quantity.part == "input_gradient" and quantity.layer == INPUT:
        return "input_gradient"
    return ".".join(filter(None, quantity))
