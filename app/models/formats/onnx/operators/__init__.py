"""Translation of ONNX operators to layers: one translator for each supported operator.

Source: https://onnx.ai/onnx/operators/, operator set 24 and the older forms of attributes that became inputs.
"""

from __future__ import annotations

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators import (
    arithmetic,
    attention,
    axes,
    blocks,
    composed,
    conditions,
    einsum,
    extremes,
    functions,
    losses,
    norms,
    products,
    reductions,
    windows,
)
from app.models.formats.onnx.operators.functions import function
from app.models.formats.onnx.operators.recurrent import recurrence
from app.models.formats.onnx.operators.scaling import scaler


def pass_through(builder: Builder, node: OnnxNode) -> None:
    """Translate an operator that does nothing when a model is evaluated."""
    builder.alias(node, builder.tensor(node, 0))


def dropout(builder: Builder, node: OnnxNode) -> None:
    """Translate Dropout, which passes everything on unless it is told to train."""
    if builder.graph.opset < 7:
        node.require("is_test", 0, 1)
    if len(node.inputs) > 2 and node.inputs[2]:
        training = builder.constant(node, 2)
        if training is None or training.any():
            raise Untranslatable("it drops numbers, as in training; export the model for evaluation")
    if any(node.outputs[1:]):
        raise Untranslatable("it also returns its mask")
    pass_through(builder, node)


def cast(builder: Builder, node: OnnxNode) -> None:
    """Translate a conversion between floating-point types to nothing, because the request sets the precision."""
    node.require("to", 1, 1, 10, 11, 16)
    pass_through(builder, node)


def cast_classes(builder: Builder, node: OnnxNode) -> None:
    """Translate a conversion to integers of numbers that only embeddings read, or to floating point."""
    if node.integer("to", 1) in (6, 7) and builder.only_feeds(node, "Gather"):
        pass_through(builder, node)
    else:
        cast(builder, node)


OPERATORS: dict[str, Translator] = {
    "Abs": function("abs"), "Add": arithmetic.add, "Attention": attention.attention,
    "AveragePool": windows.pool("average_pool2d"), "BatchNormalization": norms.batch_norm, "Cast": cast_classes,
    "Celu": composed.celu, "Clip": functions.clip, "Concat": axes.concatenate, "Conv": windows.conv,
    "ConvTranspose": windows.conv_transpose, "DepthToSpace": blocks.depth_to_space, "Div": arithmetic.divide,
    "Dropout": dropout, "Einsum": einsum.einsum, "Elu": functions.elu, "Erf": function("erf"), "Exp": function("exp"),
    "Expand": blocks.expand, "Flatten": axes.arrange, "Gather": axes.gather, "Gelu": composed.gelu, "Gemm": products.gemm,
    "GlobalAveragePool": reductions.global_average, "GlobalMaxPool": reductions.global_max,
    "Greater": conditions.comparison, "GreaterOrEqual": conditions.comparison, "GroupNormalization": norms.group_norm,
    "GRU": recurrence("gru"), "HardSigmoid": function("hard_sigmoid", alpha=("alpha", 0.2), beta=("beta", 0.5)),
    "HardSwish": function("hard_swish"), "Identity": pass_through, "InstanceNormalization": norms.instance_norm,
    "LayerNormalization": norms.layer_norm, "LeakyRelu": function("leaky_relu", negative_slope=("alpha", 0.01)),
    "Log": function("log"), "LogSoftmax": functions.over_features("log_softmax"),
    "LpNormalization": composed.lp_normalization, "LRN": norms.local_response_norm, "LSTM": recurrence("lstm"),
    "MatMul": products.matmul, "Max": extremes.extreme("reduce_max"), "MaxPool": windows.pool("max_pool2d"),
    "MeanVarianceNormalization": composed.mean_variance_normalization, "Min": extremes.extreme("reduce_min"),
    "Mish": function("mish"), "Mul": arithmetic.multiply, "Neg": function("negate"), "Pad": windows.pad,
    "Pow": functions.power, "PRelu": functions.prelu, "Reciprocal": function("reciprocal"),
    "ReduceL1": reductions.reduction("reduce_sum", of="abs"),
    "ReduceL2": reductions.reduction("reduce_sum", of="square", then="sqrt"),
    "ReduceLogSum": reductions.reduction("reduce_sum", then="log"), "ReduceLogSumExp": reductions.log_sum_exp,
    "ReduceMax": reductions.reduction("reduce_max"), "ReduceMean": reductions.reduction("reduce_mean"),
    "ReduceMin": reductions.reduction("reduce_min"), "ReduceProd": reductions.product,
    "ReduceSum": reductions.reduction("reduce_sum"), "ReduceSumSquare": reductions.reduction("reduce_sum", of="square"),
    "Relu": function("relu"), "Reshape": axes.arrange, "Resize": windows.resize, "RMSNormalization": norms.rms_norm,
    "RNN": recurrence("rnn"), "Selu": functions.selu, "Shrink": composed.shrink, "Sigmoid": function("sigmoid"),
    "Sin": function("sin"), "Slice": axes.slices, "Softmax": functions.over_features("softmax"),
    "Softplus": function("softplus"), "Softsign": function("softsign"), "SpaceToDepth": blocks.space_to_depth,
    "Split": axes.split, "Sqrt": function("sqrt"), "Squeeze": axes.arrange, "Sub": arithmetic.subtract,
    "Sum": arithmetic.add, "Tanh": function("tanh"), "ThresholdedRelu": composed.thresholded_relu, "Tile": blocks.tile,
    "Transpose": axes.transpose, "Unsqueeze": axes.arrange, "Upsample": windows.resize, "Where": conditions.where,
    "ai.onnx.ml.Scaler": scaler, **composed.FLAT, **losses.LOSSES,
}  # fmt: skip
"""The translators of all supported operators."""

REFUSED = frozenset(composed.FLAT.keys() | losses.LOSSES.keys())
"""Those that only say why there is no layer."""
