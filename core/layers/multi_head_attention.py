"""multi_head_attention: multi-head self-attention over the time steps of a sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from core.activations.softmax import Softmax
from core.arrays import Array, Op, Shape, constant
from core.equations.equation import Derivation, Equation
from core.equations.layout import Layout
from core.layer_context import LayerContext
from core.layers.base import INITIALIZERS, Layer, Ops, misfit
from core.operations import CALL, ELEMENT, FUNCTION, multiplication
from core.parameters import Parameter
from core.spec import constraints

WHY_SUM = "Every time step of every example adds the bias, so its gradient is the sum over all of them."


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiHeadAttention(Layer):
    """Multi-head self-attention: every time step of a sequence attends to all others.

    With n sequences of T time steps, d features and k heads of s = d/k features; S, P and C for each sequence and head:

        Forward    [Q K V] = X W + 1 bᵀ           X (n, T, d), W (d, 3d), b (3d); Q, K, V (T, s) for each head
                   S  = Q Kᵀ / √s                 (T, T); with `causal`, −∞ above the diagonal
                   P  = softmax(S)                row by row
                   C  = P V                       (T, s); the heads concatenated: (n, T, d)
                   Z  = C U + 1 cᵀ                U (d, d), c (d)  ->  Z (n, T, d)
        Backward   dU = Cᵀ dZ,   dc = dZᵀ 1,   dC = dZ Uᵀ
                   dP = dC Vᵀ,   dV = Pᵀ dC
                   dS = P ∘ (dP − Σ_j P_ij dP_ij)
                   dQ = dS K / √s,   dK = dSᵀ Q / √s
                   dW = Xᵀ [dQ dK dV],   db = [dQ dK dV]ᵀ 1,   dX = [dQ dK dV] Wᵀ

    W is `in_weight`; its columns (rows, under `column` and `torch`) hold the blocks Q, K, V, and each block one head after
    another. b is `in_bias`, U is `out_weight`, c is `out_bias`. In torch.nn.MultiheadAttention they are in_proj_weight,
    in_proj_bias, out_proj.weight and out_proj.bias (the weights transposed in the row convention).

    Source: Vaswani et al., Attention Is All You Need (2017), §3.2.
    """

    kind: Literal["multi_head_attention"] = "multi_head_attention"

    heads: int = field(metadata=constraints(gt=0, examples=[2]))
    """Number of heads, k, which must divide the number of features."""

    causal: bool = field(default=False, metadata=constraints())
    """Whether a time step attends only to itself and earlier time steps."""

    bias: bool = field(default=True, metadata=constraints())
    """Whether to add the biases b and c."""

    initializer: str = field(default="default", metadata=constraints(choices=["default", *INITIALIZERS]))
    """Scheme by which `seed` draws the initial weights. Default: Glorot uniform."""

    operations_formula: ClassVar[str] = "8 n time features² + 4 n time² features, and 310 n heads time² of softmax"
    equations: ClassVar[dict[str, str]] = {
        "row": "[Q K V] = A W + 1 b', W is features x 3 features; Z = C U + 1 c', U is features x features",
        "column": "[Q; K; V] = W A' + b 1', W is 3 features x features; Z' = U C' + c 1', U is features x features",
        "torch": "[Q K V] = A W' + 1 b', W is 3 features x features; Z = C U' + 1 c', U is features x features",
    }

    def result_shape(self, *inputs: Shape, column: bool) -> Shape:
        (x,) = inputs
        if len(x) != 3:
            misfit(
                f"multi_head_attention reads sequences, n x time x features; it reads a tensor of shape {list(x)}.",
                hint="Send a single sequence as [[[...], [...], ...]]." if len(x) == 2 else None,
            )
        if x[-1] % self.heads:
            misfit(
                f"multi_head_attention divides the features among its heads; {x[-1]} features are no multiple of "
                f"{self.heads} heads.",
                "heads",
                expected=f"a divisor of {x[-1]}",
                got=self.heads,
            )
        return x

    def parameters(self, *inputs: Shape) -> dict[str, Parameter]:
        d, parameters = inputs[0][-1], {}
        for name, width in (("in", 3 * d), ("out", d)):
            parameters[f"{name}_weight"] = Parameter(
                shape=(d, width), follows_convention=True, fan_in=d, fan_out=width, initial="scheme", weight_like=True
            )
            if self.bias:
                parameters[f"{name}_bias"] = Parameter(shape=(width,))
        return parameters

    def working_size(self, *inputs: Shape) -> int:
        n, time, features = inputs[0]
        return n * time * (8 * features + 3 * self.heads * time)

    def derivation(self, layout: Layout) -> Derivation:
        n, time, features = layout.inputs[0]
        size, turned = features // self.heads, r"^\top" if layout.out_by_in else ""
        W, U = ("<in_weight>.T", "<out_weight>.T") if layout.out_by_in else ("<in_weight>", "<out_weight>")
        blocks = f".reshape({n}, {time}, 3, {self.heads}, {size}).transpose(2, 0, 3, 1, 4)"
        apart = f".reshape({n}, {time}, {self.heads}, {size}).transpose(0, 2, 1, 3)"
        joined, scale = f".transpose(0, 2, 1, 3).reshape({n}, {time}, {features})", f"{math.sqrt(size)!r}"
        in_bias, out_bias = (" + <in_bias>", " + <out_bias>") if self.bias else ("", "")
        later = f" + np.triu(np.full(({time}, {time}), -np.inf), 1)" if self.causal else ""
        scores = f"<Q> @ <K>.swapaxes(-1, -2) / {scale}{later}"
        softmax = "np.exp(<S> - <S>.max(axis=-1, keepdims=True))"
        flat_X, flat_C = f"<X>.reshape(-1, {features})", f"<C>.reshape(-1, {features})"
        flat_dP, flat_dZ = f"<dP>.reshape(-1, {3 * features})", f"<dZ>.reshape(-1, {features})"
        products = [f"{flat_X}.T @ {flat_dP}", f"{flat_C}.T @ {flat_dZ}"]
        dW, dU = [f"({product}).T" if layout.out_by_in else product for product in products]
        biases = [
            Equation("d_in_bias", r"\textstyle\sum <dP>", f"{flat_dP}.sum(axis=0)", WHY_SUM),
            Equation("d_out_bias", r"\textstyle\sum <dZ>", f"{flat_dZ}.sum(axis=0)", WHY_SUM),
        ]
        mask, back = " + M" if self.causal else "", "" if layout.out_by_in else r"^\top"
        return Derivation(
            [
                Equation(
                    "P",
                    rf"<X> <in_weight>{turned}{in_bias}",
                    f"<X> @ {W}{in_bias}",
                    "Queries, keys and values in one product.",
                ),
                *(
                    Equation(
                        letter,
                        rf"<P>_{letter}",
                        f"<P>{blocks}[{block}]",
                        "Its block of the product, divided into heads.",
                    )
                    for block, letter in enumerate("QKV")
                ),
                Equation(
                    "S",
                    rf"<Q> <K>^\top / \sqrt{{{size}}}{mask}",
                    scores,
                    r"The score of each key for each query, divided by $\sqrt{d}$, $d$ the features of a head.",
                ),
                Equation(
                    "share",
                    r"\operatorname{softmax}(<S>)",
                    f"{softmax} / {softmax}.sum(axis=-1, keepdims=True)",
                    "Softmax: the weights of each query sum to 1 over the keys.",
                    "A",
                ),
                Equation(
                    "C",
                    "<share> <V>",
                    f"(<share> @ <V>){joined}",
                    "Each time step is the weighted mean of the values; the heads are joined.",
                ),
                Equation(
                    "Z",
                    rf"<C> <out_weight>{turned}{out_bias}",
                    f"<C> @ {U}{out_bias}",
                    "A dense layer mixes the heads.",
                ),
            ],
            [
                Equation(
                    "dC",
                    rf"<dZ> <out_weight>{back}",
                    f"(<dZ> @ ({U}).T){apart}",
                    "Back through the output weights, then divided into heads.",
                    r"\partial C",
                ),
                Equation("d_out_weight", r"<C>^\top <dZ>", dU, "As in a dense layer."),
                Equation("d_share", r"<dC> <V>^\top", "<dC> @ <V>.swapaxes(-1, -2)", "Product rule.", r"\partial A"),
                Equation("dV", r"<share>^\top <dC>", "<share>.swapaxes(-1, -2) @ <dC>", "Product rule.", r"\partial V"),
                Equation(
                    "dS",
                    r"<share> \circ \bigl(<d_share> - \textstyle\sum_k (<share> \circ <d_share>)_k\bigr)",
                    "<share> * (<d_share> - (<share> * <d_share>).sum(axis=-1, keepdims=True))",
                    "The Jacobian of softmax, for each query.",
                    r"\partial S",
                ),
                Equation("dQ", rf"<dS> <K> / \sqrt{{{size}}}", f"<dS> @ <K> / {scale}", "Product rule.", r"\partial Q"),
                Equation(
                    "dK",
                    rf"<dS>^\top <Q> / \sqrt{{{size}}}",
                    f"<dS>.swapaxes(-1, -2) @ <Q> / {scale}",
                    "Product rule.",
                    r"\partial K",
                ),
                Equation(
                    "dP",
                    r"[<dQ>\; <dK>\; <dV>]",
                    f"np.stack([<dQ>, <dK>, <dV>]).transpose(1, 3, 0, 2, 4).reshape({n}, {time}, {3 * features})",
                    "The gradients of queries, keys and values, joined as in the forward pass.",
                    r"\partial P",
                ),
                Equation("d_in_weight", r"<X>^\top <dP>", dW, "As in a dense layer."),
                *(biases if self.bias else []),
                Equation("dX", rf"<dP> <in_weight>{back}", f"<dP> @ ({W}).T", "As in a dense layer."),
            ],
        )

    def operations(self, *inputs: Shape, result: Shape, column: bool) -> float:
        n, time, features = inputs[0]
        projections = multiplication(n * time, features, 3 * features) + multiplication(n * time, features, features)
        heads, wide = n * self.heads, features // self.heads
        scores = multiplication(time, wide, time, heads) + multiplication(time, time, wide, heads)
        return projections + scores + 8 * CALL + (FUNCTION + 8 * ELEMENT) * heads * time * time

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z, W = context.inputs, context.new_result(), context.parameters
        n, time, features = X.shape
        projected = context.saved["projected"] = np.empty((n, time, 3 * features), context.dtype)
        attended = context.saved["context"] = np.empty(X.shape, context.dtype)
        scores = context.saved["scores"] = np.empty((n, self.heads, time, time), context.dtype)
        weights = context.saved["weights"] = np.empty_like(scores)
        Q, K, V = by_head(projected, 3, self.heads)
        (read,) = by_head(attended, 1, self.heads)
        scale = constant(1 / math.sqrt(Q.shape[-1]), scores)
        ops: list[Op] = [
            *_projection(X, W["in_weight"], W.get("in_bias"), projected),
            partial(np.matmul, Q, K.swapaxes(-1, -2), out=scores),
            partial(np.multiply, scores, scale, scores),
        ]
        if self.causal:
            later = np.triu(np.ones((time, time), bool), 1)
            ops.append(partial(np.copyto, scores, -np.inf, where=later))
        return [
            *ops,
            Softmax().forward(scores, weights),
            partial(np.matmul, weights, V, out=read),
            *_projection(attended, W["out_weight"], W.get("out_bias"), Z),
        ]

    def backward(self, context: LayerContext) -> Ops:
        (X,), dZ, (dX,), W = context.inputs, context.d_result, context.d_inputs, context.parameters
        projected, attended, weights = (context.saved[name] for name in ("projected", "context", "weights"))
        d_projected, d_context = np.empty_like(projected), np.empty_like(attended)
        context.saved["d_projected"] = d_projected
        Q, K, V = by_head(projected, 3, self.heads)
        dQ, dK, dV = by_head(d_projected, 3, self.heads)
        (d_read,) = by_head(d_context, 1, self.heads)
        d_weights, d_scores = context.saved["scores"], np.empty_like(weights)  # Nothing reads the scores any more.
        scale = constant(1 / math.sqrt(Q.shape[-1]), weights)
        ops: list[Op] = [
            *_projection_gradients(context, "out", attended, dZ),
            partial(np.matmul, dZ, W["out_weight"].T, out=d_context),
            partial(np.matmul, d_read, V.swapaxes(-1, -2), out=d_weights),
            partial(np.matmul, weights.swapaxes(-1, -2), d_read, out=dV),
            Softmax().backward(d_weights, weights, d_weights, d_scores),
            partial(np.multiply, d_scores, scale, d_scores),
            partial(np.matmul, d_scores, K, out=dQ),
            partial(np.matmul, d_scores.swapaxes(-1, -2), Q, out=dK),
            *_projection_gradients(context, "in", X, d_projected),
        ]
        if dX is not None:
            ops.append(partial(np.matmul, d_projected, W["in_weight"].T, out=dX))
        return ops

    def example_gradients(self, context: LayerContext) -> dict[str, Array]:
        (X,), attended, d_projected, dZ = (
            context.inputs,
            context.saved["context"],
            context.saved["d_projected"],
            context.d_result,
        )
        found = {
            "in_weight": np.matmul(X.swapaxes(1, 2), d_projected),
            "in_bias": d_projected.sum(axis=1),
            "out_weight": np.matmul(attended.swapaxes(1, 2), dZ),
            "out_bias": dZ.sum(axis=1),
        }
        return {name: found[name] for name in context.parameters}


def by_head(joined: Array, blocks: int, heads: int) -> Array:
    """Return n x T x (blocks · heads · s) as a view of shape blocks x n x heads x T x s."""
    n, time, width = joined.shape
    return joined.reshape(n, time, blocks, heads, width // (blocks * heads)).transpose(2, 0, 3, 1, 4)


def _projection(X: Array, W: Array, b: Array | None, out: Array) -> Ops:
    """Return the operations that write X W + 1 bᵀ."""
    multiplied = partial(np.matmul, X, W, out=out)
    return [multiplied] if b is None else [multiplied, partial(np.add, out, b, out)]


def _projection_gradients(context: LayerContext, name: str, X: Array, dZ: Array) -> Ops:
    """Return the operations that write the gradients of a weight and its bias, summed over examples and time steps."""
    dW, db = context.gradients[f"{name}_weight"], context.gradients.get(f"{name}_bias")
    inputs, outputs = dW.shape
    ops: list[Op] = [lambda: np.matmul(X.reshape(-1, inputs).T, dZ.reshape(-1, outputs), out=dW)]
    return ops if db is None else [*ops, partial(np.sum, dZ, axis=(0, 1), out=db)]
