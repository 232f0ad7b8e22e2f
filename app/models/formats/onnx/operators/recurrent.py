"""RNN, LSTM and GRU in one or both directions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.recurrent_weights import RecurrentKind, recurrent_parameters
from app.models.formats.onnx.views import Atom, Axis, View, rearrangement
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.layers.rnn import Rnn

LAYERS: dict[RecurrentKind, type[Rnn] | type[Lstm] | type[Gru]] = {"rnn": Rnn, "lstm": Lstm, "gru": Gru}
FUNCTIONS: dict[RecurrentKind, list[str]] = {
    "rnn": ["tanh"],
    "lstm": ["sigmoid", "tanh", "tanh"],
    "gru": ["sigmoid", "tanh"],
}
"""The functions of a direction that are the only ones a layer has; rnn may also have relu or sigmoid."""


def recurrence(kind: RecurrentKind) -> Translator:
    """Return the translator of a recurrent operator, whose input has the time steps first and the examples second."""

    def translate(builder: Builder, node: OnnxNode) -> None:
        spec = _spec(builder, node, kind)
        W, R, B = (builder.weight(node, position) for position in (1, 2, 3))
        if W is None or R is None:
            raise Untranslatable("its weights W and R are not constant")
        spec["bias"] = B is not None
        layer = LAYERS[kind](**spec)
        try:
            parameters = recurrent_parameters(kind, W, R, B, layer.gates())
        except ValueError as error:
            raise Untranslatable(str(error)) from None
        if len(W) != 1 + spec["bidirectional"]:
            raise Untranslatable(f"it has weights for {len(W)} directions")
        reads = [_sequence(builder, node), *_initial_states(builder, node)]
        every, last = (builder.readers[name] > 0 for name in (*node.outputs, "", "")[:2])
        if (every and last) or any(builder.readers[name] for name in node.outputs[2:] if name):
            raise Untranslatable(
                "both its states of all steps and the last ones are read, by layers with shared weights"
            )
        name = builder.add(
            node,
            reads,
            {"kind": kind, **spec, "return_sequences": every},
            parameters,
            named_by=1,
            output=f"{node.outputs[0] or node.outputs[1]} states",
        )
        _show(builder, node, name, every=every, both=spec["bidirectional"], units=spec["units"])

    return translate


def _spec(builder: Builder, node: OnnxNode, kind: RecurrentKind) -> dict[str, Any]:
    """Return the fields of the layer, after a look at everything that no layer has."""
    direction = node.text("direction", "forward")
    if direction not in ("forward", "bidirectional"):
        raise Untranslatable(f"its direction is {direction[:20]}")
    node.require("input_forget", 0, 0)
    if "clip" in node.attributes:
        raise Untranslatable("it clips its states")
    if builder.is_given(node, 7):
        raise Untranslatable("it has peephole weights")
    if builder.is_given(node, 4):
        raise Untranslatable("its sequences have lengths of their own")
    spec: dict[str, Any] = {
        "units": node.integer("hidden_size", 0, least=1),
        "bidirectional": direction == "bidirectional",
    }
    functions = [str(name).lower() for name in node.attributes.get("activations") or []]
    every = FUNCTIONS[kind] * (2 if spec["bidirectional"] else 1)
    if kind == "rnn" and functions in ([name] * len(every) for name in ("relu", "sigmoid")):
        spec["nonlinearity"] = functions[0]
    elif functions and functions != every:
        raise Untranslatable(f"its functions are {', '.join(functions)[:60]}")
    if kind == "gru":
        spec["reset_after"] = node.integer("linear_before_reset", 0) != 0
    return spec


def _sequence(builder: Builder, node: OnnxNode) -> str:
    """Return the layer whose result, with the examples first, is the sequence that a node reads."""
    if node.integer("layout", 0) == 1:
        return builder.tensor(node, 0)
    view = builder.view(node.inputs[0]) if node.inputs[0] in builder.views else None
    if view is None or view.permuted([1, 0, 2]).axes != view.source:
        raise Untranslatable(
            "its input has the time steps on the first axis, where a network here has the examples; export the model with "
            "the batch first (batch_first=True)"
        )
    return view.layer


def _initial_states(builder: Builder, node: OnnxNode) -> list[str]:
    """Return the layers whose results are the initial states, n x directions·units; none where they are 0."""
    found: list[str] = []
    for position in (5, 6):
        if not builder.is_given(node, position):
            continue
        if not builder.is_tensor(node, position):
            if builder.is_zero(node, position):
                continue
            raise Untranslatable("its initial states are constants that are not 0")
        if len(found) < position - 5:
            raise Untranslatable("its initial cell state is computed, and its initial state is not")
        found.append(_state(builder, node, position))
    return found


def _state(builder: Builder, node: OnnxNode, position: int) -> str:
    """Return the layer whose result is an initial state with the units of all directions on the last axis."""
    view = builder.view(node.inputs[position])
    if len(view.axes) != 3:
        raise Untranslatable(f"its input {position + 1} has {len(view.axes)} axes; it takes directions x n x units")
    examples, directions = (0, 1) if node.integer("layout", 0) == 1 else (1, 0)
    joined = replace(view, axes=(view.axes[examples], view.axes[directions] + view.axes[2]))
    layer = view.layer
    for step, spec in enumerate(list(rearrangement(joined))):
        layer = builder.add(node, [layer], spec, output=f"{node.inputs[position]} state {step}")
    return layer


def _show(builder: Builder, node: OnnxNode, name: str, *, every: bool, both: bool, units: int) -> None:
    """Map the output that is read to a view of the layer, whose result is n (x steps) x directions·units."""
    batch_first = node.integer("layout", 0) == 1
    output = node.outputs[0 if every else 1]
    shape = builder.shapes.get(output)
    if shape is None:
        raise Untranslatable("the shape of its states is not known; send ?input_shape=")
    examples: Axis = (Atom(builder.graph.examples, is_examples=True),)
    unit: Axis = (Atom(units),) if units > 1 else ()
    direction: Axis = (Atom(2),) if both else ()
    axes: tuple[Axis, ...]
    source: tuple[Axis, ...] = (examples, direction + unit)
    if every:
        steps = shape[1 if batch_first else 0]
        time: Axis = () if steps == 1 else (Atom(None if steps is None or steps < 0 else steps),)
        source = (examples, time, direction + unit)
        axes = (examples, time, direction, unit) if batch_first else (time, direction, examples, unit)
    else:
        axes = (examples, direction, unit) if batch_first else (direction, examples, unit)
    builder.show(replace(node, outputs=[output]), View(name, source, axes))
