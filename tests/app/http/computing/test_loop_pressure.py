"""When the event loop comes late, a share of the computations is refused; nothing else is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.http.computing.loop_pressure import CROWD, LATE, LoopPressure
from app.main import create_app
from app.settings import Settings
from tests.server import JSON, refused

COMPUTED = "/v1/forward"
BODY = b'{"network":{"layers":[{"kind":"dense","units":1}]},"seed":1,"batch":{"inputs":[[1.0]]},"convention":"row"}'


async def nothing(*_: object) -> None: ...


def arrive(pressure: LoopPressure, computations: int) -> None:
    for _ in range(computations):
        asyncio.run(pressure({"type": "http", "path": COMPUTED}, never, nothing))


async def never() -> MutableMapping[str, Any]:
    raise AssertionError("no body is read")


def test_the_share_grows_while_the_loop_is_late_and_shrinks_after() -> None:
    pressure = LoopPressure(nothing, lambda path: path == COMPUTED)
    assert not any(pressure.refuses() for _ in range(100))
    shares = []
    for _ in range(20):
        arrive(pressure, CROWD)
        pressure.adapt(2 * LATE)
        shares.append(pressure.share)
    assert shares == sorted(shares)
    assert shares[-1] == 0.95
    assert sum(pressure.refuses() for _ in range(1000)) == pytest.approx(950, abs=1)
    for _ in range(100):
        pressure.adapt(0.0)
    assert pressure.share == 0.0
    assert not any(pressure.refuses() for _ in range(100))


def test_a_loop_that_is_late_for_other_reasons_refuses_nothing() -> None:
    pressure = LoopPressure(nothing, lambda path: path == COMPUTED)
    for _ in range(20):
        arrive(pressure, CROWD - 1)
        pressure.adapt(10 * LATE)
    assert pressure.share == 0.0


def test_only_computations_are_refused(tmp_path: Path) -> None:
    """Another task blocks the loop for longer than it may be late, while a crowd asks."""
    app = create_app(Settings(data_dir=tmp_path, max_waiting=10_000))

    async def ask() -> tuple[list[httpx.Response], list[httpx.Response]]:
        async def block() -> None:
            while True:
                time.sleep(2 * LATE)
                await asyncio.sleep(0)

        watching, blocking = asyncio.create_task(app.state.pressure.watch()), asyncio.create_task(block())
        computed: list[httpx.Response] = []
        alive: list[httpx.Response] = []
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=120) as client:
            for _ in range(5):
                crowd = (client.post("/v1/forward", content=BODY, headers=JSON) for _ in range(3 * CROWD))
                computed += await asyncio.gather(*crowd)
                alive.append(await client.get("/livez"))
        for task in (watching, blocking):
            task.cancel()
        return computed, alive

    computed, alive = asyncio.run(ask())
    assert {response.status_code for response in alive} == {200}
    assert {response.status_code for response in computed} == {200, 503}
    for response in computed:
        if response.status_code == 503:
            refused(response, 503, "overloaded")
            assert response.headers["retry-after"] == "1"
