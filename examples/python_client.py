"""The README's first request through the Python client, and a refusal read as an exception.

Run by `make test-clients` against a live server: python examples/python_client.py http://127.0.0.1:8000
"""

from __future__ import annotations

import json
import sys

import numpy as np
from gradd_client import BinaryCrossEntropy, Client, Dense, Problem

network = [
    Dense(units=3, activation="tanh"),
    Dense(units=1, activation="sigmoid", name="out"),
]
parameters = {
    "1": {"weight": np.array([[0.1, 0.4, -0.5], [-0.2, 0.3, 0.2]]), "bias": np.zeros(3)},
    "out": {"weight": np.array([[0.7], [-0.1], [0.2]]), "bias": np.array([0.05])},
}
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
Y = np.array([[0], [1], [1], [0]])

with Client(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000") as gradd:
    answer = gradd.gradients(
        network=network,
        parameters=parameters,
        batch={"inputs": X, "targets": Y},
        loss=BinaryCrossEntropy(),
        convention="row",
        verify=True,
    )
    try:
        gradd.gradients(network=network, parameters={}, batch={"inputs": X, "targets": Y}, loss=BinaryCrossEntropy())
    except Problem as problem:
        refusal = {"type": problem.type, "pointers": [error.pointer for error in problem.errors]}

print(
    json.dumps(
        {
            "loss": answer.loss,
            "gradients": {
                layer: {name: array.tolist() for name, array in named.items()}
                for layer, named in answer.gradients.items()
            },
            "error": answer.certificate and answer.certificate.relative_error,
            "problem": refusal,
        }
    )
)
