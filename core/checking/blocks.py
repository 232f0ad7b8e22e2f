"""stub"""

from __future__ import annotations
from core.arrays import Array
from core.network import Node


def wrong_blocks(node: Node, parameter: str, apart: Array) -> list[str]:
    return []
