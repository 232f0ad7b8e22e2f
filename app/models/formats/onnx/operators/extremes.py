"""The larger or the smaller of several tensors, or of a tensor and a constant."""

from __future__ import annotations

from dataclasses import replace

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.functions import within
from app.models.formats.onnx.operators.steps import Steps


def extreme(kind: str) -> Translator:
    """Return the translator of Max (reduce_max) or Min (reduce_min).

    A constant number is a bound. Tensors of the same shape are put side by side, so that the result is one of them to the
    last digit; `a + relu(b - a)` would lose digits of the smaller one.
    """

    def translate(builder: Builder, node: OnnxNode) -> None:
        tensors = [position for position in range(len(node.inputs)) if builder.is_tensor(node, position)]
        if len(node.inputs) == 1:
            builder.alias(node, builder.tensor(node, 0))
        elif len(tensors) == len(node.inputs):
            _beside(builder, node, kind)
        elif len(tensors) == 1:
            _bounded(builder, node, tensors[0], "lower" if kind == "reduce_max" else "upper")
        else:
            raise Untranslatable("it compares several tensors and a constant")

    return translate


def _bounded(builder: Builder, node: OnnxNode, position: int, side: str) -> None:
    """Translate to clip, whose bound is the strictest of the constants."""
    bounds = []
    for other in range(len(node.inputs)):
        found = None if other == position else builder.constant(node, other)
        if found is None:
            continue
        if not found.size or (found != found.reshape(-1)[0]).any():
            raise Untranslatable("its constant is not the same number everywhere, and clip has one bound")
        bounds.append(float(found.reshape(-1)[0]))
    if builder.result_shape(node) != builder.shape(node, position):
        raise Untranslatable("its constant changes the shape of the tensor that it is compared with")
    bound = max(bounds) if side == "lower" else min(bounds)
    within(builder, replace(node, inputs=[node.inputs[position]]), {side: bound})


def _beside(builder: Builder, node: OnnxNode, kind: str) -> None:
    """Join the tensors along a new axis, and reduce it."""
    shapes = [builder.shape(node, position) for position in range(len(node.inputs))]
    if len(set(shapes)) > 1 or not builder.keeps_examples(*shapes):
        raise Untranslatable("its operands have different shapes, or their first axes do not count the examples")
    rest = shapes[0][1:]
    if rest.count(None) > 1:
        raise Untranslatable("several lengths of its operands are open; send ?input_shape=")
    reads = [builder.tensor(node, position) for position in range(len(node.inputs))]
    steps = Steps(builder, node)
    shape = [1, *(-1 if length is None else length for length in rest)]
    apart = {name: steps.add([name], "reshape", shape=shape) for name in dict.fromkeys(reads)}
    joined = steps.add([apart[name] for name in reads], "concatenate", axis=1)
    steps.add([joined], kind, axis=1, keep_axis=False)
    steps.finish()
