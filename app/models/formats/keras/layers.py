"""The layers of Keras, and what each of them becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from app.models.formats.keras.builder import Builder, Untranslatable, Value, channels_first, rows_for
from app.models.formats.keras.convolutions import convolution, global_pooling, pooling
from app.models.formats.keras.functions import activation, elu, leaky_relu, relu, rescaling, softmax
from app.models.formats.keras.graph import KerasNode
from app.models.formats.keras.options import (
    OVER_FEATURES,
    flag,
    function_of,
    is_first,
    number,
    refuse_unless,
    whole,
)
from app.models.formats.keras.recurrent import gru, lstm, simple_rnn

Translator = Callable[[Builder, KerasNode], Value]


def input_layer(builder: Builder, node: KerasNode) -> Value:
    """Images have their channels first; whether a sequence has them depends on the layer that reads it."""
    shape = node.config.get("batch_shape", node.config.get("batch_input_shape"))
    if not isinstance(shape, list) or len(shape) < 2 or not all(n is None or type(n) is int for n in shape):
        raise Untranslatable("its shape is not in the file")
    rank = len(shape)
    reader = _first_reader(builder, node.name)
    moves = rank == 4 and (reader is None or not is_first(reader))
    moves |= rank == 3 and reader is not None and reader.kind == "Conv1D" and not is_first(reader)
    name = node.name if len(builder.graph.inputs) > 1 else "input"
    order = channels_first(rank) if moves else tuple(range(rank))
    return Value(name, tuple(shape), order)


def _first_reader(builder: Builder, name: str) -> KerasNode | None:
    """Return the first convolution or pooling that reads a tensor, directly or by way of layers that keep its shape."""
    for node in builder.graph.consumers(name):
        if node.kind.startswith(("Conv", "MaxPooling", "AveragePooling", "Global")):
            return node
        found = _first_reader(builder, node.name) if node.kind in KEEP_SHAPE and len(node.inputs) == 1 else None
        if found is not None:
            return found
    return None


def dense(builder: Builder, node: KerasNode) -> Value:
    """The rows of the kernel follow the features of a flattened image, whose channels come first here."""
    (X,) = builder.inputs(node)
    units, has_bias = whole(node, "units"), flag(node, "use_bias", True)
    arrays = builder.take(node, (X.shape[-1], units), *[(units,)] * has_bias)
    if X.channels is None:
        X, weight = builder.plain(X), arrays[0]
    elif arrays[0].shape[0] % X.channels:
        raise Untranslatable(f"its {arrays[0].shape[0]} rows are no multiple of {X.channels} channels")
    else:
        weight = rows_for(arrays[0], X.channels)
    builder.add(node.name, [X], "dense", units=units, bias=has_bias, activation=function_of(node))
    builder.parameters[node.name] = {"weight": weight} | ({"bias": arrays[1]} if has_bias else {})
    return Value(node.name, (*X.shape[:-1], units), tuple(range(X.rank)))


def flatten(builder: Builder, node: KerasNode) -> Value:
    """Where dense layers follow, they take the features as they lie; otherwise Keras' order of the axes comes first."""
    (X,) = builder.inputs(node)
    channels, size = X.shape[-1], 1
    for length in X.shape[1:]:
        size = size * length if size and length else 0
    if is_first(node):
        raise Untranslatable("its data_format is channels_first, which moves the axes in some versions of Keras")
    if X.order == channels_first(X.rank) and channels and X.rank > 2 and _ends_in_dense(builder, node.name):
        builder.add(node.name, [X], "flatten")
        return Value(node.name, (X.shape[0], size or None), (0, 1), channels)
    builder.add(node.name, [builder.plain(X)], "flatten")
    return Value(node.name, (X.shape[0], size or None), (0, 1))


def _ends_in_dense(builder: Builder, name: str) -> bool:
    """Return whether all that reads a tensor is dense, directly or behind functions of single elements."""
    readers = builder.graph.consumers(name)
    return bool(readers) and all(
        node.kind == "Dense"
        or (
            node.kind in ELEMENTWISE
            and node.config.get("activation") not in OVER_FEATURES
            and _ends_in_dense(builder, node.name)
        )
        for node in readers
    )


def reshape(builder: Builder, node: KerasNode) -> Value:
    """The elements in Keras' order."""
    (X,), target = builder.inputs(node), node.config.get("target_shape")
    if not isinstance(target, list) or not target or not all(type(n) is int for n in target):
        raise Untranslatable(f"its target_shape is {str(target)[:40]}")
    builder.add(node.name, [builder.plain(X)], "reshape", shape=target)
    return Value(node.name, (X.shape[0], *(None if n < 0 else n for n in target)), tuple(range(len(target) + 1)))


def left_out(builder: Builder, node: KerasNode) -> Value:
    """Layers that do nothing where a model predicts."""
    (X,) = builder.inputs(node)
    builder.left_out.append(node.describe())
    return X


def batch_norm(builder: Builder, node: KerasNode) -> Value:
    """Keras keeps what it keeps of the running statistics; here it is what a batch adds to them."""
    (X,), axis = builder.inputs(node), node.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if type(axis) is not int or not -X.rank < axis < X.rank or not axis % X.rank:
        raise Untranslatable(f"its axis is {str(axis)[:40]}")
    refuse_unless(node, renorm=False)
    X = X if X.channels is None and X.order[1] == axis % X.rank else builder.ordered(X, channels_first(X.rank, axis))
    scales, centres, width = flag(node, "scale", True), flag(node, "center", True), X.shape[axis]
    found = builder.take(node, *[(width,)] * (2 + scales + centres))
    gamma = found[0] if scales else np.ones_like(found[-1])
    beta = found[int(scales)] if centres else np.zeros_like(found[-1])
    momentum = round(1 - number(node, "momentum", 0.99), 12)
    epsilon = number(node, "epsilon", 1e-3)
    builder.add(node.name, [X], "batch_norm", mode="eval", epsilon=epsilon, momentum=momentum)
    builder.parameters[node.name] = {"gamma": gamma, "beta": beta}
    builder.state[node.name] = {"running_mean": found[-2], "running_variance": found[-1]}
    return replace(X, name=node.name)


def layer_norm(builder: Builder, node: KerasNode) -> Value:
    """Over the last axis of Keras."""
    (X,), axis = builder.inputs(node), node.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, X.rank - 1):
        raise Untranslatable(f"its axis is {str(axis)[:40]}; only the last one has a counterpart")
    refuse_unless(node, rms_scaling=False)
    X, scales, centres = builder.plain(X), flag(node, "scale", True), flag(node, "center", True)
    found = builder.take(node, *[(X.shape[-1],)] * (scales + centres))
    if not found:
        raise Untranslatable("it has neither scale nor center")
    gamma = found[0] if scales else np.ones_like(found[0])
    builder.add(node.name, [X], "layer_norm", epsilon=number(node, "epsilon", 1e-3))
    builder.parameters[node.name] = {"gamma": gamma, "beta": found[-1] if centres else np.zeros_like(gamma)}
    return replace(X, name=node.name)


def embedding(builder: Builder, node: KerasNode) -> Value:
    """Rows by class."""
    (X,) = builder.inputs(node)
    refuse_unless(node, mask_zero=False)
    X, size, units = builder.plain(X), whole(node, "input_dim"), whole(node, "output_dim")
    (weight,) = builder.take(node, (size, units))
    builder.add(node.name, [X], "embedding", vocabulary_size=size, units=units)
    builder.parameters[node.name] = {"weight": weight}
    return Value(node.name, (*X.shape, units), tuple(range(X.rank + 1)))


def merging(builder: Builder, node: KerasNode) -> Value:
    """Element by element; the operands get the order of the axes of the first one."""
    read = _same_order(builder, builder.inputs(node, 0 if node.kind in ("Add", "Multiply") else 2))
    builder.add(node.name, read, node.kind.lower())
    sizes = [{value.shape[axis] for value in read} - {1} for axis in range(read[0].rank)]
    shape = tuple(1 if not found else next(iter(found)) if len(found) == 1 else None for found in sizes)
    return Value(node.name, shape, read[0].order)


def concatenate(builder: Builder, node: KerasNode) -> Value:
    """Along the axis that is Keras' axis."""
    read = _same_order(builder, builder.inputs(node, 0))
    axis, rank = node.config.get("axis", -1), read[0].rank
    if type(axis) is not int or not -rank < axis < rank or not axis % rank:
        raise Untranslatable(f"its axis is {str(axis)[:40]}")
    axis %= rank
    lengths = [value.shape[axis] for value in read]
    builder.add(node.name, read, "concatenate", axis=read[0].order.index(axis))
    total = None if None in lengths else sum(length or 0 for length in lengths)
    return replace(read[0], name=node.name, shape=(*read[0].shape[:axis], total, *read[0].shape[axis + 1 :]))


def _same_order(builder: Builder, read: Sequence[Value]) -> list[Value]:
    if len({value.rank for value in read}) > 1:
        raise Untranslatable("it reads tensors of several ranks")
    return [builder.ordered(value, read[0].order) for value in read]


LAYERS: dict[str, Translator] = {
    "Activation": activation, "ActivityRegularization": left_out, "Add": merging, "AlphaDropout": left_out,
    "AveragePooling2D": pooling, "BatchNormalization": batch_norm, "Concatenate": concatenate, "Conv1D": convolution,
    "Conv2D": convolution, "Dense": dense, "Dropout": left_out, "ELU": elu, "Embedding": embedding, "Flatten": flatten,
    "GRU": gru, "GaussianDropout": left_out, "GaussianNoise": left_out, "GlobalAveragePooling1D": global_pooling,
    "GlobalAveragePooling2D": global_pooling, "InputLayer": input_layer, "LSTM": lstm, "LayerNormalization": layer_norm,
    "LeakyReLU": leaky_relu, "MaxPooling2D": pooling, "Multiply": merging, "ReLU": relu, "Rescaling": rescaling,
    "Reshape": reshape, "SimpleRNN": simple_rnn, "Softmax": softmax, "SpatialDropout1D": left_out,
    "SpatialDropout2D": left_out, "Subtract": merging,
}  # fmt: skip
"""The translation of every class of layers that has a counterpart."""

ELEMENTWISE = {"Activation", "Dropout", "ELU", "LeakyReLU", "ReLU", "Rescaling"}
KEEP_SHAPE = ELEMENTWISE | {"BatchNormalization", "SpatialDropout1D", "SpatialDropout2D", "LayerNormalization"}
