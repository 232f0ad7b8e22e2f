"""Dependencies of the routes: the settings, the executor and the endpoint of the request.

They are coroutines, because FastAPI would run plain functions in a thread for every request.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.http.endpoint import Endpoint
from app.http.executor import ComputeExecutor
from app.settings import Settings


async def get_settings(request: Request) -> Settings:
    """Return the settings of this server."""
    settings: Settings = request.app.state.settings
    return settings


async def get_executor(request: Request) -> ComputeExecutor:
    """Return the executor of this server."""
    executor: ComputeExecutor = request.app.state.executor
    return executor


SettingsDep = Annotated[Settings, Depends(get_settings)]
ExecutorDep = Annotated[ComputeExecutor, Depends(get_executor)]


async def get_endpoint(request: Request, settings: SettingsDep, executor: ExecutorDep) -> Endpoint:
    """Return the endpoint of this request."""
    return Endpoint(request, settings, executor)


EndpointDep = Annotated[Endpoint, Depends(get_endpoint)]
