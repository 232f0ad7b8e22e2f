"""Normalisations."""

from __future__ import annotations

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable

OPSET_OF_CHANNELS = 21
"""The first operator set in which GroupNormalization has a factor and a shift for each channel."""


def batch_norm(writer: Writer, target: OnnxLayer) -> str:
    """Write BatchNormalization with the running statistics."""
    if target.layer.mode != "eval":
        raise Unwritable('it uses the statistics of the batch; set its mode to "eval"')
    tensors = [target.tensor(writer, name) for name in ("gamma", "beta", "running_mean", "running_variance")]
    return writer.node("BatchNormalization", [target.reads[0], *tensors], epsilon=target.layer.epsilon)


def layer_norm(writer: Writer, target: OnnxLayer) -> str:
    """Write LayerNormalization over the features."""
    tensors = [target.tensor(writer, name) for name in ("gamma", "beta")]
    return writer.node("LayerNormalization", [target.reads[0], *tensors], axis=-1, epsilon=target.layer.epsilon)


def rms_norm(writer: Writer, target: OnnxLayer) -> str:
    """Write the definition: the operator RMSNormalization is too new for most programs."""
    X = target.reads[0]
    mean = writer.node("ReduceMean", [writer.node("Mul", [X, X]), writer.integers([-1])], keepdims=1)
    root = writer.node("Sqrt", [writer.node("Add", [mean, writer.number(target.layer.epsilon)])])
    standardised = writer.node("Mul", [X, writer.node("Reciprocal", [root])])
    return writer.node("Mul", [standardised, target.tensor(writer, "gamma")])


def group_norm(writer: Writer, target: OnnxLayer) -> str:
    """Write GroupNormalization, which reads at least three axes: others are made three, and made what they were."""
    X, rank = target.reads[0], target.ranks[0]
    fields = {"num_groups": target.layer.groups, "epsilon": target.layer.epsilon}
    read = X
    if rank is None or rank < 3:
        read = writer.node("Reshape", [X, writer.integers([0, target.array("gamma").size, -1])])
    writer.needs(OPSET_OF_CHANNELS)
    tensors = [target.tensor(writer, name) for name in ("gamma", "beta")]
    made = writer.node("GroupNormalization", [read, *tensors], **fields)
    return made if read == X else writer.node("Reshape", [made, writer.node("Shape", [X])])


def local_response_norm(writer: Writer, target: OnnxLayer) -> str:
    """Write LRN."""
    layer = target.layer
    return writer.node("LRN", target.reads, size=layer.size, alpha=layer.alpha, beta=layer.beta, bias=layer.bias)


def dropout(writer: Writer, target: OnnxLayer) -> str:
    """Write Dropout, which passes its input on unchanged when a model is evaluated."""
    return writer.node("Dropout", target.reads)
