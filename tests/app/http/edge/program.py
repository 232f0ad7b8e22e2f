"""A server of the test's own: the application with routes that fail, take their time or answer in pieces."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.http.edge.protocol import protocol_class
from app.http.edge.protocol_h11 import GuardedH11
from app.main import create_app

GRACE = 2


async def fail(request: Request) -> Response:
    raise RuntimeError("a defect")


async def fail_midway(request: Request) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a half"
        raise RuntimeError("a defect")

    return StreamingResponse(pieces())


async def wait(request: Request) -> Response:
    await asyncio.sleep(float(request.query_params["seconds"]))
    return JSONResponse({"waited": True})


async def listen(request: Request) -> Response:
    async def events() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b": here\n\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(events(), media_type="text/event-stream")


async def read(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body()), "held": request.app.state.edge.bodies.held})


def main(parser: str) -> None:
    app = create_app()
    for endpoint in (fail, fail_midway, wait, listen, read):
        app.add_route(f"/test/{endpoint.__name__}", endpoint, methods=["GET", "POST"])
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=GuardedH11 if parser == "h11" else protocol_class(),
        ws="none",
        timeout_graceful_shutdown=GRACE,
        log_level="error",
        backlog=int(os.environ.get("BACKLOG", "2048")),
    )
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(sys.argv[1])
