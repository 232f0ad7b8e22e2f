"""The right backward pass of multi_head_attention, with a method for every term that a program can have wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.layer_rules import Backward
from core.checking.mistakes.shared.kind import InsideLayer
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.layers.multi_head_attention import by_head

Blocks = tuple[Array, Array, Array]
"""One array each for queries, keys and values."""


@dataclass(frozen=True, slots=True)
class Attention:
    """The arrays of an attention layer before its backward pass: n sequences, T time steps, d features, k heads of s."""

    X: Array
    """What the layer reads, n x T x d."""
    D: Array
    """∂L/∂Z, n x T x d."""
    W: Array
    """in_weight, d x 3d."""
    U: Array
    """out_weight, d x d."""
    Q: Array
    K: Array
    V: Array
    """Queries, keys and values by head, n x k x T x s each."""
    P: Array
    """The attention weights, n x k x T x T."""
    C: Array
    """The weighted means of the values, heads joined, n x T x d."""
    causal: bool

    @property
    def scale(self) -> float:
        """1/√s, with which the scores were multiplied."""
        return 1 / math.sqrt(self.Q.shape[-1])

    @property
    def blocks(self) -> Blocks:
        """The columns of in_weight that make queries, keys and values, d x d each."""
        first, second, third = np.split(self.W, 3, axis=1)
        return first, second, third


class AttentionBackward(InsideLayer):
    """dC = Δ Uᵀ;  dP = dC Vᵀ, dV = Pᵀ dC;  dS = P ∘ (dP − Σ_j P_ij dP_ij);  dQ = dS K/√s, dK = dSᵀ Q/√s.

    Then dW = Xᵀ [dQ dK dV] and dX = [dQ dK dV] Wᵀ. A mistake overrides the method of one term.
    """

    kinds = ("multi_head_attention",)
    strikes: ClassVar[tuple[str, ...]] = ("gradients", "deltas", "input_gradient")

    def __init__(self) -> None:
        self._found: tuple[tuple[object, ...], Backward | None] | None = None

    def is_possible(self, at: Attention) -> bool:
        """Return True if the shapes and the fields of the layer allow the mistake."""
        return True

    def weights(self, at: Attention) -> Array:
        """P, the attention weights that the backward pass uses."""
        return at.P

    def context_gradient(self, at: Attention) -> Array:
        """dC = Δ Uᵀ, n x T x d."""
        return np.asarray(at.D @ at.U.T)

    def split(self, at: Attention, joined: Array) -> Array:
        """Return n x T x d divided into heads, n x k x T x s."""
        (divided,) = by_head(joined, 1, at.Q.shape[1])
        return np.asarray(divided)

    def weights_gradient(self, at: Attention, dC: Array) -> Array:
        """dP = dC Vᵀ."""
        return dC @ at.V.swapaxes(-1, -2)

    def values_gradient(self, at: Attention, P: Array, dC: Array) -> Array:
        """dV = Pᵀ dC."""
        return P.swapaxes(-1, -2) @ dC

    def scores_gradient(self, P: Array, dP: Array) -> Array:
        """dS = P ∘ (dP − Σ_j P_ij dP_ij), the Jacobian of softmax in every row."""
        return np.asarray(P * (dP - (P * dP).sum(axis=-1, keepdims=True)))

    def scales(self, at: Attention) -> tuple[float, float]:
        """Return the factors of dQ and dK, 1/√s both."""
        return at.scale, at.scale

    def queries_gradient(self, at: Attention, dS: Array) -> Array:
        """dQ √s = dS K."""
        return dS @ at.K

    def keys_gradient(self, at: Attention, dS: Array) -> Array:
        """dK √s = dSᵀ Q."""
        return dS.swapaxes(-1, -2) @ at.Q

    def by_part(self, dQ: Array, dK: Array, dV: Array) -> Blocks:
        """Return the gradients of queries, keys and values by head, in this order."""
        return dQ, dK, dV

    def join(self, at: Attention, divided: Array) -> Array:
        """Return n x k x T x s with the heads joined, n x T x d."""
        return divided.swapaxes(1, 2).reshape(at.X.shape)

    def sent_to_input(self, at: Attention, parts: Blocks) -> Array:
        """dX = dQ W_Qᵀ + dK W_Kᵀ + dV W_Vᵀ."""
        return np.concatenate(parts, axis=-1) @ at.W.T

    def in_weight(self, at: Attention, parts: Blocks) -> Array:
        """Xᵀ [dQ dK dV], summed over the sequences."""
        return flat(at.X).T @ flat(np.concatenate(parts, axis=-1))

    def in_bias(self, at: Attention, parts: Blocks) -> Array:
        """[dQ dK dV] summed over sequences and time steps."""
        return np.asarray(np.concatenate(parts, axis=-1).sum(axis=(0, 1)))

    def out_weight(self, at: Attention) -> Array:
        """Cᵀ Δ."""
        return flat(at.C).T @ flat(at.D)

    def out_bias(self, at: Attention) -> Array:
        """Δ summed over sequences and time steps."""
        return np.asarray(at.D.sum(axis=(0, 1)))

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        readers = trace.network.readers.get(quantity.layer, [])
        layers = [quantity.layer] if quantity.part == "gradients" else [reader.layer for reader in readers]
        found = [layer for layer in layers if self.is_kind(trace, layer) and layer in trace.deltas]
        return any(self.is_possible(arrays_of(trace, layer)) for layer in found)

    def backward(self, trace: Trace, layer: str) -> Backward | None:
        numbers = (trace.network, *trace.read_by(layer), trace.deltas[layer])
        if self._found is None or not all(one is other for one, other in zip(self._found[0], numbers, strict=True)):
            self._found = (numbers, self._backward(arrays_of(trace, layer), trace, layer))
        return self._found[1]  # One tensor after another is asked of the same numbers.

    def _backward(self, at: Attention, trace: Trace, layer: str) -> Backward | None:
        if not self.is_possible(at):
            return None
        P, dC = self.weights(at), self.split(at, self.context_gradient(at))
        dS = self.scores_gradient(P, self.weights_gradient(at, dC))
        of_queries, of_keys = self.scales(at)
        dQ, dK = self.queries_gradient(at, dS) * of_queries, self.keys_gradient(at, dS) * of_keys
        queries, keys, values = (self.join(at, part) for part in self.by_part(dQ, dK, self.values_gradient(at, P, dC)))
        parts = (queries, keys, values)
        found = {"in_weight": self.in_weight(at, parts), "out_weight": self.out_weight(at)}
        if "in_bias" in trace.parameters(layer):
            found |= {"in_bias": self.in_bias(at, parts), "out_bias": self.out_bias(at)}
        return Backward([self.sent_to_input(at, parts)], found)


def arrays_of(trace: Trace, layer: str) -> Attention:
    """Return the arrays of an attention layer."""
    kind: Any = trace.network.nodes[layer].layer
    (X,), parameters = trace.read_by(layer), trace.parameters(layer)
    saved = trace.network.layer_rules[layer].saved([X])
    Q, K, V = by_head(saved["projected"], 3, kind.heads)
    W, U = parameters["in_weight"], parameters["out_weight"]
    return Attention(X, trace.deltas[layer], W, U, Q, K, V, saved["weights"], saved["context"], kind.causal)


def flat(X: Array) -> Array:
    """Return n x T x features as a matrix with a row for each time step of each sequence."""
    return X.reshape(-1, X.shape[-1])
