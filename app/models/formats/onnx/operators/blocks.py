"""Blocks of positions that become channels and back, and axes that are repeated."""

from __future__ import annotations

import numpy as np

from app.models.formats.onnx.graph import Builder
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.steps import Steps, show
from app.models.formats.onnx.views import Atom, View

MOST_COPIES = 1000
"""Largest number of copies along one axis: a concatenation reads as many tensors."""


def depth_to_space(builder: Builder, node: OnnxNode) -> None:
    """Translate DepthToSpace to a reshape, a transpose and a reshape: blocks of channels become blocks of positions."""
    size, (examples, channels, height, width) = _images(builder, node)
    mode = node.text("mode", "DCR")
    if mode not in ("DCR", "CRD") or channels % size**2:
        raise Untranslatable(f"its mode is {mode[:20]}, or {channels} channels are no multiple of {size}²")
    rows, columns, depth = Atom(size), Atom(size), Atom(channels // size**2)
    h, w = Atom(height), Atom(width)
    joined = (rows, columns, depth) if mode == "DCR" else (depth, rows, columns)
    source = (examples,), _without_ones(*joined), _without_ones(h), _without_ones(w)
    axes = (examples,), _without_ones(depth), _without_ones(h, rows), _without_ones(w, columns)
    show(builder, node, View(builder.tensor(node, 0), source, axes))


def space_to_depth(builder: Builder, node: OnnxNode) -> None:
    """Translate SpaceToDepth: blocks of positions become channels, those of a block first."""
    size, (examples, channels, height, width) = _images(builder, node)
    node.require("mode", "DCR", "DCR", "CRD")
    if any(length is not None and length % size for length in (height, width)):
        raise Untranslatable(f"its height and width are no multiples of {size}")
    rows, columns, depth = Atom(size), Atom(size), Atom(channels)
    h, w = (Atom(None if length is None else length // size) for length in (height, width))
    source = (examples,), _without_ones(depth), _without_ones(h, rows), _without_ones(w, columns)
    joined = (rows, columns, depth) if node.text("mode", "DCR") == "DCR" else (depth, rows, columns)
    axes = (examples,), _without_ones(*joined), _without_ones(h), _without_ones(w)
    show(builder, node, View(builder.tensor(node, 0), source, axes))


def _images(builder: Builder, node: OnnxNode) -> tuple[int, tuple[Atom, int, int | None, int | None]]:
    """Return the size of a block, and the axes of n x channels x height x width."""
    size, shape = node.integer("blocksize", 0, least=1), builder.shape(node, 0)
    if len(shape) != 4 or not builder.keeps_examples(shape) or shape[1] is None:
        raise Untranslatable("its input is no n x channels x height x width with a known number of channels")
    return size, (Atom(shape[0], is_examples=True), shape[1], shape[2], shape[3])


def _without_ones(*atoms: Atom) -> tuple[Atom, ...]:
    return tuple(atom for atom in atoms if atom.length != 1)


def tile(builder: Builder, node: OnnxNode) -> None:
    """Translate Tile to a concatenation of copies along each axis that is repeated."""
    repeats = builder.integers(node, 1, "repeats")
    if repeats is None or len(repeats) != len(builder.shape(node, 0)):
        raise Untranslatable("its repeats are not one number for each axis")
    _repeat(builder, node, repeats)


def expand(builder: Builder, node: OnnxNode) -> None:
    """Translate Expand of a computed tensor: axes of length 1 are repeated, others stay."""
    before, after = builder.shape(node, 0), builder.result_shape(node)
    if len(before) != len(after) or before[:1] != after[:1]:
        raise Untranslatable(f"it adds axes or examples: {_text(before)} becomes {_text(after)}")
    repeats = []
    for axis, (length, expanded) in enumerate(zip(before, after, strict=True)):
        if length == expanded:
            repeats.append(1)
        elif length == 1 and expanded is not None:
            repeats.append(expanded)
        else:
            raise Untranslatable(f"the length of its axis {axis} is open; send ?input_shape=")
    _repeat(builder, node, repeats)


def _repeat(builder: Builder, node: OnnxNode, repeats: list[int]) -> None:
    """Put copies of the first input side by side."""
    if repeats[:1] not in ([], [1]):
        raise Untranslatable("it repeats examples")
    if min(repeats, default=1) < 1 or max(repeats, default=1) > MOST_COPIES or np.prod(repeats, dtype=float) > 1e6:
        raise Untranslatable(f"it makes no copies, or more than {MOST_COPIES} along an axis")
    reads, steps = builder.tensor(node, 0), Steps(builder, node)
    if set(repeats) <= {1}:
        builder.alias(node, reads)
        return
    for axis, count in enumerate(repeats):
        if count > 1:
            reads = steps.add([reads] * count, "concatenate", axis=axis)
    steps.finish()


def _text(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("?" if length is None else str(length) for length in shape) + "]"
