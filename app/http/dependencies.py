"""Dependencies of the routes: the settings, the caller and the endpoint of the request.

They are coroutines, because FastAPI would run plain functions in a thread for every request.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.http.caller import Caller, caller_of
from app.http.endpoint import Endpoint
from app.settings import Settings


async def get_settings(request: Request) -> Settings:
    """Return the settings of this server."""
    settings: Settings = request.app.state.settings
    return settings


SettingsDep = Annotated[Settings, Depends(get_settings)]


async def get_endpoint(request: Request) -> Endpoint:
    """Return the endpoint of this request."""
    return Endpoint(request, request.app.state.settings, request.app.state.dispatcher)


EndpointDep = Annotated[Endpoint, Depends(get_endpoint)]


async def get_caller(request: Request) -> Caller:
    """Return who sent this request."""
    return caller_of(request.scope)


CallerDep = Annotated[Caller, Depends(get_caller)]
