"""The endpoint of a computation: completes the body with the stored model that it names before it computes."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import Depends, Request, Response

from app.http.caller import Caller
from app.http.dependencies import EndpointDep
from app.http.direct import DirectAnswers
from app.http.endpoint import Endpoint
from app.http.operation import Compute, Documents, Operation
from app.models.cache import ModelCache
from app.models.resolve import resolve_model
from app.problem.schemas import NetworkInUse

N = TypeVar("N", bound=NetworkInUse)


class ComputationEndpoint:
    """An endpoint whose bodies contain a network or the id of a stored model."""

    def __init__(self, endpoint: Endpoint, models: ModelCache, direct: DirectAnswers) -> None:
        self._endpoint = endpoint
        self._models = models
        self._direct = direct

    async def handle(
        self, model: type[N], compute: Compute[N], documents: Documents | None = None, *, is_steady: bool = False
    ) -> Response:
        """Handle the request as `Endpoint.handle` does, with the stored model that the body names.

        Args:
            model: the schema of the body.
            compute: the computation, as in `Operation`.
            documents: other formats of the answer.
            is_steady: whether the time of an answer follows from the form of the request, so that requests of a fast form
                may be answered directly.
        """
        operation = Operation(model, compute, documents or {}, self._resolve, shares_forms=True)
        if is_steady:
            self._direct.offer(self._endpoint.request.scope["path"], operation)
        return await self._endpoint.run(operation)

    def _resolve(self, body: N, caller: Caller) -> N:
        if body.model is not None:
            body.use.form.waits = not self._models.is_local
        return resolve_model(body, lambda identity: self._models.get(identity, caller))


async def get_computation_endpoint(request: Request, endpoint: EndpointDep) -> ComputationEndpoint:
    """Return the endpoint of this request."""
    return ComputationEndpoint(endpoint, request.app.state.models, request.app.state.direct)


ComputationEndpointDep = Annotated[ComputationEndpoint, Depends(get_computation_endpoint)]
