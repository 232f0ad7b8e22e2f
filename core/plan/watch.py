"""What a plan does besides computing when somebody waits for its answer: look for NaN, and look at the clock."""

from __future__ import annotations

from dataclasses import dataclass

from core.arrays import Array, Op
from core.network import Node
from core.nonfinite import Cause, finite_check


@dataclass(frozen=True, slots=True)
class Watch:
    """Adds watching steps behind computing ones. Without `check_deadline` it adds none."""

    check_deadline: Op | None = None
    """Called after every layer in both directions; it ends a run by raising."""

    def tensor(self, ops: list[Op], node: Node, tensor: str, array: Array, cause: Cause) -> None:
        """Refuse NaN and infinity in a tensor of that layer."""
        if self.check_deadline:
            ops.append(finite_check(node.name, node.position, tensor, array, cause))

    def layer(self, ops: list[Op]) -> None:
        """Let a run be ended here."""
        if self.check_deadline:
            ops.append(self.check_deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retain:
    """What must still be readable when a run is over; memory of anything else is used again."""

    preactivations: bool = False
    deltas: bool = False
    input_gradients: bool = False
