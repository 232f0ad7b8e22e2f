"""Reports about attention, embeddings, dropout and branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.layers import KINDS
from tests.core.checking.mistakes.test_attention import Program
from tests.core.checking.reports.public_report import Body, PublicReport, body, dense


def attention(wrong: str, seed: int) -> Body:
    """dense; attention with two heads; half the squared error, with right gradients below the attention."""
    p = Program(seed, wrong)
    D1 = p.dX
    gradients = {
        "1": {"weight": np.einsum("nti,ntj->ij", p.inputs, D1), "bias": D1.sum(axis=(0, 1))},
        "att": p.gradients,
    }
    parameters: Any = {
        "1": {"weight": p.first, "bias": p.bias},
        "att": {"in_weight": p.W, "in_bias": p.b, "out_weight": p.U, "out_bias": p.c},
    }
    layers = [dense(p.features), {"kind": "multi_head_attention", "heads": p.heads, "name": "att"}]
    loss = float(0.5 * p.n * (p.D**2).sum())
    return body(layers, p.inputs, p.targets, parameters, {"loss": loss, "gradients": gradients})


def embedding(way: str) -> Body:
    """An embedding of words, some of them twice in one example; flatten; dense, softmax, cross-entropy."""
    rng = np.random.default_rng(81)
    words, labels = np.array([[0, 0, 3], [2, 1, 1], [4, 0, 2], [1, 3, 3]]), np.array([1, 0, 2, 2])
    E, V, c = rng.standard_normal((5, 2)), rng.standard_normal((6, 3)), rng.standard_normal(3)
    A = E[words].reshape(4, 6)
    S = np.exp(A @ V + c)
    P = S / S.sum(axis=1, keepdims=True)
    D = (P - np.eye(3)[labels]) / 4
    dA = (D @ V.T).reshape(4, 3, 2)
    dE = np.zeros_like(E)
    match way:
        case "in one example":
            for k in range(4):
                dE[words[k]] += dA[k]
        case "everywhere":
            dE[words] += dA
        case _:
            np.add.at(dE, words, dA)
    layers = [{"kind": "embedding", "vocabulary_size": 5, "units": 2, "name": "emb"}, {"kind": "flatten"}]
    parameters = {"emb": {"weight": E}, "out": {"weight": V, "bias": c}}
    gradients = {"emb": {"weight": dE}, "out": {"weight": A.T @ D, "bias": D.sum(axis=0)}}
    loss = float(-np.log(P[np.arange(4), labels]).mean())
    layers.append(dense(3, "softmax", name="out"))
    return body(layers, words, labels, parameters, {"loss": loss, "gradients": gradients}, loss="cross_entropy")


def dropout(way: str) -> Body:
    """dense, tanh; dropout with the server's mask; dense; half the squared error."""
    rng = np.random.default_rng(82)
    n, kind = 6, {"drop_probability": 0.3, "seed": 5}
    drop: Any = KINDS["dropout"]
    mask = drop(**kind).mask((n, 4), 1)
    X, W, b = rng.standard_normal((n, 3)), rng.standard_normal((3, 4)), rng.standard_normal(4)
    V, c, Y = rng.standard_normal((4, 2)), rng.standard_normal(2), rng.standard_normal((n, 2))
    A1 = np.tanh(X @ W + b)
    A2 = A1 * mask
    A3 = A2 @ V + c
    D3 = (A3 - Y) / n
    D1 = (D3 @ V.T) * (1 - A1**2) * {"no mask": 1.0, "no scale": mask > 0}.get(way, mask)
    gradients = {
        "1": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
        "3": {"weight": A2.T @ D3, "bias": D3.sum(axis=0)},
    }
    parameters = {"1": {"weight": W, "bias": b}, "3": {"weight": V, "bias": c}}
    layers = [dense(4, "tanh"), {"kind": "dropout", **kind}, dense(2)]
    loss = float(0.5 * ((A3 - Y) ** 2).sum() / n)
    return body(layers, X, Y, parameters, {"loss": loss, "gradients": gradients})


def branches(*, lost: bool) -> Body:
    """A residual network, a_3 = a_1 + tanh(a_1 W_2 + b_2): the gradient of a_1 comes from two sides."""
    rng = np.random.default_rng(83)
    n = 5
    X, W, b = rng.standard_normal((n, 3)), rng.standard_normal((3, 4)), rng.standard_normal(4)
    U, d = rng.standard_normal((4, 4)), rng.standard_normal(4)
    V, c, Y = rng.standard_normal((4, 2)), rng.standard_normal(2), rng.standard_normal((n, 2))
    A1 = np.tanh(X @ W + b)
    A2 = np.tanh(A1 @ U + d)
    A4 = (A1 + A2) @ V + c
    D4 = (A4 - Y) / n
    D3 = D4 @ V.T
    D2 = D3 * (1 - A2**2)
    D1 = (D2 @ U.T + (0 if lost else D3)) * (1 - A1**2)
    gradients = {
        "in": {"weight": X.T @ D1, "bias": D1.sum(axis=0)},
        "mid": {"weight": A1.T @ D2, "bias": D2.sum(axis=0)},
        "out": {"weight": (A1 + A2).T @ D4, "bias": D4.sum(axis=0)},
    }
    parameters = {
        "in": {"weight": W, "bias": b},
        "mid": {"weight": U, "bias": d},
        "out": {"weight": V, "bias": c},
    }
    layers = [
        dense(4, "tanh", name="in"),
        dense(4, "tanh", name="mid"),
        {"kind": "add", "inputs": ["in", "mid"]},
        dense(2, name="out"),
    ]
    loss = float(0.5 * ((A4 - Y) ** 2).sum() / n)
    return body(layers, X, Y, parameters, {"loss": loss, "gradients": gradients})


REPORTS = (
    PublicReport(
        kind="attention: the gradients of queries and keys in each other's place",
        body=attention("swapped", 84),
        # The delta below follows from the same two, so it is wrong as well: seen apart, it needs its own accusation.
        blame=[("att", "gradients.in_weight", "query-and-key-gradients-swapped")],
    ),
    PublicReport(
        kind="attention: dK from the scores' gradient without its transpose",
        body=attention("k-score-not-transposed", 85),
        blame=[("att", "gradients.in_weight", "key-gradient-score-not-transposed")],
    ),
    PublicReport(
        kind="attention: 1/√s left out on the way back",
        body=attention("scale", 86),
        blame=[("att", "gradients.in_weight", "attention-scale-left-out")],
    ),
    PublicReport(
        kind="attention: the diagonal of the softmax Jacobian",
        body=attention("diagonal", 87),
        blame=[("att", "gradients.in_weight", "attention-softmax-diagonal")],
    ),
    PublicReport(
        kind="embedding: += loses what is repeated within an example",
        body=embedding("in one example"),
        blame=[("emb", "gradients.weight", "repeated-rows-lost-in-example")],
    ),
    PublicReport(
        kind="embedding: += loses every repetition",
        body=embedding("everywhere"),
        blame=[("emb", "gradients.weight", "repeated-rows-overwritten")],
    ),
    PublicReport(
        kind="dropout: the mask is not applied on the way back",
        source="cs231n, neural-networks-3",
        body=dropout("no mask"),
        blame=[("1", "deltas", "dropout-mask-forgotten")],
    ),
    PublicReport(
        kind="dropout: the mask without its scale on the way back",
        source="cs231n, neural-networks-3",
        body=dropout("no scale"),
        blame=[("1", "deltas", "dropout-scale-forgotten")],
    ),
    PublicReport(
        kind="a fork: the gradient of one branch is overwritten by that of the other",
        source="cs231n, notes",
        body=branches(lost=True),
        blame=[("in", "deltas", "branch-lost | fork-overwritten")],
    ),
    PublicReport(
        kind="a fork: the gradients of both branches are added",
        source="cs231n, notes",
        body=branches(lost=False),
        verdicts=("correct",),
    ),
)
