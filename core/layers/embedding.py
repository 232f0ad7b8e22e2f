"""embedding: a vector of weights for each class number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from core.arrays import Array, Op, Shape, real
from core.convention import orient_shape
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import INITIALIZERS, Layer, Ops, misfit
from core.operations import CALL, DRAW, ELEMENT, count
from core.parameters import Parameter
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding(Layer):
    """Embedding: a lookup table with one row of weights for each class index.

        Forward    Z   = W[X]                   X (n, ...) class indices, W (v, o)  ->  Z (n, ..., o)
        Backward   dW  = Σ dZ over each class   (v, o); the row of a class that does not occur in X is 0
                   dX  = 0                      a class index is discrete

    The layer equals the product of one-hot rows with W. Classes are counted from 0. X has any rank, batch-first if the rank
    is 3 or more; the result has one more axis. The weight is vocabulary x units in every convention, as in
    torch.nn.Embedding.

    Source: Bengio et al., A Neural Probabilistic Language Model (2003), §2.
    """

    kind: Literal["embedding"] = "embedding"

    vocabulary_size: int = field(metadata=constraints(gt=0, le=2**24, examples=[1000]))
    """Number of classes, v. At most 2²⁴, beyond which float32 cannot represent every index."""

    units: int = field(metadata=constraints(gt=0, examples=[16]))
    """Length of each embedding vector, o: the length of the result's last axis."""

    initializer: str = field(default="default", metadata=constraints(choices=["default", *INITIALIZERS]))
    """Scheme by which `seed` draws the initial weight, with fan_in = 1 because a result depends on one row. Default: Glorot
    uniform."""

    reads_classes: ClassVar[bool] = True
    operations_formula: ClassVar[str] = "60 (class numbers + elements of the result)"
    equations: ClassVar[dict[str, str]] = {"any": "Z = W[A], W is vocabulary x units"}

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if not x:
            misfit("embedding reads the class numbers of examples; it reads a single number, which has no examples.")
        return (*x, self.units)

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        shape = (self.vocabulary_size, self.units)
        return {
            "weight": Parameter(shape=shape, fan_in=1, fan_out=self.units, initial="scheme", weight_like=True),
        }

    def derivation(self, layout: Layout) -> Derivation:
        X = layout.core("<X>", layout.inputs[0])
        classes = f"np.eye({self.vocabulary_size})[{X}.astype(int).ravel()]"
        dZ = f"{layout.core('<dZ>', layout.result)}.reshape(-1, {self.units})"
        return Derivation(
            [
                Equation(
                    "Z",
                    "<weight>_{<X>}",
                    layout.sent(f"<weight>[{X}.astype(int)]", layout.result),
                    "Row x of W: the product of a one-hot row and W.",
                ),
            ],
            [
                Equation(
                    "d_weight",
                    r"\operatorname{onehot}(<X>)^\top <dZ>",
                    f"{classes}.T @ {dZ}",
                    "Each row of W receives the sum of the deltas of all positions that hold its class.",
                ),
                Equation("dX", "0", "0.0 * <X>", "Class numbers are discrete, so their gradient is 0."),
            ],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        return 2 * CALL + 3 * ELEMENT * (count(inputs[0]) + count(result))

    def backward_operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        # The class numbers are sorted, and the gradient has all rows of the table.
        return 4 * CALL + DRAW * count(inputs[0]) + 3 * ELEMENT * (count(result) + self.vocabulary_size * self.units)

    def forward(self, context: LayerContext) -> Ops:
        (X,), W, Z = context.inputs, context.parameters["weight"], context.new_result()
        classes = context.saved["classes"] = np.empty(X.shape, np.intp)

        def op() -> None:
            self._refuse_other_than_classes(context)
            np.copyto(classes, real(X), casting="unsafe")
            np.copyto(Z, W[classes])

        return [op]

    def _refuse_other_than_classes(self, context: LayerContext) -> None:
        numbers = real(context.inputs[0])
        valid = (numbers >= 0) & (numbers < self.vocabulary_size) & (numbers == np.floor(numbers))
        if valid.all():
            return
        at = tuple(np.argwhere(~valid)[0])
        number = float(numbers[at])
        shown = [int(index) for index in orient_shape(at, context.column)]
        raise context.refusal(
            "invalid-request",
            f"{number:.17g} at {shown} of the tensor that it reads is not a class: there are {self.vocabulary_size} classes, "
            f"numbered 0 to {self.vocabulary_size - 1}.",
            expected=[0, self.vocabulary_size - 1],
            got=number,
            hint="Classes are counted from 0." if number == self.vocabulary_size else None,
        )

    def backward(self, context: LayerContext) -> Ops:
        (dX,), dZ, dW = context.d_inputs, context.d_result, context.gradients["weight"]
        classes = context.saved["classes"].reshape(-1)
        ops: list[Op] = [lambda: _sum_by_class(classes, dZ.reshape(-1, self.units), dW)]
        if dX is not None:
            ops.append(lambda: dX.fill(0))
        return ops

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        classes = context.saved["classes"].reshape(len(context.d_result), -1)
        deltas = context.d_result.reshape(*classes.shape, self.units)
        weight = np.zeros((len(classes), self.vocabulary_size, self.units), context.dtype)
        np.add.at(weight, (np.arange(len(classes))[:, None], classes), deltas)
        return {"weight": weight}


def _sum_by_class(classes: Array, rows: Array, total: Array) -> None:
    """Write into each row of `total` the sum of the rows of that class: those are brought side by side, then summed."""
    order = np.argsort(classes, kind="stable")
    present, starts = np.unique(classes[order], return_index=True)
    total.fill(0)
    total[present] = np.add.reduceat(rows[order], starts, axis=0)
