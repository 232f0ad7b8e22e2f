"""gradd for Python: NumPy arrays in and out, refusals raised. A thin layer over the generated client `gradd_api`.

from gradd_client import Client, Dense, HalfSquaredError

gradd = Client("http://127.0.0.1:8000")
answer = gradd.gradients(
    network=[Dense(units=3, activation="tanh")],
    parameters={"1": {"weight": W, "bias": b}},
    batch={"inputs": X, "targets": Y},
    loss=HalfSquaredError(),
)
answer.gradients["1"]["weight"]     # an array of the shape of W
"""

from gradd_api.models import ActivationFunction, Checkpoint, Job, JobEvent

from gradd_client import kinds
from gradd_client.answer import (
    Answer,
    Direction,
    Forward,
    Gradients,
    Inverse,
    InvertedLayer,
    Jacobian,
    OptimizerState,
    Probe,
    Product,
    Stepped,
)
from gradd_client.client import Batch, Client
from gradd_client.kept import KeptModel
from gradd_client.kinds import *  # noqa: F403  (generated: a kind that is added to the schema is here too)
from gradd_client.network import Network
from gradd_client.problem import Problem

__all__ = [
    "ActivationFunction",
    "Answer",
    "Batch",
    "Checkpoint",
    "Client",
    "Direction",
    "Forward",
    "Gradients",
    "Inverse",
    "InvertedLayer",
    "Jacobian",
    "Job",
    "JobEvent",
    "KeptModel",
    "Network",
    "OptimizerState",
    "Probe",
    "Problem",
    "Product",
    "Stepped",
]
__all__ += kinds.__all__
