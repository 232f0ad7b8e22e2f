"""Operators that act on single elements or along the last axis pass through a view: the layer is extended instead."""

from __future__ import annotations

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode
from app.models.formats.onnx.views import Atom, View, lengths_of, rearrangement

ELEMENTWISE = frozenset({
    "Abs", "Add", "Cast", "Clip", "Div", "Dropout", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid", "HardSwish", "Identity",
    "LeakyRelu", "Log", "Mish", "Mul", "Neg", "Pow", "Reciprocal", "Relu", "Selu", "Sigmoid", "Sin", "Softplus", "Softsign",
    "Sqrt", "Sub", "Tanh",
})  # fmt: skip
ALONG_THE_LAST_AXIS = frozenset({"Gemm", "LayerNormalization", "LogSoftmax", "MatMul", "RMSNormalization", "Softmax"})


def translate_through_view(builder: Builder, node: OnnxNode, translate: Translator) -> bool:
    """Translate a node whose only computed input is a view by extending the view's layer.

    Returns:
        False, with nothing done, if the node or the view is of another sort.
    """
    computed = [position for position in range(len(node.inputs)) if builder.is_tensor(node, position)]
    name = node.inputs[computed[0]] if len(computed) == 1 else ""
    view = builder.views.get(name)
    if view is None or name in builder.values or not _acts_on_features(builder, node, len(view.axes)):
        return False
    if view.axes[-1:] != view.source[-1:] or len(view.source) < 2:
        if any(atom.is_examples for atom in view.axes[-1]):
            return False
        view = builder.views[name] = _with_features_last(builder, node, view)
    made, before = node.outputs[0], builder.shapes.get(name)
    after = builder.shapes.get(made)
    shape = [None, *lengths_of(view.source[1:])]
    inner = tuple(None if length == -1 else length for length in shape)
    last = inner[-1] if node.operator in ELEMENTWISE else after[-1] if after else None
    builder.values[name] = view.layer
    builder.shapes |= {name: inner, made: (*inner[:-1], last)}
    try:
        translate(builder, node)
    finally:
        del builder.values[name]
        builder.shapes |= {name: before, made: after}
    layer = builder.values.pop(made)
    features = view.source[-1] if last == inner[-1] else ((Atom(last),) if last != 1 else ())
    axes = view.axes if last == inner[-1] else (*view.axes[:-1], features)
    builder.views[made] = View(layer, (*view.source[:-1], features), axes)
    return True


def _acts_on_features(builder: Builder, node: OnnxNode, rank: int) -> bool:
    """Return whether a node acts on each row of its input along the last axis, and on all rows alike."""
    constants = [builder.constants[name] for name in node.inputs if name in builder.constants]
    if node.operator in ELEMENTWISE:
        return all(array.ndim <= 1 or array.size == 1 for array in constants)
    if node.operator not in ALONG_THE_LAST_AXIS:
        return False
    return node.attributes.get("axis", -1) in (-1, rank - 1) and not node.attributes.get("transA")


def _with_features_last(builder: Builder, node: OnnxNode, view: View) -> View:
    """Return a view of a new layer whose last axis is that of the value, behind the examples and all other atoms."""
    examples = view.source[0]
    others = [(atom,) for axis in view.axes[:-1] for atom in axis if not atom.is_examples]
    source = (examples, *others, view.axes[-1])
    layer = view.layer
    for position, spec in enumerate(list(rearrangement(View(layer, view.source, source)))):
        layer = builder.add(node, [layer], spec, output=f"{node.outputs[0]} rows {position}")
    return View(layer, source, view.axes)
