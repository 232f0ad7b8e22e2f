"""Export of a network as an ONNX model that computes the same output."""

from __future__ import annotations

from collections.abc import Sequence

from app.models.formats.onnx_file import require_onnx
from app.models.formats.onnx_layers import WRITERS, OnnxLayer, Unwritable, write_activation
from app.models.formats.onnx_writer import Writer
from core.convention import Convention
from core.errors import Issue, refuse_if_any
from core.layers import Layer
from core.model import Model
from core.network import INPUT, names_of

OPSET = 20
"""The first operator set with Gelu."""


def onnx_of(model: Model, _: Convention = "row") -> bytes:
    """Return the model as an ONNX file with one input for each input of the network and one output named `output`.

    Raises:
        Refusal: `unsupported-operator`, with every layer that has no ONNX counterpart.
    """
    require_onnx()
    names = names_of(model.layers)
    single = {array.dtype.name for array in model.tensors().values()} == {"float32"}
    reserved = {source for layer in model.layers for source in layer.inputs or ()}
    writer = Writer("float32" if single else "float64", {INPUT, "output", *reserved})
    values: dict[str, str] = {}
    inputs: dict[str, Sequence[int | str] | None] = {}
    issues = []
    for position, (name, layer) in enumerate(zip(names, model.layers, strict=True)):
        reads = list(layer.inputs or [names[position - 1] if position else INPUT])
        for source in reads:
            if source not in names[:position]:
                values[source] = source
                inputs.setdefault(source, _input_shape(layer, model, name))
        target = OnnxLayer(
            name, layer, [values[source] for source in reads], model.parameters.get(name, {}), model.state.get(name, {})
        )
        try:
            if layer.kind not in WRITERS:
                raise Unwritable("this kind of layer is not supported by the export")
            values[name] = write_activation(writer, name, WRITERS[layer.kind](writer, target), layer.activation)
        except Unwritable as error:
            values[name] = name
            detail = f"Layer {name!r} ({layer.kind}) cannot be written as ONNX: {error}."
            issues.append(Issue(code="unsupported-operator", path=("network", "layers", position), detail=detail))
    refuse_if_any(issues)
    output = "output" if "output" not in inputs else writer.fresh("output")
    return writer.finish(inputs, [(values[names[-1]], output)], OPSET)


def _input_shape(layer: Layer, model: Model, name: str) -> list[int | str] | None:
    """Return the shape of a layer's input as far as its weight determines it, otherwise None."""
    weight = model.parameters.get(name, {}).get("weight")
    if weight is None:
        return None
    if layer.kind == "dense":
        return ["n", weight.shape[0]]
    if layer.kind in ("conv1d", "conv2d"):
        channels = weight.shape[1] * getattr(layer, "groups", 1)
        return ["n", channels, "length"] if layer.kind == "conv1d" else ["n", channels, "height", "width"]
    return None
