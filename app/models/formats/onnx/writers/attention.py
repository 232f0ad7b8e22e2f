"""Multi-head self-attention as products, which every program reads."""

from __future__ import annotations

import math

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable


def multi_head_attention(writer: Writer, target: OnnxLayer) -> str:
    """Write the products and the softmax of self-attention."""
    layer = target.layer
    if layer.causal:
        raise Unwritable("it is causal, and its mask depends on the length of the sequence")
    features = target.array("out_weight").shape[0]
    size = features // layer.heads
    Q, K, V = (_block(writer, target, position, features) for position in range(3))
    heads = writer.integers([0, 0, layer.heads, size])
    Q, V = (writer.node("Transpose", [writer.node("Reshape", [X, heads])], perm=[0, 2, 1, 3]) for X in (Q, V))
    K = writer.node("Transpose", [writer.node("Reshape", [K, heads])], perm=[0, 2, 3, 1])
    scores = writer.node("Mul", [writer.node("MatMul", [Q, K]), writer.number(1 / math.sqrt(size))])
    context = writer.node("MatMul", [writer.node("Softmax", [scores], axis=-1), V])
    turned = writer.node("Transpose", [context], perm=[0, 2, 1, 3])
    joined = writer.node("Reshape", [turned, writer.integers([0, 0, features])])
    made = writer.node("MatMul", [joined, target.tensor(writer, "out_weight")])
    return writer.node("Add", [made, target.tensor(writer, "out_bias")]) if layer.bias else made


def _block(writer: Writer, target: OnnxLayer, position: int, features: int) -> str:
    """Write the queries, keys or values: the product with their block of the weight."""
    columns, name = slice(position * features, (position + 1) * features), "qkv"[position]
    weight = writer.constant(f"{target.name}.{name}.weight", target.array("in_weight")[:, columns])
    made = writer.node("MatMul", [target.reads[0], weight])
    if not target.layer.bias:
        return made
    bias = writer.constant(f"{target.name}.{name}.bias", target.array("in_bias")[columns])
    return writer.node("Add", [made, bias])
