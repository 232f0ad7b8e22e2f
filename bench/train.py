"""Samples per second of the training loop, by NumPy and compiled, beside torch eager and scikit-learn's MLPClassifier.

The contenders are those that are installed; `gradd compiled` needs numba.

The products alone say how fast a loop could be at most with this BLAS.

python -m bench.train        with OPENBLAS_NUM_THREADS=1 for one thread
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np

from app.compiled.choice import Wanted, choose_engine
from bench._stopwatch import medians
from core.layers.dense import Dense
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers.adam import Adam
from core.optimizers.sgd import Sgd
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe, train

CASES = (
    (1797, 64, 32, 32, "sgd"),
    (1797, 64, 32, 32, "adam"),
    (20000, 784, 128, 64, "sgd"),
    (20000, 784, 128, 64, "adam"),
    (20000, 784, 128, 512, "sgd"),
)
"""Examples, inputs, hidden units, examples in a step, optimizer; ten classes."""

RATE = 0.001


def ours(
    inputs: Any, labels: Any, hidden: int, batch_size: int, optimizer: str, engine: Wanted = "numpy"
) -> Callable[[], object]:
    """An epoch of the loop, report included."""
    layers = [Dense(units=hidden, activation="relu"), Dense(units=10)]
    loss = SoftmaxCrossEntropy()
    sent = ProblemSpec(layers=layers, inputs={"input": inputs}, targets=labels, loss=loss, seed=1, dtype="float32")
    rule = Adam(learning_rate=RATE) if optimizer == "adam" else Sgd(learning_rate=RATE)
    problem, recipe = validate(sent), Recipe(optimizer=rule, epochs=10**6, batch_size=batch_size)
    epochs = train(problem, recipe, engine=choose_engine(engine, problem, recipe, Path(gettempdir()) / "bench").factory)
    return lambda: list(islice(epochs, 1))


def floors(inputs: Any, labels: Any, hidden: int, batch_size: int, optimizer: str) -> Callable[[], object]:
    """The matrix products of an epoch's steps and nothing else, always on the same examples."""
    X = inputs[:batch_size] / 1000
    W, V = np.ones((X.shape[1], hidden), X.dtype), np.ones((hidden, 10), X.dtype)
    H, Z, dW, dV = X @ W, X @ W @ V, W.copy(), V.copy()
    A, dA = H.copy(), H.copy()

    def epoch() -> None:
        for _ in range(0, len(inputs), batch_size):
            np.dot(X, W, H)
            np.dot(A, V, Z)
            np.dot(A.T, Z, dV)
            np.dot(Z, V.T, dA)
            np.dot(X.T, dA, dW)

    return epoch


def torchs(inputs: Any, labels: Any, hidden: int, batch_size: int, optimizer: str) -> Callable[[], object]:
    """An epoch of torch in eager mode."""
    import torch  # type: ignore[import-not-found,unused-ignore]

    torch.set_num_threads(1)
    layers = torch.nn.Linear(inputs.shape[1], hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10)
    network = torch.nn.Sequential(*layers)
    rules = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}
    rule = rules[optimizer](network.parameters(), lr=RATE)
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)

    def epoch() -> None:
        for chosen in torch.randperm(len(x)).split(batch_size):
            rule.zero_grad()
            torch.nn.functional.cross_entropy(network(x[chosen]), y[chosen]).backward()
            rule.step()

    return epoch


def sklearns(inputs: Any, labels: Any, hidden: int, batch_size: int, optimizer: str) -> Callable[[], object]:
    """An epoch of MLPClassifier."""
    from sklearn.neural_network import MLPClassifier  # type: ignore[import-not-found,unused-ignore]

    network = MLPClassifier((hidden,), solver=optimizer, batch_size=batch_size, learning_rate_init=RATE, momentum=0.0)
    return lambda: network.partial_fit(inputs, labels, classes=range(10))


def main() -> None:
    """Print the table."""
    generator = np.random.default_rng(1)
    for examples, features, hidden, batch_size, optimizer in CASES:
        inputs = generator.random((examples, features), dtype=np.float32)
        data = inputs, generator.integers(0, 10, examples), hidden, batch_size, optimizer
        contenders = {"gradd": ours(*data), "products alone": floors(*data)}
        contenders |= {"gradd compiled": ours(*data, "compiled")} if find_spec("numba") else {}
        contenders |= {"torch eager": torchs(*data)} if find_spec("torch") else {}
        contenders |= {"scikit-learn": sklearns(*data)} if find_spec("sklearn") else {}
        times = medians(contenders, rounds=7)
        print(f"{features}-{hidden}-10, batch {batch_size}, {optimizer}")
        for name, seconds in times.items():
            print(
                f"  {name:15}{examples / seconds:12,.0f} samples/s   gradd is {seconds / times['gradd']:.2f} times as fast"
            )


if __name__ == "__main__":
    main()
