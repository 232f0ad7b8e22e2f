"""Attention: softmax of the scaled products of queries and keys, times the values."""

from __future__ import annotations

import math

from app.models.formats.onnx.file import Lengths
from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.steps import Steps
from app.models.formats.onnx.views import Atom, Axis, View

_KNOWN = {"is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale", "softcap", "softmax_precision"}


def attention(builder: Builder, node: OnnxNode) -> None:
    """Translate Attention of all queries to all keys. Queries that share keys are put side by side.

    Queries come as n x heads x steps x features, or as n x steps x (heads features).
    """
    _require_plain(builder, node)
    shapes = [builder.shape(node, position) for position in range(3)]
    if len({len(shape) for shape in shapes}) > 1 or len(shapes[0]) not in (3, 4) or not builder.keeps_examples(*shapes):
        raise Untranslatable("its queries, keys and values are no n x heads x steps x features")
    heads = _heads(node, shapes[0], "q_num_heads")
    groups = _heads(node, shapes[1], "kv_num_heads")
    if heads % groups or groups != _heads(node, shapes[2], "kv_num_heads"):
        raise Untranslatable(f"its {heads} heads of queries do not share {groups} heads of keys and values")
    width, depth = (_width(shape, count) for shape, count in ((shapes[0], heads), (shapes[2], groups)))
    steps, group, share, time = Steps(builder, node), Atom(groups), Atom(heads // groups), Atom(shapes[0][-2])
    queries = _operand(builder, steps, node, 0, (group, share), time, width)
    keys = _operand(builder, steps, node, 1, (Atom(groups),), Atom(shapes[1][-2]), width, turned=True)
    values = _operand(builder, steps, node, 2, (Atom(groups),), Atom(shapes[2][-2]), depth)
    scale = node.number("scale", 0.0) if "scale" in node.attributes else 1 / math.sqrt(width)
    cap = node.number("softcap", 0.0)
    if cap > 0:
        products = steps.add([queries, keys], "matmul", activation={"function": "tanh", "gain": scale / cap})
        weights = steps.apply(products, "softmax", gain=cap)
    else:
        weights = steps.add([queries, keys], "matmul", activation={"function": "softmax", "gain": scale})
    layer = steps.add([weights, values], "matmul")
    examples, out = Atom(shapes[0][0], is_examples=True), Atom(depth)
    source = _plain((examples,), (group,), (share, time), (out,))
    axes = _plain((examples,), (group, share), (time,), (out,))
    steps.show(View(layer, source, axes if len(shapes[0]) == 4 else _plain((examples,), (time,), (group, share, out))))


def _require_plain(builder: Builder, node: OnnxNode) -> None:
    """Refuse masks, caches and everything that is not softmax(Q Kᵀ) V.

    Raises:
        Untranslatable: if there is any.
    """
    if any(builder.is_given(node, position) for position in range(3, len(node.inputs))):
        raise Untranslatable("it has a mask, or keys and values of earlier steps")
    if any(builder.readers[name] for name in node.outputs[1:] if name):
        raise Untranslatable("more than its result is read")
    if unknown := node.attributes.keys() - _KNOWN:
        raise Untranslatable(f"it has the attribute {min(unknown)[:40]}")
    node.require("is_causal", 0, 0)


def _heads(node: OnnxNode, shape: Lengths, attribute: str) -> int:
    """Return the number of heads of an operand."""
    stated = shape[1] if len(shape) == 4 else node.integer(attribute, 0, least=1)
    if not stated or (len(shape) == 3 and (shape[2] or 0) % stated):
        raise Untranslatable("its number of heads is not known, or does not divide its features")
    return stated


def _width(shape: Lengths, heads: int) -> int:
    """Return the number of features of a head."""
    length = shape[-1]
    if not length:
        raise Untranslatable("its number of features is open; send ?input_shape=")
    return length if len(shape) == 4 else length // heads


def _operand(
    builder: Builder,
    steps: Steps,
    node: OnnxNode,
    position: int,
    heads: tuple[Atom, ...],
    time: Atom,
    width: int,
    *,
    turned: bool = False,
) -> str:
    """Return the layer of an operand as n x heads of keys x steps x features, or with the last two axes exchanged."""
    shape = builder.shape(node, position)
    examples, features = Atom(shape[0], is_examples=True), Atom(width)
    source = ((*heads,), (time,), (features,)) if len(shape) == 4 else ((time,), (*heads, features))
    last: tuple[Axis, Axis] = ((features,), (time,)) if turned else ((*heads[1:], time), (features,))
    axes = _plain((examples,), heads[:1], *last)
    return steps.arrange(View(builder.tensor(node, position), _plain((examples,), *source), axes))


def _plain(*axes: Axis) -> tuple[Axis, ...]:
    """Return axes without atoms of length 1, which views do not have."""
    return tuple(tuple(atom for atom in axis if atom.length != 1 or atom.is_examples) for axis in axes)
