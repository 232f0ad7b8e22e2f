"""The cost of a computation, estimated from shapes alone: operations and bytes of memory, before anything is allocated."""

from core.cost.cost import Cost
from core.cost.network import LayerCost, NetworkCost

__all__ = ["Cost", "LayerCost", "NetworkCost"]
