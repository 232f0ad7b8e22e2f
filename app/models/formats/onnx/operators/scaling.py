"""The scaler that skl2onnx writes for a StandardScaler or MinMaxScaler before a perceptron."""

from __future__ import annotations

import numpy as np

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from core.arrays import Array


def scaler(builder: Builder, node: OnnxNode) -> None:
    """Translate (X - offset) scale, for each feature, to a layer with gamma = scale and beta = -offset scale."""
    rank = len(builder.shape(node, 0))
    if rank != 2:
        raise Untranslatable(f"its input has {rank} axes, not examples x features")
    offset, scale = _numbers(node, "offset", 0.0), _numbers(node, "scale", 1.0)
    size = max(offset.size, scale.size)
    if min(offset.size, scale.size) not in (1, size) or size not in (1, builder.shape(node, 0)[1]):
        raise Untranslatable("its offset and scale are not one number for each feature")
    gamma, beta = np.broadcast_arrays(scale, -offset * scale)
    spec = {"kind": "scale", "axes": [1] if size > 1 else [], "gamma": True, "beta": True}
    layer = builder.add(node, [builder.tensor(node, 0)], spec, {"gamma": gamma.copy(), "beta": beta.copy()})
    builder.fixed += [f"{layer}.gamma", f"{layer}.beta"]


def _numbers(node: OnnxNode, name: str, default: float) -> Array:
    found = node.attributes.get(name, [default])
    if not isinstance(found, list) or not found or not all(type(number) is float for number in found):
        raise Untranslatable(f"its {name} is {str(found)[:40]}, not a list of numbers")
    return np.array(found)
