"""Cost: the operations of a computation and the memory that it holds at the same time."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.cost.network import NetworkCost
from core.operations import RATE


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a computation. Costs of parts add up: their arrays are held at the same time."""

    operations: float = 0.0
    """Number of operations, in the unit of `core/operations.py`."""

    bytes: int = 0
    """Memory in bytes at its peak, besides that of the idle server."""

    network: NetworkCost | None = field(default=None, compare=False, repr=False)
    """The network whose layers cause the cost."""

    def __add__(self, other: Cost) -> Cost:
        """Return the cost of both, one after the other, with the arrays of both held."""
        return Cost(self.operations + other.operations, self.bytes + other.bytes, self.network or other.network)

    def __mul__(self, times: float) -> Cost:
        """Return the cost of doing the same several times in the same memory."""
        return Cost(self.operations * times, self.bytes, self.network)

    @property
    def seconds(self) -> float:
        """Predicted time on one core."""
        return self.operations / RATE
