"""The endpoint of a computation: completes the body with the stored model that it names before it computes."""

from __future__ import annotations

from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends, Response

from app.http.dependencies import EndpointDep
from app.http.endpoint import Compute, Documents, Endpoint
from app.models.resolve import resolve_model
from app.problem.schemas import NetworkInUse
from app.storage.database import Database
from app.storage.dependencies import DatabaseDep

N = TypeVar("N", bound=NetworkInUse)


class ComputationEndpoint:
    """An endpoint whose bodies contain a network or the id of a stored model."""

    def __init__(self, endpoint: Endpoint, database: Database) -> None:
        self._endpoint = endpoint
        self._database = database

    async def handle(self, model: type[N], compute: Compute[N], documents: Documents | None = None) -> Response:
        """Handle the request as `Endpoint.handle` does, with the stored model that the body names."""
        resolve = partial(resolve_model, database=self._database)
        return await self._endpoint.handle(model, compute, documents, resolve=resolve)


async def get_computation_endpoint(endpoint: EndpointDep, database: DatabaseDep) -> ComputationEndpoint:
    """Return the endpoint of this request."""
    return ComputationEndpoint(endpoint, database)


ComputationEndpointDep = Annotated[ComputationEndpoint, Depends(get_computation_endpoint)]
