"""Recurrent layers: sequences as input, a state from time step to time step, in one direction or in both.

A kind computes one direction, with the operations of ``time_steps.py``; ``directions.py`` joins two.

Source: Werbos, Backpropagation Through Time (1990).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np

from core.arrays import Array, Shape
from core.convention import orient_shape
from core.equations.directions import derivation_in_both, layout_of_direction
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import INITIALIZERS, Layer, Ops, misfit
from core.layers.shared.directions import (
    FORWARD,
    REVERSE,
    backward_in_both,
    direction_context,
    forward_in_both,
)
from core.operations import CALL, FUNCTION, multiplication
from core.parameters import Parameter
from core.spec import constraints

STEP_CALLS = 2
"""Calls of NumPy in a time step for each gate, besides the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent(Layer):
    """Base of the recurrent layers: they read a sequence and, where a second tensor is named, the state before it."""

    operations_formula: ClassVar[str] = (
        "for each direction, time step and gate 2 n units (features + units), 150 n units of functions, "
        "and 30,000 for each of about 2 calls"
    )
    reads: ClassVar[tuple[int, int]] = (1, 2)

    units: int = field(
        metadata=constraints(
            gt=0, examples=[8], description="Number of units, u: the length of the state and of the result's last axis."
        )
    )

    return_sequences: bool = field(
        default=False,
        metadata=constraints(
            description="Whether the result holds the state after every time step, n x time x units, instead of the state "
            "after the last one, n x units."
        ),
    )

    bidirectional: bool = field(
        default=False,
        metadata=constraints(
            description="Whether a second direction, with parameters of its own (`weight_reverse`, …), reads the sequence "
            "from its last time step to its first. The result has 2 · units features, those of the first direction and then "
            "those of the second: its state at the same time step, or, without `return_sequences`, its last state, the one "
            "after the first time step. Initial states are likewise n x 2 · units."
        ),
    )

    bias: bool = field(default=True, metadata=constraints(description="Whether to add the bias b."))

    initializer: str = field(
        default="default",
        metadata=constraints(
            choices=["default", *INITIALIZERS],
            description="Scheme by which `seed` draws the initial weights. Default: Glorot uniform.",
        ),
    )

    biases: ClassVar[tuple[str, ...]] = ("bias",)
    """Names of the biases of a direction."""

    def directions(self) -> tuple[str, ...]:
        """Return the ends of the names of each direction's parameters: "", and "_reverse" if there are two."""
        return (FORWARD, REVERSE) if self.bidirectional else (FORWARD,)

    def of_direction(self, direction: str) -> Self:
        """Return the layer that computes one direction."""
        return replace(self, bidirectional=False) if self.bidirectional else self

    def width(self) -> int:
        """Return the number of features of the result."""
        return self.units * len(self.directions())

    def gates(self) -> tuple[str, ...]:
        """Return the letter of each block of `units` columns in the parameters, in the order of the blocks."""
        return ("a",)

    def blocks(self, parameter: str) -> dict[str, slice]:
        """Return the block of each gate along the last axis of a parameter, batch-first (`row`).

        Raises:
            KeyError: if the kind has no such parameter.
        """
        known = {f"{name}{end}" for name in ("weight", "recurrent_weight", *self.biases) for end in self.directions()}
        if parameter not in known:
            raise KeyError(parameter)
        u = self.units
        return {letter: slice(k * u, (k + 1) * u) for k, letter in enumerate(self.gates())}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        self.gates()
        x, *initial = inputs
        if len(x) != 3 or 0 in x:
            misfit(
                f"{self.kind} reads sequences, n x time x features; it reads a tensor of shape {list(x)}.",
                hint="Send a single sequence as [[[...], [...], ...]]." if len(x) == 2 else None,
            )
        n, time, _ = x
        for position, (name, shape) in enumerate(zip(("h_0", "c_0"), initial, strict=False), 1):
            if shape != (n, self.width()):
                wanted, got = (list(orient_shape(one, column)) for one in ((n, self.width()), shape))
                units = "2 · units, forward and then backward," if self.bidirectional else "units"
                misfit(
                    f"{self.kind} reads its initial state {name} of shape {wanted}, {units} for each example; it reads a "
                    f"tensor of shape {got}.",
                    "inputs",
                    position,
                    expected=wanted,
                    got=got,
                    hint=_initial_state_hint(name, shape, (n, self.units), both=self.bidirectional),
                )
        return (n, time, self.width()) if self.return_sequences else (n, self.width())

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        width = len(self.gates()) * self.units
        fans = {"weight": inputs[0][-1], "recurrent_weight": self.units}
        weights = {
            name: Parameter(
                shape=(fan_in, width),
                follows_convention=True,
                fan_in=fan_in,
                fan_out=width,
                initial="scheme",
                weight_like=True,
            )
            for name, fan_in in fans.items()
        }
        each = weights | {name: Parameter(shape=(width,)) for name in self.biases if self.bias}
        return {f"{name}{end}": parameter for end in self.directions() for name, parameter in each.items()}

    def equation(self, convention: str) -> str | None:
        own = Layer.equation(self, convention)
        return f"{own}; the same in the other direction" if own and self.bidirectional else own

    def forward(self, context: LayerContext) -> Ops:
        if not self.bidirectional:
            return self.forward_through_time(context)
        return forward_in_both(context, {end: self.of_direction(end) for end in self.directions()}, self.units)

    def backward(self, context: LayerContext) -> Ops:
        if not self.bidirectional:
            return self.backward_through_time(context)
        return backward_in_both(context, {end: self.of_direction(end) for end in self.directions()}, self.units)

    def derivation(self, layout: Layout) -> Derivation:
        if not self.bidirectional:
            return self.derivation_through_time(layout)
        own = layout_of_direction(layout, self.units)
        each = [self.of_direction(end).derivation_through_time(own) for end in self.directions()]
        return derivation_in_both(layout, self.units, *each)

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        if not self.bidirectional:
            return self.example_gradients_through_time(context)
        return {
            f"{name}{end}": gradients
            for end in self.directions()
            for name, gradients in self.of_direction(end)
            .example_gradients_through_time(direction_context(context, end, self.units))
            .items()
        }

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        n, time, features = inputs[0]
        width = len(self.gates()) * self.units
        step = multiplication(n, self.units, width) + CALL * STEP_CALLS * len(self.gates()) + FUNCTION * n * width
        return len(self.directions()) * (multiplication(n * time, features, width) + time * step)

    def unrolled(self, *inputs: Shape) -> int:
        return len(self.directions()) * inputs[0][1] * (3 + 5 * len(self.gates()))

    def forward_through_time(self, context: LayerContext) -> Ops:
        """Set the context's result and return the operations that compute it, in one direction."""
        raise NotImplementedError

    def backward_through_time(self, context: LayerContext) -> Ops:
        """Return the operations that compute the gradients, in one direction."""
        raise NotImplementedError

    def derivation_through_time(self, layout: Layout) -> Derivation:
        """Return the equations of one direction."""
        raise NotImplementedError

    def example_gradients_through_time(self, context: LayerContext) -> dict[str, Array]:
        """Return the products of `gather_gradients` for each example, summed over its time steps."""
        X, H, dP, dQ = (context.saved[name].swapaxes(0, 1) for name in ("X", "H", "dP", "dQ"))
        found = {
            "weight": np.matmul(X.swapaxes(1, 2), dP),
            "recurrent_weight": np.matmul(H[:, :-1].swapaxes(1, 2), dQ),
            "bias": dP.sum(axis=1),
            "recurrent_bias": dQ.sum(axis=1),
        }
        return {name: found[name] for name in context.parameters}

    def working_size(self, *inputs: Shape) -> int:
        n, time, features = inputs[0]
        return len(self.directions()) * n * time * (features + (len(self.gates()) + 2) * self.units)


def _initial_state_hint(name: str, shape: Shape, of_one: Shape, *, both: bool) -> str | None:
    """Return the hint for an initial state of another shape, where the fix is plain.

    Args:
        name: the state's name.
        shape: its shape.
        of_one: the shape that the state of one direction has.
        both: whether the layer reads in both directions.
    """
    n, units = of_one
    wanted = (n, 2 * units) if both else of_one
    if both and shape == (2, *of_one):
        return (
            f"torch writes it with an axis of directions in front: send np.concatenate([{name}[0], {name}[1]], axis=1)."
        )
    if shape == (1, *wanted):
        return "torch writes it with an axis of layers in front: send its only element, h_0[0]."
    if shape == wanted[::-1]:
        return "It is transposed."
    if shape == wanted[1:]:
        return "Send it once for each example."
    return None
