"""dense: every output reads every input."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape, product
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import INITIALIZERS, Layer, Ops, misfit
from core.operations import count, multiplication
from core.parameters import Parameter
from core.spec import constraints

WHY_WEIGHT = (
    r"$\partial z_j / \partial w_{ij} = x_i$: the gradient of $w_{ij}$ is the sum of $x_i \delta_j$ over the examples."
)
WHY_BIAS = (
    r"$\partial z_j / \partial b_j = 1$ in every example: the gradient of $b_j$ is the sum of $\delta_j$ over the "
    r"examples."
)
WHY_INPUT = (
    r"$\partial z_j / \partial x_i = w_{ij}$, and every unit $j$ reads $x_i$: multiply the deltas by the transposed "
    r"weight."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense(Layer):
    """Dense (fully connected) layer: an affine map of the features.

    In the row convention, with n examples, i inputs and o units:

        Forward    Z  = X W + 1 bᵀ     X (n, i), W (i, o), b (o)  ->  Z (n, o)
        Backward   dX = dZ Wᵀ          (n, i)
                   dW = Xᵀ dZ          (i, o)
                   db = dZᵀ 1          (o)

    With a column of ones appended to X and the bias as the last row of W, each direction is a single product:
    Z = [X 1] [W; b] and [dW; db] = [X 1]ᵀ dZ. Inputs of rank 3 or more are multiplied along their last axis.

    Source: Goodfellow, Bengio & Courville, Deep Learning (2016), §6.5; Rojas, Neural Networks (1996), §7.3, for the
    extended matrices.
    """

    kind: Literal["dense"] = "dense"

    units: int = field(metadata=constraints(gt=0, examples=[3]))
    """Number of units, o: the length of the result's last axis (of its first axis under `column`)."""

    bias: bool = field(default=True, metadata=constraints())
    """Whether to add the bias b."""

    initializer: str = field(default="default", metadata=constraints(choices=["default", *INITIALIZERS]))
    """Scheme by which `seed` draws the initial weight. Default: He normal before a rectifier, Glorot uniform otherwise."""

    feedback_weight: ClassVar[str | None] = "weight"
    is_invertible: ClassVar[bool] = True
    operations_formula: ClassVar[str] = "2 rows inputs units"
    equations: ClassVar[dict[str, str]] = {
        "row": "Z = A W + 1 b', W is in x out",
        "column": "Z = W A + b 1', W is out x in",
        "torch": "Z = A W' + 1 b', W is out x in",
    }

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) < 2:
            misfit(
                f"dense multiplies matrices (examples x features); it reads a tensor of shape {list(x)}.",
                hint="Send one example as a matrix with a single row: [[...]].",
            )
        return (*x[:-1], self.units)

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        fan_in = inputs[0][-1]
        weight = Parameter(
            shape=(fan_in, self.units),
            follows_convention=True,
            fan_in=fan_in,
            fan_out=self.units,
            initial="scheme",
            weight_like=True,
        )
        return {"weight": weight, "bias": Parameter(shape=(self.units,))} if self.bias else {"weight": weight}

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        inner = inputs[0][-1]
        return multiplication(count(inputs[0]) // max(inner, 1), inner, self.units)

    def forward(self, context: LayerContext) -> Ops:
        (X,), W, b = context.inputs, context.parameters["weight"], context.parameters.get("bias")
        Z = context.new_result()
        if context.packed is not None:
            X1, W1 = context.extended_input, context.packed
            return [product(X1, W1, Z)]
        multiplied = product(X, W, Z) if X.ndim == 2 else partial(np.matmul, X, W, out=Z)
        return [multiplied] if b is None else [multiplied, partial(np.add, Z, b, Z)]

    def backward(self, context: LayerContext) -> Ops:
        (X,), W, dZ, (dX,) = context.inputs, context.parameters["weight"], context.d_result, context.d_inputs
        ops: list[Op] = []
        if context.packed_gradient is not None:
            ops.append(product(context.extended_input.T, dZ, context.packed_gradient))
        elif X.ndim > 2:
            ops.append(partial(_gradients_along_last_axis, X, dZ, **context.gradients))
        else:
            ops.append(product(X.T, dZ, context.gradients["weight"]))
            if self.bias:
                ops.append(product(np.ones(len(X), X.dtype), dZ, context.gradients["bias"]))
        if dX is not None:
            delta, carrying = context.carrier or (dZ, W)
            ops.append(product(delta, carrying.T, dX) if X.ndim == 2 else partial(np.matmul, delta, carrying.T, out=dX))
        return ops

    def derivation(self, layout: Layout) -> Derivation:
        if len(layout.result) > 2:
            return self._derivation_along_last_axis(layout)
        latex, numpy = {
            "row": ("<X> <weight>", "<X> @ <weight>"),
            "column": ("<weight> <X>", "<weight> @ <X>"),
            "torch": (r"<X> <weight>^\top", "<X> @ <weight>.T"),
        }[layout.convention]
        if self.bias:
            latex += r" + <bias> \mathbf{1}^\top" if layout.column else r" + \mathbf{1} <bias>^\top"
            numpy += " + " + layout.beside("<bias>", layout.result)
        d_weight = {
            "row": (r"<X>^\top <dZ>", "<X>.T @ <dZ>"),
            "column": (r"<dZ> <X>^\top", "<dZ> @ <X>.T"),
            "torch": (r"<dZ>^\top <X>", "<dZ>.T @ <X>"),
        }[layout.convention]
        dX = {
            "row": (r"<dZ> <weight>^\top", "<dZ> @ <weight>.T"),
            "column": (r"<weight>^\top <dZ>", "<weight>.T @ <dZ>"),
            "torch": (r"<dZ> <weight>", "<dZ> @ <weight>"),
        }[layout.convention]
        ones = r"<dZ> \mathbf{1}" if layout.column else r"<dZ>^\top \mathbf{1}"
        sums = Equation("d_bias", ones, f"<dZ>.sum(axis={layout.examples(layout.result)})", WHY_BIAS)
        return Derivation(
            [Equation("Z", latex, numpy, "Every unit computes a weighted sum of its inputs.")],
            [
                Equation("d_weight", *d_weight, WHY_WEIGHT),
                *([sums] if self.bias else []),
                Equation("dX", *dX, WHY_INPUT),
            ],
        )

    def _derivation_along_last_axis(self, layout: Layout) -> Derivation:
        """The same products where all axes but the last count examples."""
        W = "<weight>.T" if layout.out_by_in else "<weight>"
        latex = r"<weight>^\top" if layout.out_by_in else "<weight>"
        rows = f"<X>.reshape(-1, {layout.inputs[0][-1]})", f"<dZ>.reshape(-1, {self.units})"
        bias = (r" + \mathbf{1} <bias>^\top", " + <bias>") if self.bias else ("", "")
        product = (r"<dZ>^\top <X>", f"{rows[1]}.T @ {rows[0]}")
        if not layout.out_by_in:
            product = (r"<X>^\top <dZ>", f"{rows[0]}.T @ {rows[1]}")
        sums = Equation("d_bias", r"<dZ>^\top \mathbf{1}", f"{rows[1]}.sum(axis=0)", WHY_BIAS)
        back = "<weight>" if layout.out_by_in else r"<weight>^\top"
        return Derivation(
            [
                Equation(
                    "Z",
                    f"<X> {latex}{bias[0]}",
                    f"<X> @ {W}{bias[1]}",
                    "The same matrix multiplies the features at every position of the other axes.",
                )
            ],
            [
                Equation("d_weight", *product, WHY_WEIGHT),
                *([sums] if self.bias else []),
                Equation("dX", f"<dZ> {back}", f"<dZ> @ ({W}).T", WHY_INPUT),
            ],
        )

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        """dW of example i is x_iᵀ dz_i; with more axes the sum of these over them."""
        (X,), dZ = context.inputs, context.d_result
        rows, deltas = (array.reshape(len(array), -1, array.shape[-1]) for array in (X, dZ))
        found = {"weight": np.matmul(rows.swapaxes(1, 2), deltas), "bias": deltas.sum(axis=1)}
        return {name: found[name] for name in context.parameters}

    def example_square_norms(self, context: LayerContext) -> Array:
        (X,), dZ = context.inputs, context.d_result
        if X.ndim > 2:
            return Layer.example_square_norms(self, context)
        # ‖x_iᵀ dz_i‖² = ‖x_i‖² ‖dz_i‖²; the bias counts as an input that is always 1.
        return np.asarray((np.square(X).sum(axis=1) + self.bias) * np.square(dZ).sum(axis=1))


def _gradients_along_last_axis(X: Array, dZ: Array, weight: Array, bias: Array | None = None) -> None:
    """The same products for inputs of rank 3 and more: all axes but the last together count the examples."""
    inputs, units = weight.shape
    np.matmul(X.reshape(-1, inputs).T, dZ.reshape(-1, units), out=weight)
    if bias is not None:
        np.sum(dZ.reshape(-1, units), axis=0, out=bias)
