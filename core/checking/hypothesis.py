"""A hypothesis: the mistakes that a program is supposed to have, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from core.arrays import Array
from core.checking.quantity import Quantity
from core.checking.replay import Finding
from core.checking.trace import Trace

NAMED, AGAIN, UNKNOWN, CONTRADICTED = 1.0, 0.5, 3.0, 4.0
"""What a hypothesis costs for a mistake with a name, the same mistake at another layer, a mistake without a name, and a
tensor that should be wrong if the hypothesis were true and is right. The cheapest hypothesis is believed."""


@dataclass(frozen=True, slots=True)
class Accusation:
    """A rule that is wrong."""

    quantity: Quantity
    findings: tuple[Finding, ...]
    """The mistakes that reproduce the numbers; none where the cause is not known."""
    expected: Array
    """What the right rule makes of the user's own numbers."""
    yours: Array | None
    """What was submitted, or recovered from what was; None where it is only concluded."""
    certain: bool = True
    """Whether no other place comes into question."""

    @property
    def slug(self) -> str | None:
        """The cause, where it is known."""
        return self.findings[0].slug if self.findings else None

    @property
    def ratio(self) -> float | None:
        """What every number of the submission is a multiple of, if it is the same everywhere."""
        if self.yours is None or self.yours.shape != self.expected.shape:
            return None
        where = self.expected != 0
        if not where.any() or (self.yours[~where] != 0).any():
            return None
        ratios = self.yours[where] / self.expected[where]
        middle = float(np.median(ratios))
        return middle if np.all(np.abs(ratios - middle) <= 1e-6 * abs(middle)) else None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Where the user's program is supposed to be wrong."""

    trace: Trace
    accusations: tuple[Accusation, ...] = ()
    cost: float = 0.0
    lost: frozenset[str] = field(default_factory=frozenset)
    """Layers whose delta nobody knows any more, so that their gradients cannot be judged."""

    def accusing(self, *accusations: Accusation) -> Hypothesis:
        """The same with more mistakes."""
        found = self
        for accusation in accusations:
            found = replace(
                found, accusations=(*found.accusations, accusation), cost=found.cost + found._price(accusation)
            )
        return found

    def _price(self, accusation: Accusation) -> float:
        if not accusation.findings:
            return UNKNOWN
        known = {each.slug for each in self.accusations}
        price = NAMED * len(accusation.findings[0].mistakes)
        return price - (NAMED - AGAIN) * any(finding.slug in known for finding in accusation.findings)

    def with_delta(self, layer: str, delta: Array) -> Hypothesis:
        """The same with a delta of that layer."""
        return replace(self, trace=self.trace.with_delta(layer, delta))

    def losing(self, layer: str) -> Hypothesis:
        """The same without knowing the delta of that layer."""
        return replace(self, lost=self.lost | {layer})

    def contradicted(self) -> Hypothesis:
        """The same, less believable."""
        return replace(self, cost=self.cost + CONTRADICTED)
