"""The graph of a Keras model: its layers in execution order, from the configuration of a Sequential or Functional model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import Refusal

MOST_LAYERS = 20_000
OWN_MODULES = ("keras.layers", "keras.src.layers", "keras.src.engine", "tf_keras", "keras.engine")


@dataclass(frozen=True, slots=True)
class KerasNode:
    """A layer of a Keras model."""

    name: str
    kind: str
    """The name of its class; that of a class which is not Keras' own has its module in front."""

    config: Mapping[str, Any]
    inputs: Sequence[str]
    """The names of the layers that it reads."""

    trouble: str | None = None
    """Why its connections cannot be translated."""

    def describe(self) -> str:
        """Return the name and class of the layer, for messages."""
        return f"{self.kind[:60]} ({self.name[:60]!r})"


@dataclass(frozen=True, slots=True)
class KerasGraph:
    """The layers between the inputs and the output, every one after those it reads."""

    nodes: Sequence[KerasNode]
    """Every layer of the file, in its order, which numbers the groups of arrays."""

    order: Sequence[KerasNode]
    inputs: Sequence[str]
    output: str

    def consumers(self, name: str) -> list[KerasNode]:
        """Return the layers that read a layer."""
        return [node for node in self.order if name in node.inputs]


def graph_of(model: Mapping[str, Any]) -> KerasGraph:
    """Return the graph of a configuration.

    Raises:
        Refusal: if it is not a model of Keras; `unsupported-operator`, if it is a subclass or has several outputs.
    """
    kind, config = model.get("class_name"), model.get("config")
    if kind not in ("Sequential", "Functional", "Model"):
        detail = (
            f"The model is of the class {str(kind)[:60]!r}; only Sequential and Functional ones describe their network."
        )
        hint = "Save its weights (model.save_weights('model.weights.h5')) and send the network as ?network=."
        raise Refusal.of("unsupported-operator", detail, "config", "class_name", hint=hint)
    entries = config.get("layers") if isinstance(config, dict) else config  # A list in the oldest Sequential files.
    if not isinstance(entries, list) or len(entries) > MOST_LAYERS or not all(isinstance(e, dict) for e in entries):
        raise Refusal.of("invalid-request", "The configuration of the model has no list of layers.", "config", "layers")
    if kind == "Sequential" or not isinstance(config, dict):
        return _sequential(entries)
    nodes = [_functional_node(entry) for entry in entries]
    outputs = _ends(config.get("output_layers"))
    if len(outputs) != 1:
        detail = f"The model has {len(outputs)} outputs, {', '.join(map(repr, outputs))[:300]}; a network has one."
        hint = "Save the part with one output: keras.Model(model.inputs, model.outputs[0]).save('one.keras')."
        raise Refusal.of("unsupported-operator", detail, "config", "output_layers", got=outputs[:20], hint=hint)
    order = _order(nodes, outputs[0])
    used = {node.name for node in order}
    return KerasGraph(nodes, order, [name for name in _ends(config.get("input_layers")) if name in used], outputs[0])


def _sequential(entries: Sequence[Mapping[str, Any]]) -> KerasGraph:
    nodes: list[KerasNode] = []
    for entry in entries:
        name, kind, config = _identity(entry)
        if not nodes and kind != "InputLayer":
            shape = config.get("batch_input_shape") or _build_shape(entry)
            nodes.append(KerasNode("input", "InputLayer", {"batch_shape": shape}, ()))
        nodes.append(KerasNode(name, kind, config, () if not nodes else (nodes[-1].name,)))
    if not nodes:
        raise Refusal.of("invalid-request", "The model has no layers.", "config", "layers")
    return KerasGraph(
        [node for node in nodes if node.name != "input" or node.inputs], nodes, [nodes[0].name], nodes[-1].name
    )


def _build_shape(entry: Mapping[str, Any]) -> Any:
    build = entry.get("build_config")
    return build.get("input_shape") if isinstance(build, dict) else None


def _identity(entry: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    """Return name, class and configuration of a layer."""
    config, kind = entry.get("config"), entry.get("class_name")
    if not isinstance(config, dict) or not isinstance(kind, str):
        raise Refusal.of(
            "invalid-request", "A layer of the configuration has no class_name or no config.", "config", "layers"
        )
    name = config.get("name", entry.get("name"))
    if not isinstance(name, str) or not name:
        raise Refusal.of("invalid-request", "A layer of the configuration has no name.", "config", "layers")
    module, registered = entry.get("module"), entry.get("registered_name")
    is_own = module is None or (isinstance(module, str) and module.startswith(OWN_MODULES))
    is_own |= module == "keras.src.ops.numpy" and kind in ("Add", "Subtract", "Multiply")  # x + y between layers.
    if not is_own or registered not in (None, kind):
        kind = f"{str(module)[:60]}.{kind}"
    return name, kind, config


def _functional_node(entry: Mapping[str, Any]) -> KerasNode:
    name, kind, config = _identity(entry)
    calls = entry.get("inbound_nodes")
    if not isinstance(calls, list):
        raise Refusal.of("invalid-request", f"The layer {name[:60]!r} has no list inbound_nodes.", "config", "layers")
    trouble, read = None, []
    if len(calls) > 1:
        trouble = f"it is used {len(calls)} times, and its weights would have to be one parameter"
    for call in calls[:1]:
        positional = call.get("args") if isinstance(call, dict) else call
        named = call.get("kwargs", {}) if isinstance(call, dict) else {}
        read = list(_tensors(positional))
        constants = (
            [part for part in positional if isinstance(part, (int, float))] if isinstance(positional, list) else []
        )
        if list(_tensors(named)) or constants:
            trouble = "it is called with more than tensors in its place"
        if any(index != (0, 0) for _, index in read):
            trouble = "it reads a second output, or the second use, of a layer"
    return KerasNode(name, kind, config, tuple(source for source, _ in read), trouble)


def _tensors(value: Any, depth: int = 0) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the layers that the arguments of a call name, in the form of Keras 3 or 2."""
    if depth > 8:
        return
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            config = value.get("config")
            history = config.get("keras_history") if isinstance(config, dict) else None
            if isinstance(history, list) and len(history) == 3 and isinstance(history[0], str):
                yield history[0], (history[1], history[2])
            return
        value = list(value.values())
    if isinstance(value, list):
        if 3 <= len(value) <= 4 and isinstance(value[0], str) and all(type(index) is int for index in value[1:3]):
            yield value[0], (value[1], value[2])
            return
        for part in value:
            yield from _tensors(part, depth + 1)


def _ends(value: Any) -> list[str]:
    """Return the names of the inputs or outputs."""
    return [name for name, _ in _tensors(value)]


def _order(nodes: Sequence[KerasNode], output: str) -> list[KerasNode]:
    """Return the layers that the output depends on, every one after those it reads.

    Raises:
        Refusal: `invalid-request`, if a layer reads one that does not exist, or itself by way of others.
    """
    known = {node.name: node for node in nodes}
    done: dict[str, KerasNode] = {}
    waiting, begun = [output], set()
    while waiting:
        name = waiting[-1]
        if name in done:
            waiting.pop()
            continue
        if name not in known:
            raise Refusal.of("invalid-request", f"There is no layer {name[:60]!r}, which another one reads.", "config")
        missing = [source for source in known[name].inputs if source not in done]
        if missing and name in begun:
            raise Refusal.of("invalid-request", f"The layer {name[:60]!r} reads its own output.", "config")
        begun.add(name)
        if missing:
            waiting += missing
        else:
            done[name] = known[name]
            waiting.pop()
    return list(done.values())
