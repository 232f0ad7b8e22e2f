"""Import of Keras models: every layer becomes a layer; those that cannot are refused together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.models.formats.imported import Imported, ImportOptions
from app.models.formats.keras import file as keras_file
from app.models.formats.keras import weights as keras_weights
from app.models.formats.keras.builder import Builder, Untranslatable
from app.models.formats.keras.file import KerasFile, KerasGroup
from app.models.formats.keras.graph import KerasGraph, KerasNode, graph_of
from app.models.formats.keras.layers import LAYERS
from app.models.schemas import ModelRequest
from app.wire.decode import validate_values
from app.wire.file_content import FileContent
from app.wire.tensor_fields import field_tree
from core.arrays import Array
from core.errors import Issue, Refusal, refuse_if_any


def from_keras(body: FileContent, options: ImportOptions, elements: int) -> Imported:
    """Return the model of a .keras, .weights.h5 or .h5 file.

    Raises:
        Refusal: if the file is not valid; `unsupported-operator`, with every layer that has no counterpart.
    """
    file = keras_file.read(body, elements)
    if options.network is not None:
        return keras_weights.with_network(file, options.network)
    if file.config is None:
        detail = "The file has weights and no network."
        hint = "Send the network as ?network=, or save the whole model: model.save('model.keras')."
        raise Refusal.of("unsupported-operator", detail, "query", "network", hint=hint)
    graph = graph_of(file.config)
    builder = Builder(graph, _arrays(file, graph))
    failed: dict[tuple[str, str], list[KerasNode]] = {}
    lost: set[str] = set()
    for node in graph.order:
        try:
            if node.kind not in LAYERS:
                raise Untranslatable("there is no counterpart for this class of layers")
            if node.trouble is not None:
                raise Untranslatable(node.trouble)
            if not lost.intersection(node.inputs):
                builder.values[node.name] = LAYERS[node.kind](builder, node)
                continue
        except Untranslatable as error:
            failed.setdefault((node.kind, str(error)), []).append(node)
        lost.add(node.name)
    refuse_if_any([_issue(*what, nodes) for what, nodes in failed.items()])
    if not builder.layers:
        raise Refusal.of("unsupported-operator", "The model has no layer that computes anything.", "config", "layers")
    output = builder.values[graph.output].name
    if not builder.layers or builder.layers[-1]["name"] != output:
        raise Refusal.of(
            "unsupported-operator", "The output of the model is not the result of its last layer.", "config"
        )
    layers = [_plain(layer, position, builder) for position, layer in enumerate(builder.layers)]
    checked = validate_values({"network": {"layers": layers}}, [], ModelRequest, field_tree(ModelRequest))
    moved = any(value.order != tuple(range(value.rank)) for value in _ends(builder))
    warnings = builder.warnings(moved=moved)
    return Imported(checked.network.layers, builder.parameters, builder.state, "row", warnings)


def _ends(builder: Builder) -> list[Any]:
    return [builder.values[name] for name in (*builder.graph.inputs, builder.graph.output)]


def _plain(layer: dict[str, Any], position: int, builder: Builder) -> dict[str, Any]:
    """Return the fields of a layer without `inputs` that are the default."""
    before = builder.layers[position - 1]["name"] if position else "input"
    return {name: value for name, value in layer.items() if name != "inputs" or value != [before]}


def _arrays(file: KerasFile, graph: KerasGraph) -> dict[str, list[Array]]:
    """Return the arrays of every layer by its name, which newer files record beside them; older ones count the classes."""
    if file.is_legacy or all(group.name for group in file.groups):
        return {group.name or group.path: list(group.arrays) for group in file.groups}
    by_path: Mapping[str, KerasGroup] = {group.path: group for group in file.groups}
    paths = numbered([node.kind for node in graph.nodes])
    found = zip(graph.nodes, paths, strict=True)
    return {node.name: list(by_path[path].arrays) for node, path in found if path in by_path}


def numbered(kinds: Sequence[str]) -> list[str]:
    """Return the groups of layers of these classes: the class in snake case, with a number from its second layer on."""
    counts: dict[str, int] = {}
    names = []
    for kind in kinds:
        name = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        counts[name] = counts.get(name, -1) + 1
        names.append(f"{name}_{counts[name]}" if counts[name] else name)
    return names


def _issue(kind: str, why: str, nodes: Sequence[KerasNode]) -> Issue:
    """Return the issue of all layers that cannot be translated for the same reason."""
    shown = ", ".join(repr(node.name[:60]) for node in nodes[:10]) + (", ..." if len(nodes) > 10 else "")
    return Issue(
        code="unsupported-operator",
        path=("config", "layers", nodes[0].name[:100]),
        detail=f"{kind[:120]} ({shown}): {why}."[:1000],
        expected=list(LAYERS) if kind not in LAYERS else None,
        got=[node.name[:60] for node in nodes[:100]],
    )
