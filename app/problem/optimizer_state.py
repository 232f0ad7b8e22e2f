"""The state of an optimizer, from a request into the core."""

from __future__ import annotations

from collections.abc import Sequence

from app.problem.learning_rates import in_core, wrong_shapes
from app.problem.update import OptimizerState as StateBody
from core.errors import Issue, refuse_if_any
from core.optimizers import Optimizer
from core.problem import Problem
from core.training.stepper import OptimizerState
from core.training.trainable import Trainable


def state_of(
    sent: StateBody | None, optimizer: Optimizer, freeze: Sequence[str], problem: Problem, *path: str
) -> OptimizerState:
    """Return the optimizer state of the core; `path` is where it is in the request.

    Raises:
        Refusal: with every unknown slot and every tensor that does not fit.
    """
    if sent is None:
        return OptimizerState()
    issues: list[Issue] = []
    for field, names, valid in (("slots", sent.slots, optimizer.slots), ("scalars", sent.scalars, optimizer.scalars)):
        for name in names:
            if name not in valid:
                issues.append(
                    Issue(
                        code="unknown-name",
                        path=(*path, field, name),
                        detail=f"{optimizer.kind} has no {name[:60]!r} in its state.",
                        expected=list(valid),
                        hint="The state belongs to another optimizer. Leave it out to start without one.",
                    )
                )
    for slot, named in sent.slots.items():
        issues += wrong_shapes(named, problem, *path, "slots", slot)
    if not issues and sent.step:
        trainable = Trainable(problem.nodes, freeze)
        issues += [
            Issue(
                code="missing-parameters",
                path=(*path, *_place(sent, slot)),
                detail=f"After {sent.step} steps, {optimizer.kind} needs a {slot} for {layer}.{name}; this state has none.",
                hint="Send the optimizer_state of the previous answer unchanged.",
            )
            for slot in optimizer.slots
            for layer, name, _ in trainable.entries
            if name not in sent.slots.get(slot, {}).get(layer, {})
        ]
    refuse_if_any(issues)
    slots = {slot: in_core(named, problem) for slot, named in sent.slots.items()}
    return OptimizerState(sent.step, slots, dict(sent.scalars))


def _place(sent: StateBody, slot: str) -> tuple[str, ...]:
    """Return the place in a state to which a missing tensor of a slot belongs: the slot, or what should hold it."""
    if slot in sent.slots:
        return "slots", slot
    return ("slots",) if "slots" in sent.model_fields_set else ()
