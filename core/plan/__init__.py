"""Plans: the operations of a network, bound to its arrays, built once and run many times."""

from core.plan.objective import Objective
from core.plan.plan import Plan
from core.plan.watch import Retain

__all__ = ["Objective", "Plan", "Retain"]
