"""The cost of /v1/step."""

from __future__ import annotations

from app.computations.step.schemas import StepRequest
from app.problem.costs import answer_cost, itemsize, network_cost, network_of_examples, request_cost
from app.settings import Settings
from core.cost import Cost
from core.cost.passes import training_steps


def step_cost(body: StepRequest, settings: Settings) -> Cost:
    """Return the cost of all steps and of the answer with parameters and optimizer state."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    part = network
    if body.batch_size is not None and body.batch_size < network.examples:
        part = network_of_examples(body, settings, body.batch_size)
    slots = len(body.optimizer.slots)
    cost = request_cost(body, network, settings) + training_steps(part, body.steps, slots, itemsize(body))
    return cost + answer_cost((1 + slots) * network.parameters + body.steps, settings)
