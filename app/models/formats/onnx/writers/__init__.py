"""Translation of layers to ONNX operators: one writer function for each supported kind of layer."""

from __future__ import annotations

from app.models.formats.onnx.writers import axes, functions, norms, products, resampling, windows
from app.models.formats.onnx.writers.attention import multi_head_attention
from app.models.formats.onnx.writers.functions import write_activation
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable, Write
from app.models.formats.onnx.writers.recurrent import recurrence

WRITERS: dict[str, Write] = {
    "activation": functions.activation, "add": products.pairs("Add"),
    "average_pool2d": windows.pool("AveragePool", count_include_pad=1), "batch_norm": norms.batch_norm,
    "concatenate": axes.concatenate, "conv1d": windows.conv, "conv2d": windows.conv,
    "conv_transpose1d": windows.conv_transpose, "conv_transpose2d": windows.conv_transpose, "dense": products.dense,
    "dropout": norms.dropout, "embedding": products.embedding, "flatten": axes.flatten,
    "global_average_pool": windows.global_average, "group_norm": norms.group_norm, "gru": recurrence("gru"),
    "layer_norm": norms.layer_norm, "local_response_norm": norms.local_response_norm, "lstm": recurrence("lstm"),
    "matmul": products.pairs("MatMul"), "max_pool2d": windows.pool("MaxPool"),
    "multi_head_attention": multi_head_attention, "multiply": products.pairs("Mul"), "pad": resampling.pad,
    "prelu": functions.prelu, "reduce_max": axes.reduction("ReduceMax"), "reduce_mean": axes.reduction("ReduceMean"),
    "reduce_min": axes.reduction("ReduceMin"), "reduce_sum": axes.reduction("ReduceSum"), "reshape": axes.reshape,
    "rms_norm": norms.rms_norm, "rnn": recurrence("rnn"), "scale": products.scale, "slice": axes.slices,
    "subtract": products.pairs("Sub"), "transpose": axes.transpose, "upsample": resampling.upsample,
}  # fmt: skip
"""The writer functions of all supported kinds of layers."""

__all__ = ["WRITERS", "OnnxLayer", "Unwritable", "write_activation"]
