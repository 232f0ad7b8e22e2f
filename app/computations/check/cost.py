"""The cost of /v1/check."""

from __future__ import annotations

from app.computations.check.schemas import CheckRequest
from app.problem.costs import READ_BYTES, elements_of, network_cost, request_cost
from app.settings import Settings
from core.cost import Cost
from core.cost.checking import examination
from core.operations import READ


def check_cost(body: CheckRequest, settings: Settings) -> Cost:
    """Return the cost of the comparison, and of the search for mistakes if there is a submission."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    sent, submission = 0, body.submission
    if submission is not None:
        tensors = (submission.preactivations, submission.activations, submission.deltas, submission.gradients)
        sent = elements_of([submission.output, submission.input_gradient, *tensors])
    reading = Cost(READ * sent, READ_BYTES * sent)
    return request_cost(body, network, settings) + reading + examination(network, searches=submission is not None)
