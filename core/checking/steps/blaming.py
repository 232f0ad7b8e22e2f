"""The blame for wrong updates, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.checking.quantity import Quantity
from core.checking.report import Alternative, Certainty
from core.checking.steps.agreement import Key
from core.checking.steps.course import Course
from core.checking.steps.equations import right_rule
from core.checking.steps.explanation import Explanation, Found
from core.checking.steps.reading import Misfit
from core.checking.steps.report import PARAMETERS, StepBlame
from core.checking.steps.rules import UpdateRule

NAMED = 6
"""The largest number of parameters that a sentence names."""

FEWEST = 3
"""With fewer wrong numbers than this, a cause is likely and not exact."""


class Blaming:
    """Says of wrong parameters which rule is wrong, since when, and what the right one is."""

    def __init__(self, course: Course, found: Found) -> None:
        self.course, self.found = course, found

    def blame(self, each: Explanation) -> StepBlame:
        step = min(self.course.points[self.found.wrong[key][0]].step for key in each.keys)
        fix = right_rule(self.course.optimizer, step)
        where = self._where(each.keys)
        shows = f"It shows from step {step} on, in {where}."
        quantity = self._quantity(each.keys)
        ratio = self._ratio(each.keys)
        if not each.mistakes:
            return StepBlame(
                quantity=quantity,
                tensors=(quantity,),
                block="",
                cause="unknown",
                certainty="located",
                rule=fix.latex,
                wrong="",
                said=f"Your parameters do not follow from those before by the rule of {self.course.optimizer.kind}, and no "
                f"known mistake explains them. {shows}",
                why="Compare your update with the rule, term by term. If the gradients may be wrong, send the ones that the "
                "update used: `gradients` of that step.",
                fix=fix,
                ratio=ratio,
                factor=None,
                residual=None,
                step=step,
            )
        alternatives = [
            Alternative(
                cause=" and ".join(rule.slug for rule in rules),
                quantity=quantity,
                why=" ".join(f"{sentence(rule)} {rule.why}" for rule in rules),
                separate=f"Send {needed(self.course)}.",
            )
            for rules in each.alternatives
        ]
        sizes = {key: part.stop - part.start for key, part in self.course.layout.slices.items()}
        numbers = sum(sizes[key] * len(self.found.wrong[key]) for key in each.keys)
        certainty: Certainty = "ambiguous" if alternatives else "exact" if numbers >= FEWEST else "likely"
        said = " ".join(sentence(rule) for rule in each.wrong)
        if each.factor is not None:
            said = said.replace("a constant factor", f"the constant factor {each.factor:.6g}")
        return StepBlame(
            quantity=quantity,
            tensors=(quantity,),
            block="",
            cause=" and ".join(rule.slug for rule in each.wrong),
            certainty=certainty,
            rule=fix.latex,
            wrong=r", \quad ".join(rule.wrong for rule in each.wrong),
            said=f"{said} {shows}",
            why=" ".join(rule.why for rule in each.wrong),
            fix=fix,
            ratio=ratio,
            factor=each.factor,
            residual=None,
            alternatives=alternatives,
            step=step,
        )

    def misfit(self, misfit: Misfit) -> StepBlame:
        fix = right_rule(self.course.optimizer, misfit.step)
        return StepBlame(
            quantity=Quantity(misfit.part, misfit.layer, misfit.name),
            tensors=(Quantity(misfit.part, misfit.layer, misfit.name),),
            block="",
            cause="update-changes-shape",
            certainty="exact",
            rule=fix.latex,
            wrong=r"\theta - \eta\, \Delta \text{ of another shape}",
            said=f"Your {misfit.name} of layer {misfit.layer!r} has the shape {list(misfit.got)} after step {misfit.step}, "
            f"and not {list(misfit.wanted)}.",
            why="An update has the shape of the parameter. Where a gradient has one row for each example, or is a column in "
            "place of a row, broadcasting makes the parameter larger: sum the gradient over the examples first.",
            fix=fix,
            ratio=None,
            factor=None,
            residual=None,
            step=misfit.step,
        )

    def _quantity(self, keys: Sequence[Key]) -> Quantity:
        """Return the layer and the parameter if there is one of each, otherwise what they have in common."""
        layers, names = {layer for layer, _ in keys}, {name for _, name in keys}
        return Quantity(
            PARAMETERS, next(iter(layers)) if len(layers) == 1 else "", next(iter(names)) if len(names) == 1 else ""
        )

    def _where(self, keys: Sequence[Key]) -> str:
        known = {
            key
            for key, part in self.course.layout.slices.items()
            if any(point.theta.known[part].any() for point in self.course.points)
        }
        if known and set(keys) == known and len(keys) > 1:
            return "every parameter"
        if len(keys) > NAMED:
            return f"{len(keys)} parameters"
        return ", ".join(f"the {name} of layer {layer!r}" for layer, name in keys)

    def _ratio(self, keys: Sequence[Key]) -> float | None:
        """Return the ratio of the submitted to the right updates where it first shows, if it is the same everywhere."""
        number = min(self.found.wrong[key][0] for key in keys)
        point, own = self.course.points[number], self.found.predicted[number]
        mask = np.zeros_like(point.theta.known)
        for key in keys:
            mask[self.course.layout.slices[key]] = True
        mask &= point.theta.known & (own.theta != own.before)
        ratios = (point.theta.values - own.before)[mask] / (own.theta - own.before)[mask]
        if len(ratios) < FEWEST or not np.isfinite(ratios).all():
            return None
        middle = float(np.median(ratios))
        return middle if np.all(np.abs(ratios - middle) <= 1e-5 * max(abs(middle), 1e-3)) else None


def needed(course: Course) -> str:
    """Return what a submission could add."""
    missing = [] if any(point.slots for point in course.points) else ["the optimizer_state after each step"]
    return ", and ".join([*missing, "one step more" if len(course.points) > 1 else "two steps or more"])


def sentence(rule: type[UpdateRule]) -> str:
    """Return what a rule says of itself, as a sentence."""
    return f"{rule.said}."
