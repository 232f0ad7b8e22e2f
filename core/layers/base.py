"""Layer: the interface of all kinds of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn, Self

import numpy as np

from core.activations.base import Activation
from core.activations.choice import Function, FunctionName, resolve
from core.arrays import Array, Op, Shape
from core.equations.equation import Derivation
from core.equations.layout import Layout
from core.errors import Refusal
from core.layer_context import LayerContext
from core.operations import CALL, ELEMENT, count
from core.parameters import Parameter
from core.spec import Spec, constraints

Ops = Sequence[Op]

PASSES = 4
"""Reads and writes of an element in a layer that has no formula of its own."""

INITIALIZERS = ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "zeros"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Spec):
    """Base of all layers.

    A kind is one file: its fields, its shape rule, its forward and backward equations. `forward` and `backward` do not
    compute; they return operations bound to the arrays of a `LayerContext`, so that a plan is built once and runs many
    times without allocating. Shapes are batch-first throughout.

    To add a kind, write its file and add its class to `AnyLayer` in ``core/layers/__init__.py``.
    """

    kind: str

    name: str | None = field(
        default=None,
        metadata=constraints(
            min_length=1,
            max_length=100,
            pattern=r"^[^\x00]*$",
            description="Name of the layer: the key of its parameters, activations and gradients, and the name by which "
            "other layers read it. Default: its position, counted from 1.",
        ),
    )

    inputs: list[str] | None = field(
        default=None,
        metadata=constraints(
            min_length=1,
            max_length=1000,
            description='Names of the tensors that the layer reads: earlier layers, "input" for the batch, or the '
            "batch's named inputs. Default: the previous layer.",
        ),
    )

    activation: FunctionName | Function = field(
        default="identity",
        metadata=constraints(
            strict=False,
            description="Activation function applied to the layer's result: its name, or an object with the function and its "
            "constants.",
        ),
    )

    reads: ClassVar[tuple[int, int]] = (1, 1)
    """Least and largest number of tensors that the layer reads."""

    complex_safe: ClassVar[bool] = True
    """True if `forward` accepts complex numbers, as a complex step needs; otherwise certificates use differences."""

    has_kinks: ClassVar[bool] = False
    """True if the layer's own function has no derivative somewhere, at a kink or where several numbers are the largest."""

    reads_classes: ClassVar[bool] = False
    """True if the layer reads class indices, which are discrete: their gradient is 0."""

    feedback_weight: ClassVar[str | None] = None
    """Name of the parameter W of a layer with Z = X W + b, where dX = dZ Wᵀ; feedback alignment replaces W by B there."""

    accepts_parts: ClassVar[bool] = False
    """True if a layer that couples examples accepts a part of a batch, which then counts as a batch of its own."""

    is_invertible: ClassVar[bool] = False
    """True if the inputs follow from the result in closed form: Z = f(X), or Z = X W + b."""

    operations_formula: ClassVar[str] = "80 (elements read + written + stored)"
    """Operations of a forward pass as a text, for readers."""

    equations: ClassVar[dict[str, str]] = {}
    """Forward equation for each convention, or for "any", which refusals of shapes quote."""

    def activation_function(self) -> Activation:
        """Return the activation function that is applied to the result."""
        if isinstance(self.activation, Function):
            return self.activation.resolve()
        return resolve(self.activation, 1.0, {})

    def function_of_input(self) -> Activation | None:
        """Return f where the layer computes nothing but Z = f(X), None otherwise."""
        return None

    def rectifies_input(self) -> bool:
        """Return whether the layer applies a rectifier to what it reads: weights before it are drawn by He's scheme."""
        return False

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        """Return the parameters for inputs of these shapes, which `result_shape` has accepted."""
        return {}

    def state(self, *inputs: Shape) -> dict[str, Shape]:
        """Return the shapes of the layer's state, such as running statistics, for inputs of these shapes."""
        return {}

    def needs_state(self) -> bool:
        """Return whether `forward` reads the state, so that a request must send it."""
        return False

    def working_size(self, *inputs: Shape) -> int:
        """Return the number of elements that the layer stores besides its result, which count towards the limit."""
        return 0

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        """Return the operations of a forward pass without the activation function, in the unit of ``core/operations.py``.

        A layer without products and decompositions has the cost of its elements.
        """
        elements = sum(count(shape) for shape in inputs) + count(result) + self.working_size(*inputs)
        return 2 * CALL + PASSES * ELEMENT * elements

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        """Return the operations of a backward pass: twice those of the forward pass, since each product becomes two."""
        return 2 * self.operations(*inputs, result=result, column=column)

    def unrolled(self, *inputs: Shape) -> int:
        """Return the number of equations of a derivation besides those that every layer has."""
        return 0

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        """Return whether the result of an example depends on other examples, so that gradients per example do not exist."""
        return False

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        """Return the shape of the result.

        Raises:
            Refusal: if the inputs do not fit; paths are relative to the layer.
        """
        raise NotImplementedError

    def forward(self, context: LayerContext) -> Ops:
        """Set the context's result and return the operations that compute it."""
        raise NotImplementedError

    def backward(self, context: LayerContext) -> Ops:
        """Return the operations that compute ∂L/∂(each input) and ∂L/∂(each parameter) from ∂L/∂(result)."""
        raise NotImplementedError

    def derivation(self, layout: Layout) -> Derivation:
        """Return the forward and backward equations (``core/equations/equation.py``)."""
        raise NotImplementedError

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        """Return, after a backward run, the gradient of each parameter for each example, n x the parameter's shape.

        Their sum over the examples is the parameter's gradient. Every kind with parameters implements it, except those
        that couple examples.
        """
        raise NotImplementedError

    def example_square_norms(self, context: LayerContext) -> Array:
        """Return, after a backward run, the squared norm of each example's gradient over all parameters, shape (n,)."""
        found = self.example_gradients(context).values()
        return np.asarray(sum(np.square(array).reshape(len(array), -1).sum(axis=1) for array in found))

    def at_evaluation(self) -> Self:
        """Return the layer that replaces this one when a network is evaluated rather than trained."""
        return self

    def renew(self, context: LayerContext, step: int) -> None:
        """Draw the random numbers of training step `step`, counted from 0."""

    def equation(self, convention: str) -> str | None:
        """Return the forward equation in this convention, None if the layer has none."""
        return self.equations.get(convention, self.equations.get("any"))


def misfit(detail: str, *path: str | int, **more: object) -> NoReturn:
    """Refuse inputs that do not fit a layer.

    Raises:
        Refusal: `shape-mismatch`.
    """
    raise Refusal.of("shape-mismatch", detail, *path, **more)
