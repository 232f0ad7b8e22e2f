"""RNN, LSTM and GRU in one or both directions."""

from __future__ import annotations

from typing import Any

from app.models.formats.onnx.recurrent_weights import RecurrentKind, recurrent_tensors
from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable, Write

NONLINEARITIES = {"tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid"}


def recurrence(kind: RecurrentKind) -> Write:
    """Return the writer of a recurrent layer. The operators read the time steps first, and give each direction its axis."""

    def write(writer: Writer, target: OnnxLayer) -> str:
        layer = target.layer
        directions = len(layer.directions())
        tensors = recurrent_tensors(kind, target.array, layer)
        sequence = writer.node("Transpose", [target.reads[0]], perm=[1, 0, 2])
        inputs = [sequence, *(writer.constant(f"{target.name}.{name}", array) for name, array in tensors.items())]
        if len(target.reads) > 1:
            states = [_directions_first(writer, state, directions, layer.units) for state in target.reads[1:]]
            inputs += [""] * (5 - len(inputs)) + states
        fields: dict[str, Any] = {"hidden_size": layer.units}
        if directions == 2:
            fields["direction"] = "bidirectional"
        if kind == "gru":
            fields["linear_before_reset"] = int(layer.reset_after)
        if kind == "rnn":
            if layer.nonlinearity not in NONLINEARITIES:
                raise Unwritable(f"its nonlinearity {layer.nonlinearity} is none of RNN in ONNX")
            fields["activations"] = [NONLINEARITIES[layer.nonlinearity]] * directions
        return _examples_first(writer, target, inputs, fields)

    return write


def _examples_first(writer: Writer, target: OnnxLayer, inputs: list[str], fields: dict[str, Any]) -> str:
    """Write the operator, and its states with the examples first and the units of all directions on the last axis."""
    layer = target.layer
    both, operator = layer.bidirectional, layer.kind.upper()
    if layer.return_sequences:
        made = writer.node(operator, inputs, **fields)  # time x directions x n x units
        if not both:
            return writer.node("Transpose", [writer.node("Squeeze", [made, writer.integers([1])])], perm=[1, 0, 2])
        turned = writer.node("Transpose", [made], perm=[2, 0, 1, 3])
        return writer.node("Reshape", [turned, writer.integers([0, 0, 2 * layer.units])])
    made = writer.node(operator, inputs, position=1, **fields)  # directions x n x units
    if not both:
        return writer.node("Squeeze", [made, writer.integers([0])])
    turned = writer.node("Transpose", [made], perm=[1, 0, 2])
    return writer.node("Reshape", [turned, writer.integers([0, 2 * layer.units])])


def _directions_first(writer: Writer, state: str, directions: int, units: int) -> str:
    """Write an initial state, n x directions·units, as directions x n x units."""
    if directions == 1:
        return writer.node("Unsqueeze", [state, writer.integers([0])])
    apart = writer.node("Reshape", [state, writer.integers([0, directions, units])])
    return writer.node("Transpose", [apart], perm=[1, 0, 2])
