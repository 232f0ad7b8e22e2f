"""The memory that an object holds, with everything that is reachable from it."""

from __future__ import annotations

import gc
import sys
from types import FunctionType, ModuleType
from typing import Any

import numpy as np


def held_bytes(root: object) -> int:
    """Return the size in bytes of an object and of all that it refers to, arrays included, except classes and modules."""
    total, seen, waiting = 0, set[int](), [root]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, (type, ModuleType)):
            continue
        seen.add(id(item))
        total += sys.getsizeof(item)
        waiting += _referents(item)
    return total


def _referents(item: Any) -> list[Any]:
    if isinstance(item, np.ndarray):  # The memory of a view belongs to its base.
        return [] if item.base is None else [item.base]
    if isinstance(item, FunctionType):  # Its globals are the module.
        return [item.__closure__, item.__defaults__]
    return gc.get_referents(item)
