"""Products with a constant matrix, which become dense layers, and products of two tensors."""

from __future__ import annotations

import numpy as np

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from core.arrays import Array


def gemm(builder: Builder, node: OnnxNode) -> None:
    """Translate Y = alpha A' B' + beta C, with a constant B, to a dense layer."""
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    weight, bias = builder.weight(node, 1), builder.weight(node, 2)
    if weight is None or weight.ndim != 2:
        raise Untranslatable("its input B is not a constant matrix")
    reads = builder.tensor(node, 0)
    if node.integer("transA", 0):
        reads = builder.add(node, [reads], {"kind": "transpose"}, output=f"{node.outputs[0]} transposed")
    W = weight.T if node.integer("transB", 0) else weight
    dense(builder, node, reads, _scaled(W, alpha), None if bias is None or beta == 0 else _scaled(bias, beta))


def _scaled(array: Array, factor: float) -> Array:
    return array if factor == 1 else array * array.dtype.type(factor)


def dense(builder: Builder, node: OnnxNode, reads: str, W: Array, bias: Array | None) -> None:
    """Add a dense layer. A bias of one number is repeated for every unit."""
    units = W.shape[1]
    parameters = {"weight": W}
    if bias is not None:
        row = bias.size == units and bias.shape[-1:] == (units,)
        if bias.ndim > 2 or not (row or bias.size == 1):
            raise Untranslatable(
                f"its input C has the shape {list(bias.shape)}; a bias needs one number for each of {units} units"
            )
        parameters["bias"] = np.array(np.broadcast_to(bias.reshape(-1), (units,)))
    spec = {"kind": "dense", "units": units, "bias": bias is not None}
    builder.add(node, [reads], spec, parameters, named_by=1)


def matmul(builder: Builder, node: OnnxNode) -> None:
    """Translate a product with a constant right factor to a dense layer, any other to a product of two tensors."""
    if builder.is_tensor(node, 1):
        builder.add(node, [builder.tensor(node, 0), builder.tensor(node, 1)], {"kind": "matmul"})
        return
    weight = builder.weight(node, 1)
    if weight is None or weight.ndim != 2:
        raise Untranslatable("its right factor is not a constant matrix")
    if len(builder.shape(node, 0)) < 2:
        raise Untranslatable("its left factor is a vector, which has no axis of examples beside that of features")
    dense(builder, node, builder.tensor(node, 0), weight, None)
