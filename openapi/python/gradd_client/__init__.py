"""gradd for Python: NumPy arrays in and out, refusals raised. A thin layer over the generated client `gradd_api`.

    from gradd_client import Client, Dense, HalfSquaredError

    with Client("http://127.0.0.1:8000") as gradd:
        answer = gradd.gradients([Dense(kind="dense", units=3, activation="tanh")], {"1": {"weight": W, "bias": b}},
                                 inputs=X, targets=Y, loss=HalfSquaredError(kind="half_squared_error"))
        answer.gradients["1"]["weight"]     # an array of the shape of W

Tensors travel as base64, so nothing is lost and nothing is slow.
"""

from gradd_api.models import (
    ActivationLayer,
    BinaryCrossEntropy,
    CrossEntropy,
    Dense,
    HalfSquaredError,
    MeanSquaredError,
    SoftmaxCrossEntropy,
    Upstream,
)

from gradd_client.answer import Answer
from gradd_client.client import Client
from gradd_client.problem import Problem

__all__ = [
    "ActivationLayer",
    "Answer",
    "BinaryCrossEntropy",
    "Client",
    "CrossEntropy",
    "Dense",
    "HalfSquaredError",
    "MeanSquaredError",
    "Problem",
    "SoftmaxCrossEntropy",
    "Upstream",
]
