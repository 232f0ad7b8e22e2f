"""Keras files of weights alone, whose network the request sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.models.formats.imported import Imported
from app.models.formats.keras.builder import rows_for
from app.models.formats.keras.file import KerasFile, KerasGroup
from app.models.formats.keras.recurrent import biases
from app.problem.schemas import NetworkSpec
from core.arrays import Array
from core.errors import Issue, Refusal
from core.layers import Layer
from core.network import names_of

CLASSES = {
    "dense": "dense", "conv1d": "conv1d", "conv2d": "conv2d", "batch_norm": "batch_normalization",
    "layer_norm": "layer_normalization", "embedding": "embedding", "rnn": "simple_rnn", "lstm": "lstm", "gru": "gru",
}  # fmt: skip
"""The groups of the kinds of layers that have arrays."""

TRANSPARENT = ("activation", "dropout", "batch_norm", "max_pool2d", "average_pool2d")


def with_network(file: KerasFile, network: NetworkSpec) -> Imported:
    """Return the model of the weights in a file and the network of the request.

    Raises:
        Refusal: `unsupported-operator`, if the layers of the network and those of the file do not match.
    """
    names = names_of(network.layers)
    holders = [(name, layer) for name, layer in zip(names, network.layers, strict=True) if layer.kind in CLASSES]
    groups = _groups(file, holders)
    parameters: dict[str, dict[str, Array]] = {}
    state: dict[str, dict[str, Array]] = {}
    by_name = dict(zip(names, network.layers, strict=True))
    before = dict(zip(names[1:], names, strict=False))
    for (name, layer), group in zip(holders, groups, strict=True):
        parameters[name] = _parameters(layer, group)
        if layer.kind == "batch_norm":
            parameters[name], state[name] = _normalisation(group)
        filters = _flattened_filters(name, by_name, before) if layer.kind == "dense" else None
        if filters is not None and not len(parameters[name]["weight"]) % filters:
            parameters[name]["weight"] = rows_for(parameters[name]["weight"], filters)
    warnings = []
    if any(layer.kind in ("conv1d", "conv2d") for layer in network.layers):
        detail = "The kernels are rearranged for images and sequences whose channels come after the examples."
        hint = "numpy.moveaxis(X, -1, 1) is X as this model reads it."
        warnings.append(Issue(code="assumed-channels", path=("query", "network"), detail=detail, hint=hint))
    return Imported(network.layers, parameters, state, "row", warnings)


def _groups(file: KerasFile, holders: Sequence[tuple[str, Layer]]) -> list[KerasGroup]:
    """Return the arrays of each layer: those of its name, else of its class and place."""
    filled = [group for group in file.groups if group.arrays]
    named = {group.name or group.path: group for group in filled}
    if all(name in named for name, _ in holders):
        found = [named[name] for name, _ in holders]
    elif file.is_legacy:
        found = filled
    else:
        counts: dict[str, int] = {}
        paths = []
        for _, layer in holders:
            kind = CLASSES[layer.kind]
            counts[kind] = counts.get(kind, -1) + 1
            paths.append(f"{kind}_{counts[kind]}" if counts[kind] else kind)
        by_path = {group.path: group for group in filled}
        found = [by_path[path] for path in paths if path in by_path]
    if len(found) != len(holders) or len(filled) != len(holders):
        layers = ", ".join(f"{name} ({layer.kind})" for name, layer in holders[:20])
        theirs = ", ".join(
            f"{group.path[:40]} ({[list(array.shape) for array in group.arrays]})" for group in filled[:20]
        )
        detail = f"The layers with parameters are {layers}; the file has {theirs}."
        raise Refusal.of("unsupported-operator", detail[:1500], "query", "network")
    return found


def _parameters(layer: Layer, group: KerasGroup) -> dict[str, Array]:
    """Return the parameters of a layer. Shapes are compared later."""
    arrays = list(group.arrays)
    if layer.kind in ("conv1d", "conv2d") and arrays[0].ndim > 2:
        rank = arrays[0].ndim
        arrays[0] = np.ascontiguousarray(arrays[0].transpose(rank - 1, rank - 2, *range(rank - 2)))
    if layer.kind == "layer_norm":
        return dict(zip(("gamma", "beta"), arrays, strict=False))
    if layer.kind in ("rnn", "lstm", "gru"):
        found = dict(zip(("weight", "recurrent_weight"), arrays, strict=False))
        return found | (biases(layer.kind, arrays[2]) if len(arrays) > 2 else {})
    return dict(zip(("weight", "bias"), arrays, strict=False))


def _normalisation(group: KerasGroup) -> tuple[dict[str, Array], dict[str, Array]]:
    if len(group.arrays) != 4:
        detail = f"{group.path[:60]!r} has {len(group.arrays)} arrays; batch_norm has gamma, beta, mean and variance."
        raise Refusal.of("unsupported-operator", detail, group.path[:100])
    gamma, beta, mean, variance = group.arrays
    return {"gamma": gamma, "beta": beta}, {"running_mean": mean, "running_variance": variance}


def _flattened_filters(name: str, layers: Mapping[str, Layer], before: Mapping[str, str]) -> int | None:
    """Return the number of channels of the flattened image that a layer reads, None if it reads none."""
    flattened = False
    for _ in layers:
        sources = layers[name].inputs or ([before[name]] if name in before else [])
        if len(sources) != 1 or sources[0] not in layers:
            return None
        name = sources[0]
        kind = layers[name].kind
        if kind == "flatten":
            flattened = True
        elif kind in ("conv1d", "conv2d"):
            filters: int = layers[name].filters  # type: ignore[attr-defined]
            return filters if flattened else None
        elif kind not in TRANSPARENT:
            return None
    return None
