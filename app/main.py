"""The FastAPI application: `create_app` assembles the routes, and `app` is the default instance."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import create_task_group, to_thread
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app import VERSION
from app.access.guard import Guard
from app.access.openapi import with_keys
from app.computations.check.routes import router as check
from app.computations.explain.routes import router as explain
from app.computations.gradients.routes import router as gradients
from app.computations.invert.routes import router as invert
from app.computations.jacobian.routes import router as jacobian
from app.computations.products.routes import router as products
from app.computations.step.routes import router as step
from app.datasets.routes import router as datasets
from app.http import exception_handlers, openapi
from app.http.abandoned_bodies import remove_abandoned_bodies
from app.http.computing.dispatcher import Dispatcher
from app.http.computing.loop_pressure import LoopPressure
from app.http.direct import DirectAnswers, answer_directly
from app.http.edge.connections import Connections
from app.http.edge.layer import Edge
from app.http.edge.open_files import keep_open_files
from app.http.forms import FormCache
from app.http.operation import Server
from app.jobs.metrics import JobCollector
from app.jobs.routes import router as jobs
from app.jobs.watch import JobWatch
from app.models.cache import ModelCache
from app.models.routes import router as models
from app.pages.about import router as about
from app.pages.docs import router as docs
from app.pages.health import router as health
from app.pages.metrics import CacheMetrics
from app.pages.metrics import router as metrics_page
from app.pages.playground import router as playground
from app.pages.problem_types import router as problem_types
from app.retention.keeper import Keeper
from app.settings import Settings
from app.storage import Database
from app.telemetry.access_log import AccessLog
from app.telemetry.observer import Observer
from app.telemetry.request_metrics import SHARED, RequestMetrics
from app.telemetry.tracing import start_tracing

DESCRIPTION = """Send a network, its weights and a batch. The answer contains the activations, deltas and weight gradients,
computed by matrix-form backpropagation in your own convention.

Tensors are nested lists of numbers, or base64. Every error is an `application/problem+json` document that names the
location in the request, the operator, the shapes and the likely fix."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Migrate a SQLite database before the first request. PostgreSQL is migrated by `gradd migrate`.

    The state that is yielded is where the server's connections find the limits that they share.
    """
    keep_open_files()
    database: Database = app.state.database
    await to_thread.run_sync(remove_abandoned_bodies, app.state.settings.data_dir)
    if database.is_sqlite:
        await to_thread.run_sync(database.migrate)
    # What has been loaded lives as long as the process: searching it for garbage would pause requests for 0.1 s each time.
    gc.collect()
    gc.freeze()
    connections = Connections.of(app.state.settings)
    async with create_task_group() as tasks:
        tasks.start_soon(connections.watch)
        tasks.start_soon(app.state.pressure.watch)
        if SHARED in os.environ:
            tasks.start_soon(app.state.cache_metrics.keep_current)
        with Keeper(database, app.state.settings):
            yield {"connections": connections}
        await connections.wait_closed(seconds=1)
        tasks.cancel_scope.cancel()
    database.close()
    if app.state.tracing:
        await to_thread.run_sync(app.state.tracing.close)


class Application(FastAPI):
    """FastAPI, behind the edge, the guard, the direct answers and the admission of computations."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and record it."""
        if scope["type"] == "http":
            await self.state.observer.observe(self.state.pressure, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def pass_guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that has passed the edge."""
        await self.state.guard(self.answer, scope, receive, send)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of a known caller."""
        left = await answer_directly(self.state.direct, scope, receive, send)
        if left is not None:
            await self.state.dispatcher.admit(super().__call__, scope, left, send)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application. The settings are read from the environment unless they are given."""
    settings = settings or Settings()
    app = Application(
        title="gradd",
        version=VERSION,
        summary="The gradient service",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_url=None,  # app/pages/docs.py has it.
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app.state.settings = settings
    app.state.database = Database.of(settings)
    metrics = app.state.metrics = RequestMetrics(settings.metrics_dir)
    access_log = AccessLog(with_client=settings.log_client_address) if settings.access_log else None
    app.state.tracing = start_tracing("gradd")
    app.state.observer = Observer(metrics, access_log, app.state.tracing)
    app.state.edge = Edge(app.pass_guard, settings)
    app.state.guard = Guard(settings, app.state.database)
    rates = app.state.guard.rates
    forms = FormCache(settings.form_cache_bytes)
    app.state.server = Server(settings, forms, rates.charge, metrics, rates.operations_left)
    app.state.dispatcher = Dispatcher(app.state.server)
    app.state.pressure = LoopPressure(app.state.edge, app.state.dispatcher.computes)
    app.state.models = ModelCache(app.state.database, settings.model_cache_bytes)
    app.state.cache_metrics = CacheMetrics(metrics, {"forms": app.state.server.forms, "models": app.state.models})
    metrics.show(JobCollector(app.state.database))
    app.state.job_watch = JobWatch(app.state.database, settings.max_event_streams)
    app.state.direct = DirectAnswers(app.state.server)
    for router in (
        gradients,
        explain,
        jacobian,
        products,
        step,
        invert,
        check,
        models,
        datasets,
        jobs,
        about,
        health,
        metrics_page,
        problem_types,
        docs,
        playground,
    ):
        app.include_router(router)
    exception_handlers.register(app)
    app.openapi = with_keys(openapi.schema_factory(app))  # type: ignore[method-assign]
    return app


app = create_app()
