"""Watch and Retain: checks that a plan runs between its operations, and the arrays that stay readable after a run."""

from __future__ import annotations

from dataclasses import dataclass

from core.arrays import Array, CheckDeadline, Op
from core.network import Node
from core.nonfinite import Cause, finite_check


@dataclass(frozen=True, slots=True)
class Watch:
    """Adds checks to a plan: for NaN and infinity, and of the deadline. Without `check_deadline` it adds none."""

    check_deadline: CheckDeadline | None = None
    """Function called after every layer in both directions; it ends a run by raising an exception."""

    def tensor(self, ops: list[Op], node: Node, tensor: str, array: Array, cause: Cause) -> None:
        """Append the operation that refuses NaN and infinity in a tensor of this layer."""
        if self.check_deadline:
            ops.append(finite_check(node.name, node.position, tensor, array, cause))

    def layer(self, ops: list[Op]) -> None:
        """Append the check of the deadline."""
        if self.check_deadline:
            ops.append(self.check_deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retain:
    """Arrays that stay readable after a run; the memory of others is reused."""

    preactivations: bool = False
    deltas: bool = False
    input_gradients: bool = False
