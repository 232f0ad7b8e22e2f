"""Padding and resampling of images and sequences."""

from __future__ import annotations

from typing import Any

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, each
from core.layers.shared.windows import paddings_along

MODES = {
    ("nearest", False): ("nearest", "asymmetric", "floor"),
    ("nearest_exact", False): ("nearest", "half_pixel", "round_prefer_ceil"),
    ("linear", False): ("linear", "half_pixel", None),
    ("linear", True): ("linear", "align_corners", None),
}
"""The mode, the transformation of coordinates and the rounding in ONNX, by mode and align_corners."""


def pad(writer: Writer, target: OnnxLayer) -> str:
    """Write Pad over the axes behind the channels."""
    layer = target.layer
    rank = target.rank - 2
    paddings = paddings_along(layer.kind, layer.padding, rank)
    pads = [0, 0, *(before for before, _ in paddings), 0, 0, *(after for _, after in paddings)]
    value = [writer.number(layer.value)] if layer.mode == "constant" else []
    return writer.node("Pad", [target.reads[0], writer.integers(pads), *value], mode=layer.mode)


def upsample(writer: Writer, target: OnnxLayer) -> str:
    """Write Resize by scales, or to sizes of the axes behind the channels."""
    layer, rank = target.layer, target.rank
    mode, where, rounding = MODES[layer.mode, layer.align_corners]
    fields: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": where}
    if rounding:
        fields["nearest_mode"] = rounding
    if layer.size is not None:
        sizes = writer.integers(each(layer.size, rank - 2))
        return writer.node("Resize", [target.reads[0], "", "", sizes], axes=list(range(2, rank)), **fields)
    scales = layer.scale if isinstance(layer.scale, list) else [layer.scale] * (rank - 2)
    return writer.node("Resize", [target.reads[0], "", writer.singles([1.0, 1.0, *scales])], **fields)
