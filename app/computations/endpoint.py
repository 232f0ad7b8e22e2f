"""The endpoint of a computation: a body that names a stored model is completed from it before anything is computed."""

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
    """An endpoint whose bodies are networks in use."""

    def __init__(self, endpoint: Endpoint, database: Database) -> None:
        self._endpoint = endpoint
        self._database = database

    async def handle(self, model: type[N], compute: Compute[N], documents: Documents | None = None) -> Response:
        """`Endpoint.handle`, with the stored model that the body names in its place."""
        resolve = partial(resolve_model, database=self._database)
        return await self._endpoint.handle(model, compute, documents, resolve=resolve)


async def get_computation_endpoint(endpoint: EndpointDep, database: DatabaseDep) -> ComputationEndpoint:
    """The endpoint of this request."""
    return ComputationEndpoint(endpoint, database)


ComputationEndpointDep = Annotated[ComputationEndpoint, Depends(get_computation_endpoint)]
