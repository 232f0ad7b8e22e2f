"""Blocks: the parts of a parameter that belong to one gate, to queries, keys or values, or to one offset of a kernel."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from core.arrays import Array
from core.layers.shared.filters import Filters
from core.layers.shared.recurrence import Recurrent
from core.network import Node

GATES: Mapping[str, Mapping[str, str]] = {
    "lstm": {"i": "input gate i", "f": "forget gate f", "g": "cell candidate g", "o": "output gate o"},
    "gru": {"r": "reset gate r", "z": "update gate z", "n": "candidate state n"},
}
PROJECTIONS = ("queries Q", "keys K", "values V")


def blocks_of(node: Node, parameter: str) -> Mapping[str, tuple[slice, ...]]:
    """Return the blocks of a parameter, batch-first and in x out, by their names in words; {} if it has none."""
    layer: Any = node.layer
    if parameter not in node.parameters:
        return {}
    shape = node.parameters[parameter].shape
    before = (slice(None),) * (len(shape) - 1)
    if isinstance(layer, Recurrent):
        names = GATES.get(layer.kind, {})
        return {names[letter]: (*before, block) for letter, block in layer.blocks(parameter).items() if letter in names}
    if layer.kind == "multi_head_attention" and parameter in ("in_weight", "in_bias"):
        d = shape[-1] // len(PROJECTIONS)
        return {name: (*before, slice(k * d, (k + 1) * d)) for k, name in enumerate(PROJECTIONS)}
    if isinstance(layer, Filters) and parameter == "weight":
        return {
            f"kernel offset {_shown(offset)}": (slice(None), slice(None), *(slice(k, k + 1) for k in offset))
            for offset in product(*map(range, shape[2:]))
        }
    return {}


def wrong_blocks(node: Node, parameter: str, apart: Array) -> list[str]:
    """Return the names of the blocks that hold wrong numbers, or [] if all blocks do or the parameter has none.

    Args:
        node: the layer.
        parameter: its name.
        apart: True where a number is wrong, in the shape of the parameter, batch-first and in x out.
    """
    blocks = blocks_of(node, parameter)
    if np.shape(apart) != node.parameters[parameter].shape:
        return []
    wrong = [name for name, block in blocks.items() if np.any(apart[block])]
    return wrong if len(wrong) < len(blocks) else []


def _shown(offset: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, offset))})"
