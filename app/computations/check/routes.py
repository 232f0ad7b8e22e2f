"""The routes POST /v1/check and POST /v1/probe."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.check import cost, examples, probe, probe_cost, service
from app.computations.check.probe_schemas import ProbeAnswer, ProbeRequest
from app.computations.check.schemas import CheckAnswer, CheckRequest
from app.computations.endpoint import ComputationEndpointDep
from app.http.dependencies import EndpointDep
from app.http.openapi import describe
from app.http.operation import Operation

router = APIRouter(tags=["math"])


@router.post(
    "/v1/check",
    operation_id="check_submission",
    summary="Find the mistake in your own backpropagation",
    **describe(CheckRequest, CheckAnswer, examples.CHECK),
)
async def check_submission(endpoint: ComputationEndpointDep) -> Response:
    """Compare the numbers that your own code computed with the correct ones, rule by rule.

    Each rule (forward, output delta, hidden delta, each gradient) is evaluated on your own numbers, as far as you sent
    them. Therefore each mistake is reported once, and numbers that are wrong only because of an earlier mistake are
    marked `inherited`. A cause is named only if its wrong formula reproduces your numbers.
    """
    return await endpoint.handle(CheckRequest, service.check_submission, cost=cost.check_cost)


@router.post(
    "/v1/probe",
    operation_id="make_probe",
    summary="Construct a test point that reveals known mistakes",
    **describe(ProbeRequest, ProbeAnswer, examples.PROBE),
)
async def make_probe(endpoint: EndpointDep) -> Response:
    """Construct parameters and a batch for testing your own backpropagation.

    The numbers are random, so that no wrong sign or index stays hidden, and the number of examples is a prime that
    cannot be confused with a width or a factor. Mistakes that stay hidden even at this point are listed.
    """
    operation = Operation(ProbeRequest, probe.find_probe, cost=probe_cost.probe_cost, is_pure=True)
    return await endpoint.run(operation)
