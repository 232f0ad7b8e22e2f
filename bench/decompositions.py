"""Forward and backward of layers that decompose matrices: gradd's core beside LAPACK alone, and beside torch.

Run it with `make bench`. The floor is the one decomposition of the forward pass, by NumPy, and nothing else; of
second_order_pooling, that of R in F = Q R. torch / floor is how many times as fast as torch the layer could be at most with
NumPy's LAPACK, if nothing else took any time. torch decomposes FᵀF for second_order_pooling, which is less work and loses
half of the digits of small singular values. One thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench._stopwatch import medians, readable
from core.arrays import Array
from core.layers import Layer
from core.layers.eigh import Eigh
from core.layers.matrix_log import MatrixLog
from core.layers.second_order_pooling import SecondOrderPooling
from core.layers.svd import Svd
from core.losses.upstream import Upstream
from core.plan import Retain
from core.problem_spec import ProblemSpec
from core.problem_validation import validate


@dataclass(frozen=True)
class Case:
    """A layer, the matrices it reads, its decomposition alone, and the same in torch."""

    name: str
    layer: Layer
    X: Array
    floor: Callable[[Array], object]
    torch: Callable[[Any, Any], Any]


def _random(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape)


def _definite(count: int, size: int) -> Array:
    F = _random(count, size, 2 * size)
    return np.asarray(F @ F.swapaxes(-1, -2))


def _log(torch: Any, A: Any) -> Any:
    values, vectors = torch.linalg.eigh(A)
    return vectors @ torch.diag_embed(torch.log(values)) @ vectors.mT


def _pooled(torch: Any, F: Any) -> Any:
    return _log(torch, F.mT @ F + 1e-3 * torch.eye(F.shape[-1], dtype=F.dtype))


def _thin_of_tall(F: Array) -> object:
    return np.linalg.svd(np.linalg.qr(F, mode="r"), full_matrices=False)


def cases(count: int, size: int) -> list[Case]:
    """`count` matrices of `size` x `size`."""
    thin = partial(np.linalg.svd, full_matrices=False)
    matrices, symmetric, features = _random(count, size, size), _definite(count, size), _random(count, 4 * size, size)
    return [
        Case("svd, left", Svd(part="left"), matrices, thin, lambda t, X: t.linalg.svd(X, full_matrices=False)[0]),
        Case("eigh, vectors", Eigh(part="vectors"), symmetric, np.linalg.eigh, lambda t, X: t.linalg.eigh(X)[1]),
        Case("matrix_log", MatrixLog(), symmetric, np.linalg.eigh, _log),
        Case("second_order_pooling", SecondOrderPooling(), features, _thin_of_tall, _pooled),
    ]


def planned(case: Case) -> Callable[[], object]:
    """A plan of the layer, ready to run forward and backward."""
    found = validate(ProblemSpec(layers=[case.layer], inputs={"input": case.X}), needs_loss=False)
    sent = ProblemSpec(
        layers=[case.layer], inputs={"input": case.X}, loss=Upstream(), upstream=_random(*found.output_shape)
    )
    plan = validate(sent).plan(retain=Retain(input_gradients=True))

    def run() -> None:
        plan.forward()
        plan.backward()

    return run


def torch_eager(case: Case) -> Callable[[], object]:
    """The same by torch's autograd."""
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    X = torch.tensor(case.X, requires_grad=True)
    upstream = torch.randn_like(case.torch(torch, X))

    def run() -> None:
        X.grad = None
        case.torch(torch, X).backward(upstream)

    return run


def main() -> None:
    """Print the table."""
    has_torch = find_spec("torch") is not None
    print(
        f"{'layer, float64':<24}{'matrices':>14}{'floor':>9}{'gradd':>9}{'/floor':>8}{'torch':>9}{'/gradd':>8}{'/floor':>8}"
    )
    for count, size in ((32, 16), (4, 128)):
        for case in cases(count, size):
            contenders: dict[str, Callable[[], object]] = {"floor": partial(case.floor, case.X), "gradd": planned(case)}
            if has_torch:
                contenders["torch"] = torch_eager(case)
            times = medians(contenders, 11)
            torch = (
                f"{readable(times['torch']):>9}{times['torch'] / times['gradd']:>8.2f}{times['torch'] / times['floor']:>8.2f}"
                if has_torch
                else ""
            )
            shape = " x ".join(map(str, case.X.shape))
            print(
                f"{case.name:<24}{shape:>14}{readable(times['floor']):>9}{readable(times['gradd']):>9}"
                f"{times['gradd'] / times['floor']:>8.2f}{torch}",
                flush=True,
            )


if __name__ == "__main__":
    main()
