"""Two known mistakes in one program: in two rules, or a factor beside another mistake in one rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.checking.mistakes.base import Fitted, both
from core.checking.quantity import Quantity
from tests.core.checking.campaign.known import Made, mistakes_at, values_of
from tests.core.checking.campaign.outcome import Expected, Trial
from tests.core.checking.campaign.problems import Sample, sample_of
from tests.core.checking.campaign.program import EVERYTHING, WAYS, computed, differs, is_finite, right_trace, submission

FAMILY = "pairs"
DRAWS = 3


def trials(number: int) -> Iterator[tuple[Sample, Trial]]:
    """The trials of one problem."""
    sample = sample_of(number)
    network = sample.network()
    right, trace = computed(network), right_trace(network)
    parts = WAYS["deltas sent"]
    shown: list[Made] = []
    for made in mistakes_at(sample, network, trace):
        values = values_of(network, made)
        backward = made.place.part in ("deltas", "gradients", "input_gradient")
        if backward and values is not None and is_finite(values, parts) and differs(values, right, parts):
            shown.append(made)
    if len(shown) < 2:
        return
    generator = np.random.default_rng(number)
    for _ in range(DRAWS):
        first, second = (shown[int(k)] for k in generator.choice(len(shown), 2, replace=False))
        if first.place == second.place or first.is_inside or second.is_inside:
            continue
        yield from _sent(sample, f"{first.name} and {second.name}", [first, second])
    structures = [
        made for made in shown if not (made.is_inside or made.mistake.plain or issubclass(made.mistake, Fitted))
    ]
    factors = [made for made in shown if made.mistake.plain]
    if structures and factors:
        one = structures[int(generator.integers(len(structures)))]
        alike = [made for made in factors if made.place == one.place]
        if alike:
            other = alike[int(generator.integers(len(alike)))]
            formulas = both(other.mistake, one.mistake)
            made = Made(one.mistake, one.place, one.kind, formulas)
            causes = {f"{other.mistake.slug}+{one.mistake.slug}"}
            yield from _sent(sample, f"{other.mistake.slug} and {one.name}", [made], causes)


def _sent(
    sample: Sample, name: str, made: list[Made], causes: set[str] | None = None
) -> Iterator[tuple[Sample, Trial]]:
    network = sample.network()
    values, right = values_of(network, *made), computed(network)
    if values is None or not all(differs({each.place: values[each.place]}, right, EVERYTHING) for each in made):
        return  # The second undoes the first.
    places: frozenset[Quantity] = frozenset(each.place for each in made)
    expected = Expected(places, frozenset(causes or {each.mistake.slug for each in made}), every=True)
    for way, parts in WAYS.items():
        alone = [values_of(network, each) for each in made]
        seen = all(one is not None and differs(values, one, parts) for one in alone) if len(made) > 1 else True
        if seen and differs(values, right, parts) and is_finite(values, parts):
            sent = submission(network, values, parts)
            yield sample, Trial(FAMILY, sample.number, name, sample.kind, way, sent, expected)
