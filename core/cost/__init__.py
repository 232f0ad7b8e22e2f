"""The cost of a computation, estimated from shapes alone: operations and bytes of memory, before anything is allocated."""

from core.cost.cost import Cost
from core.cost.network import LayerCost, NetworkCost
from core.cost.passes import PASSES

__all__ = ["PASSES", "Cost", "LayerCost", "NetworkCost"]
