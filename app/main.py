"""The application: what the service has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from app import VERSION, failures, openapi
from app.routes import (
    about,
    check,
    datasets,
    docs,
    explain,
    forward,
    gradients,
    health,
    invert,
    jacobian,
    jobs,
    models,
    playground,
    probe,
    problems,
    products,
    step,
)
from app.settings import Settings
from app.storage import Database
from app.workshop import Workshop

DESCRIPTION = """Send a network, its weights and a batch; get back activations, deltas and weight gradients, computed by
matrix-form backpropagation in your own convention.

Tensors are nested lists of numbers, or base64. Every refusal is `application/problem+json` and names the place, the
operator, the shapes and the likely fix."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Brings a SQLite file to this version before the first request; PostgreSQL waits for `gradd migrate`."""
    database: Database = app.state.database
    if database.is_sqlite:
        await to_thread.run_sync(database.migrate)
    yield
    database.close()


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service with its routes; settings come from the environment unless they are given."""
    settings = settings or Settings()
    app = FastAPI(
        title="gradd",
        version=VERSION,
        summary="The gradient service",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.state.settings = settings
    app.state.database = Database(settings.database_url)
    app.state.workshop = Workshop(settings.compute_threads, settings.max_waiting, settings.max_seconds)
    for routes in (
        gradients,
        forward,
        explain,
        jacobian,
        products,
        step,
        invert,
        check,
        probe,
        models,
        datasets,
        jobs,
        about,
        health,
        problems,
        docs,
        playground,
    ):
        app.include_router(routes.router)
    failures.register(app)
    app.openapi = openapi.published(app)  # type: ignore[method-assign]
    return app


app = create_app()
