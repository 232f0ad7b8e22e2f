"""The endpoint of a computation: completes the body with the stored model that it names before it computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request, Response

from app.http.caller import Caller
from app.http.dependencies import EndpointDep
from app.http.direct import DirectAnswers
from app.http.endpoint import Endpoint
from app.http.operation import Compute, Documents, Estimate, Operation
from app.models.cache import ModelCache
from app.models.resolve import resolve_model
from app.problem.schemas import NetworkInUse

N = TypeVar("N", bound=NetworkInUse)


@dataclass(frozen=True, slots=True)
class StoredModels:
    """Completes bodies with the stored models that they name. It can be sent to another process."""

    cache: ModelCache

    def __call__(self, body: N, caller: Caller) -> N:
        """Return the body completed with the model that it names.

        Raises:
            Refusal: `unknown-name`.
        """
        if body.model is not None:
            body.use.form.waits = not self.cache.is_local
        return resolve_model(body, lambda identity: self.cache.get(identity, caller))


class ComputationEndpoint:
    """An endpoint whose bodies contain a network or the id of a stored model."""

    def __init__(self, endpoint: Endpoint, models: ModelCache, direct: DirectAnswers) -> None:
        self._endpoint = endpoint
        self._models = models
        self._direct = direct

    async def handle(
        self,
        model: type[N],
        compute: Compute[N],
        documents: Documents | None = None,
        *,
        cost: Estimate[N] | None = None,
        is_steady: bool = False,
    ) -> Response:
        """Handle the request as `Endpoint.handle` does, with the stored model that the body names.

        Args:
            model: the schema of the body.
            compute: the computation, as in `Operation`.
            documents: other formats of the answer.
            cost: the estimate of the computation's cost, as in `Operation`.
            is_steady: whether the time of an answer follows from the form of the request, so that requests of a fast form
                may be answered directly.
        """
        operation = Operation(
            model, compute, documents or {}, StoredModels(self._models), cost, is_pure=True, shares_forms=True
        )
        if is_steady:
            self._direct.offer(self._endpoint.request.scope["path"], operation)
        return await self._endpoint.run(operation)


async def get_computation_endpoint(request: Request, endpoint: EndpointDep) -> ComputationEndpoint:
    """Return the endpoint of this request."""
    return ComputationEndpoint(endpoint, request.app.state.models, request.app.state.direct)


ComputationEndpointDep = Annotated[ComputationEndpoint, Depends(get_computation_endpoint)]
