"""Every known mistake in every network, layer and convention where it can be made, with and without deltas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.checking import Report
from core.convention import Convention
from tests.core.checking.faults import FAULTS, Fault
from tests.core.checking.student import PARTS, Exercise, examined
from tests.core.sample import CONVENTIONS

NETWORKS = [
    Exercise((3, 3, 3, 3), ("tanh", "sigmoid", "sigmoid"), examples=5),
    Exercise((2, 4, 3), ("sigmoid", "softmax"), examples=7, loss="cross_entropy"),
    Exercise((3, 5, 5, 2), ("relu", "tanh", "sigmoid"), examples=11, loss="binary_cross_entropy", l2=0.1),
]
WITHOUT_DELTAS = ("loss", "gradients")


@dataclass(frozen=True)
class Trial:
    """One program with one mistake, and what of it is submitted."""

    fault: Fault
    exercise: Exercise
    layer: int
    convention: Convention
    parts: tuple[str, ...]

    def __str__(self) -> str:
        sent = "deltas" if "deltas" in self.parts else "gradients"
        return f"{self.fault.cause}-{self.fault.part}-{self.exercise.loss}-{self.layer + 1}-{self.convention}-{sent}"

    def report(self) -> Report:
        """What the check says."""
        submission = (
            self.fault.program(self.layer).solve(self.exercise).submission(*self.parts, convention=self.convention)
        )
        return examined(self.exercise.problem(self.convention), submission)


def trials() -> Iterator[Trial]:
    """All of them."""
    for fault in FAULTS:
        for exercise in NETWORKS:
            if fault.l2 and not exercise.l2:
                exercise = replace(exercise, l2=0.3)
            if fault.loss and exercise.loss != fault.loss:
                continue
            for layer in fault.places(len(exercise.W)):
                if possible(fault, exercise, layer):
                    for convention in CONVENTIONS:
                        for parts in (PARTS, WITHOUT_DELTAS):
                            yield Trial(fault, exercise, layer, convention, parts)


def possible(fault: Fault, e: Exercise, layer: int) -> bool:
    """Whether the mistake can be made at that layer of that network and shows in its numbers."""
    weight = e.W[layer].shape
    if fault.cause == "network-input-instead-of-activation":
        return bool(e.X.shape[1] == weight[0])
    if fault.cause == "weights-of-wrong-layer":
        return bool(weight == e.W[layer + 1].shape and weight[0] == weight[1])
    if fault.cause == "penalty-on-bias":
        return bool(weight[1] >= 3)
    if fault.square:
        shape = e.W[layer + 1].shape if fault.part == "deltas" else weight
        return bool(shape[0] == shape[1])
    if fault.functions == "below":
        return e.functions[layer - 1] != "identity"
    return not fault.functions or e.functions[layer] in fault.functions
