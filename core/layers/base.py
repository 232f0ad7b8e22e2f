"""What a layer is."""

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
from core.parameters import Parameter
from core.spec import Spec, constraints

Ops = Sequence[Op]

INITIALIZERS = ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "zeros"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer(Spec):
    """Base of all layers: what every kind may carry.

    A kind is one file: its fields, its shape rule, its forward and its backward. `forward` and `backward` do not
    compute: they return the operations that do, bound to the arrays of a `LayerContext`, so that a plan built once runs
    many times without allocating. Shapes are batch-first (the row convention) throughout.

    Adding one: the file, and its class in `AnyLayer` of ``core/layers/__init__.py``.
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
    """How many layers it reads, at least and at most."""

    complex_safe: ClassVar[bool] = True
    """Whether a complex step may pass through `forward`. Certificates go around other layers by differences."""

    reads_classes: ClassVar[bool] = False
    """Whether it reads class numbers: nothing can be moved along a direction there, and their gradient is 0."""

    feedback_weight: ClassVar[str | None] = None
    """Which parameter W carries the error down, as dX = dZ Wᵀ: feedback alignment puts another matrix in its place."""

    accepts_parts: ClassVar[bool] = False
    """Whether a layer that couples examples may be given a part of a batch, which then counts as a batch of its own."""

    is_invertible: ClassVar[bool] = False
    """Whether the inputs can be found from the result in closed form: Z = f(X), or Z = X W + b."""

    equations: ClassVar[dict[str, str]] = {}
    """Its forward equation for each convention ("any" where they agree), shown where shapes do not fit."""

    def activation_function(self) -> Activation:
        """The activation function that is applied to the result."""
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
        """The parameters it needs for inputs of those shapes. Called after `result_shape` has accepted them."""
        return {}

    def state(self, *inputs: Shape) -> dict[str, Shape]:
        """Shapes of what the layer keeps between batches beside its parameters, running statistics for instance."""
        return {}

    def needs_state(self) -> bool:
        """Whether `forward` reads the state, so that a request has to bring it."""
        return False

    def working_size(self, *inputs: Shape) -> int:
        """How many numbers it keeps beside its result, where they may be many more: they count towards the limit."""
        return 0

    def couples_examples(self, *inputs: Shape, column: bool) -> bool:
        """Whether the result of one example depends on other examples too, so that no gradient is one example's own."""
        return False

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        """The shape of its result.

        Raises:
            Refusal: where the inputs do not fit; paths are relative to the layer.
        """
        raise NotImplementedError

    def forward(self, context: LayerContext) -> Ops:
        """Set the context's result, and return the operations that compute it."""
        raise NotImplementedError

    def backward(self, context: LayerContext) -> Ops:
        """The operations that compute ∂L/∂(each input) and ∂L/∂(each parameter) from ∂L/∂(result)."""
        raise NotImplementedError

    def derivation(self, layout: Layout) -> Derivation:
        """Its equations as a derivation shows them (``core/equations/equation.py``), forward and backward."""
        raise NotImplementedError

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        """After a backward run: the terms whose sum over the examples the gradient of each parameter is, n x its shape.

        Every kind with parameters has it, but for those that couple the examples.
        """
        raise NotImplementedError

    def example_square_norms(self, context: LayerContext) -> Array:
        """After a backward run: Σ of the squares of every example's terms, over all parameters of the layer."""
        found = self.example_gradients(context).values()
        return np.asarray(sum(np.square(array).reshape(len(array), -1).sum(axis=1) for array in found))

    def at_evaluation(self) -> Self:
        """The layer as it is when a network is evaluated rather than trained."""
        return self

    def renew(self, context: LayerContext, step: int) -> None:
        """Before step number `step`, counted from 0, of a training run: draw what is drawn anew for every step."""

    def equation(self, convention: str) -> str | None:
        """The forward equation as this convention writes it."""
        return self.equations.get(convention, self.equations.get("any"))


def misfit(detail: str, *path: str | int, **more: object) -> NoReturn:
    """Refuse inputs that do not fit a layer."""
    raise Refusal.of("shape-mismatch", detail, *path, **more)
