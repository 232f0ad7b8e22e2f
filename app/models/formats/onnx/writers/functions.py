"""Activation functions, and the layers that are one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable, is_single
from core.activations.choice import CONSTANTS, Function

ELEMENTWISE = {
    "abs": "Abs", "erf": "Erf", "exp": "Exp", "gelu": "Gelu", "hard_swish": "HardSwish", "log": "Log", "mish": "Mish",
    "negate": "Neg", "reciprocal": "Reciprocal", "relu": "Relu", "selu": "Selu", "sigmoid": "Sigmoid", "sin": "Sin",
    "softplus": "Softplus", "softsign": "Softsign", "sqrt": "Sqrt", "tanh": "Tanh",
}  # fmt: skip
"""The operators of functions without constants."""


def write_activation(writer: Writer, value: str, chosen: Any) -> str:
    """Write an activation function applied to a value, and return the name of the result."""
    spec = chosen if isinstance(chosen, Function) else Function(function=chosen)
    if spec.gain != 1:
        value = writer.node("Mul", [value, writer.number(spec.gain)])
    if spec.function in ELEMENTWISE:
        return writer.node(ELEMENTWISE[spec.function], [value])
    if spec.function not in _WITH_CONSTANTS:
        raise Unwritable(f"its activation {spec.function} has no ONNX operator")
    return _WITH_CONSTANTS[spec.function](writer, value, replace(spec, gain=1.0).resolve())


def activation(writer: Writer, target: OnnxLayer) -> str:
    """Write an activation layer."""
    layer = target.layer
    constants = {name: getattr(layer, name) for name in ("gain", *CONSTANTS)}
    return write_activation(writer, target.reads[0], Function(function=layer.function, **constants))


def prelu(writer: Writer, target: OnnxLayer) -> str:
    """Write PRelu."""
    return writer.node("PRelu", [target.reads[0], target.along(writer, "negative_slope", target.layer.axes)])


def _clip(writer: Writer, value: str, function: Any) -> str:
    bounds = [None if bound is None else writer.number(bound) for bound in (function.lower, function.upper)]
    inputs = [bound or "" for bound in bounds[: 2 if bounds[1] else 1 if bounds[0] else 0]]
    return writer.node("Clip", [value, *inputs])


def _hard_sigmoid(writer: Writer, value: str, function: Any) -> str:
    """Write HardSigmoid, or a clip where single precision, in which attributes are, changes the constants (1/6)."""
    if is_single(function.alpha) and is_single(function.beta):
        return writer.node("HardSigmoid", [value], alpha=function.alpha, beta=function.beta)
    scaled = writer.node("Mul", [value, writer.number(function.alpha)])
    shifted = writer.node("Add", [scaled, writer.number(function.beta)])
    return writer.node("Clip", [shifted, writer.number(0), writer.number(1)])


def _leaky_relu(writer: Writer, value: str, function: Any) -> str:
    """Write LeakyRelu, or max(z, 0) - s max(-z, 0)."""
    slope = function.negative_slope
    if is_single(slope):
        return writer.node("LeakyRelu", [value], alpha=slope)
    below = writer.node("Relu", [writer.node("Neg", [value])])
    return writer.node("Sub", [writer.node("Relu", [value]), writer.node("Mul", [below, writer.number(slope)])])


def _elu(writer: Writer, value: str, function: Any) -> str:
    """Write Elu, or alpha elu(min(z, 0)) + max(z, 0)."""
    if is_single(function.alpha):
        return writer.node("Elu", [value], alpha=function.alpha)
    below = writer.node("Elu", [writer.node("Clip", [value, "", writer.number(0)])], alpha=1.0)
    scaled = writer.node("Mul", [below, writer.number(function.alpha)])
    return writer.node("Add", [scaled, writer.node("Relu", [value])])


_WITH_CONSTANTS: dict[str, Callable[[Writer, str, Any], str]] = {
    "identity": lambda writer, value, _: value,
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "softmax": lambda writer, value, _: writer.node("Softmax", [value], axis=-1),
    "log_softmax": lambda writer, value, _: writer.node("LogSoftmax", [value], axis=-1),
    "silu": lambda writer, value, _: writer.node("Mul", [value, writer.node("Sigmoid", [value])]),
    "square": lambda writer, value, _: writer.node("Mul", [value, value]),
    "power": lambda writer, value, f: writer.node("Pow", [value, writer.number(f.exponent)]),
    "clip": _clip,
    "hard_sigmoid": _hard_sigmoid,
}
