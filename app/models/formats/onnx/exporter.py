"""Export of a network as an ONNX model that computes the same output."""

from __future__ import annotations

from collections.abc import Sequence

from app.models.formats.onnx.file import require_onnx
from app.models.formats.onnx.input_shapes import InputShapes
from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers import WRITERS, OnnxLayer, Unwritable, write_activation
from core.convention import Convention
from core.errors import Issue, refuse_if_any
from core.model import Model
from core.network import INPUT, names_of


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
    shapes = InputShapes(model)
    values: dict[str, str] = {}
    inputs: dict[str, Sequence[int | str] | None] = {}
    issues = []
    for position, (name, layer) in enumerate(zip(names, model.layers, strict=True)):
        reads = list(layer.inputs or [names[position - 1] if position else INPUT])
        for source in reads:
            if source not in names[:position]:
                values[source] = source
                inputs.setdefault(source, shapes.of_input(source))
        tensors = {**model.parameters.get(name, {}), **model.state.get(name, {})}
        ranks = [shapes.ranks.get(source) for source in reads]
        target = OnnxLayer(name, layer, [values[source] for source in reads], tensors, ranks)
        try:
            if layer.kind not in WRITERS:
                raise Unwritable("this kind of layer is not supported by the export")
            values[name] = write_activation(writer, WRITERS[layer.kind](writer, target), layer.activation)
        except Unwritable as error:
            values[name] = name
            detail = f"Layer {name!r} ({layer.kind}) cannot be written as ONNX: {error}."
            issues.append(Issue(code="unsupported-operator", path=("network", "layers", position), detail=detail))
    refuse_if_any(issues)
    output = "output" if "output" not in inputs else writer.fresh("output")
    return writer.finish(inputs, [(values[names[-1]], output)])
