"""Reading of submitted steps: names, shapes and layouts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.arrays import Array, Shape
from core.checking.report import ReportedEquivalence
from core.checking.steps.course import SubmittedStep
from core.convention import Convention, is_transposed, parameter_shape
from core.errors import Issue, did_you_mean, refuse_if_any
from core.network import Node
from core.optimizers import Optimizer
from core.problem import Problem

Named = Mapping[str, Mapping[str, Array]]


MOST_BETWEEN = 100
"""Steps that are computed between two submitted ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentStep:
    """What was sent of one step, in the caller's layout."""

    step: int
    path: tuple[str | int, ...]
    """Where it is in the request."""

    parameters: Named = field(default_factory=dict)
    slots: Mapping[str, Named] = field(default_factory=dict)
    gradients: Named = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A tensor of another shape than its parameter's."""

    step: int
    part: str
    layer: str
    name: str
    got: Shape
    wanted: Shape


@dataclass(slots=True)
class Read:
    """The steps in the core's layout, and what was unlike the request on the way."""

    steps: list[SubmittedStep] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)
    layouts: dict[tuple[int, str, str, str], str] = field(default_factory=dict)
    """Rearrangements by step, part, layer and name."""

    @property
    def equivalences(self) -> list[ReportedEquivalence]:
        """The transposed tensors, in words."""
        turned = dict.fromkeys(f"{name} of {layer!r}" for _, _, layer, name in self.layouts)
        if not turned:
            return []
        said = f"Transposed, compared with the request's convention: {', '.join(turned)}."
        return [ReportedEquivalence(slug="transposed-layout", said=said)]


def read_steps(
    problem: Problem, sent: Sequence[SentStep], optimizer: Optimizer, convention: Convention | None, start: int = 0
) -> Read:
    """Return the steps in the core's layout. A tensor of a wrong shape is kept apart: it is reported as a mistake.

    Raises:
        Refusal: `unknown-name` for a layer, a parameter or a slot that does not exist, `invalid-request` for too many steps
            between two that were sent.
    """
    nodes = {node.name: node for node in problem.nodes}
    found, issues = Read(), list[Issue]()
    written = convention or problem.convention
    before = start
    for each in sent:
        if each.step - before > MOST_BETWEEN:
            issues.append(_too_far(before, each))
        before = each.step
        parts: dict[tuple[str, ...], Named] = {("parameters",): each.parameters, ("gradients",): each.gradients}
        for slot, slotted in each.slots.items():
            if slot not in optimizer.slots:
                issues.append(
                    _unknown("slot of this optimizer", slot, optimizer.slots, *each.path, "optimizer_state", "slots")
                )
                continue
            parts["optimizer_state", "slots", slot] = slotted
        core: dict[tuple[str, ...], dict[str, dict[str, Array]]] = {}
        for path, named in parts.items():
            core[path] = {}
            for layer, arrays in named.items():
                if layer not in nodes:
                    issues.append(_unknown("layer", layer, nodes, *each.path, *path))
                    continue
                for name, array in arrays.items():
                    if name not in nodes[layer].parameters:
                        known = nodes[layer].parameters
                        issues.append(_unknown(f"parameter of layer {layer!r}", name, known, *each.path, *path, layer))
                        continue
                    label = f"step.{path[0] if len(path) == 1 else f'optimizer_state.{path[-1]}'}"
                    read = _fit(problem, nodes[layer], name, np.asarray(array), written)
                    if isinstance(read, tuple):
                        core[path].setdefault(layer, {})[name] = read[0]
                        if read[1]:
                            found.layouts[each.step, label, layer, name] = "transposed"
                    else:
                        wanted = parameter_shape(nodes[layer].parameters[name], written)
                        found.misfits.append(Misfit(each.step, label, layer, name, read.shape, wanted))
        found.steps.append(
            SubmittedStep(
                step=each.step,
                parameters=core["parameters",],
                gradients=core["gradients",],
                slots={path[-1]: named for path, named in core.items() if len(path) > 1},
            )
        )
    refuse_if_any(issues)
    return found


def _too_far(before: int, sent: SentStep) -> Issue:
    """Return the issue for a step that many others lie before."""
    return Issue(
        code="invalid-request",
        path=(*sent.path, "step"),
        detail=(
            f"There are {sent.step - before:,} steps from step {before:,} to step {sent.step:,}; at most {MOST_BETWEEN} "
            "are computed between two that are sent."
        ),
        expected=before + MOST_BETWEEN,
        got=sent.step,
        hint="Send the parameters after more of the steps, or `optimizer_state_before` with its step.",
    )


def _fit(problem: Problem, node: Node, name: str, array: Array, written: Convention) -> tuple[Array, bool] | Array:
    """Return a tensor in the core's layout and whether it was transposed; the tensor as it is if its shape is wrong."""
    parameter = node.parameters[name]
    wanted = parameter_shape(parameter, written)
    array = problem.documented(node.name, name, array.astype(np.float64))
    turned = False
    if array.shape != wanted:
        if [length for length in array.shape if length > 1] == [length for length in wanted if length > 1]:
            array = array.reshape(wanted)
        elif array.shape == wanted[::-1] and len(wanted) == 2:
            array, turned = array.T, True
        else:
            return array
    return (array.T if is_transposed(parameter, written) else array), turned


def _unknown(what: str, name: str, known: Mapping[str, object] | Sequence[str], *path: str | int) -> Issue:
    return Issue(
        code="unknown-name",
        path=(*path, name),
        detail=f"There is no {what} {name[:60]!r} here.",
        expected=list(known)[:50],
        got=name[:60],
        hint=did_you_mean(name, list(known)),
    )
