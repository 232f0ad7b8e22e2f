"""Many listeners of a job in one server process: one look at the database for all, and a bound."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import event, select

from app.jobs.actions import act
from app.jobs.repository import find, tell
from app.jobs.watch import JobWatch
from app.main import create_app
from app.settings import Settings
from app.storage import Database
from app.storage.tables.jobs import StoredJob
from tests.app.jobs.test_states import queued

LISTENERS = 500
EVENT = b"event: "


class Served:
    """A server in a thread of this process, whose queries are counted."""

    def __init__(self, address: str, folder: Path, **settings: Any) -> None:
        app = create_app(Settings(database_url=address, data_dir=folder, **settings))
        self._watch: JobWatch = app.state.job_watch
        self.queries = 0
        event.listen(app.state.database._engine, "before_cursor_execute", self._count)
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
        self.thread = threading.Thread(target=self.server.run)

    def _count(self, *_: object) -> None:
        self.queries += 1

    def queries_in(self, seconds: float) -> int:
        before = self.queries
        time.sleep(seconds)
        return self.queries - before

    @property
    def listeners(self) -> int:
        return self._watch._listeners

    @property
    def port(self) -> int:
        return int(self.server.servers[0].sockets[0].getsockname()[1])


@contextmanager
def served(address: str, folder: Path, **settings: Any) -> Iterator[Served]:
    found = Served(address, folder, **settings)
    found.thread.start()
    try:
        deadline = time.monotonic() + 60
        while not found.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield found
    finally:
        found.server.should_exit = True
        found.thread.join(60)


@contextmanager
def many_files() -> Iterator[None]:
    """Both ends of every connection are files of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8 * LISTENERS)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def listener(port: int, job: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /v1/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()
    assert b" 200 " in await reader.readline()
    return reader, writer


def change(database: Database, job: str, number: int) -> None:
    with database.write() as session:
        tell(session, find(session, job, lock=True), "metrics", {"epoch": number})


def end(database: Database, job: str) -> None:
    with database.write() as session:
        act(session, job, "cancel")


@pytest.mark.slow
def test_queries_do_not_grow_with_listeners(database: Database, address: str, tmp_path: Path) -> None:
    job = queued(database)
    change(database, job, 1)

    async def check(server: Served) -> None:
        first = await listener(server.port, job)
        with_one = await asyncio.to_thread(server.queries_in, 3)
        assert with_one > 3, "somebody looks"
        others = []
        for _ in range(LISTENERS // 50):
            others += await asyncio.gather(*(listener(server.port, job) for _ in range(50)))
        with_many = await asyncio.to_thread(server.queries_in, 3)
        assert with_many <= with_one + 6, "one look more or less"
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/livez", timeout=30)).status_code == 200
        change(database, job, 2)
        end(database, job)
        answers = await asyncio.gather(*(reader.read() for reader, _ in [first, *others]))
        for answer in answers:
            assert [part.split(b"\n")[0].strip() for part in answer.split(EVENT)[1:]] == [
                b"metrics",
                b"metrics",
                b"status",
            ]
        for _, writer in [first, *others]:
            writer.close()
        assert await asyncio.to_thread(server.queries_in, 1.5) == 0, "nobody is left to look for"

    with many_files(), served(address, tmp_path) as server:
        asyncio.run(check(server))


def test_long_polls_share_the_look_and_the_answer(database: Database, address: str, tmp_path: Path) -> None:
    job = queued(database)

    async def check(server: Served) -> None:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", limits=limits, timeout=60) as client:
            polls = [asyncio.create_task(client.get(f"/v1/jobs/{job}", params={"wait": 30})) for _ in range(60)]
            while server.listeners < len(polls):
                await asyncio.sleep(0.05)
            before = server.queries
            end(database, job)
            answers = await asyncio.gather(*polls)
            assert {answer.json()["status"] for answer in answers} == {"cancelled"}
            assert server.queries - before < len(polls)

    with served(address, tmp_path) as server:
        asyncio.run(check(server))


def test_there_is_a_bound_and_who_leaves_makes_room(database: Database, address: str, tmp_path: Path) -> None:
    job = queued(database)
    stream = {"Accept": "text/event-stream"}
    with (
        served(address, tmp_path, max_event_streams=2) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client,
    ):
        with ExitStack() as streams:
            for _ in range(2):
                response = streams.enter_context(client.stream("GET", f"/v1/jobs/{job}/events", headers=stream))
                assert response.status_code == 200
            for refused in (
                client.get(f"/v1/jobs/{job}/events", headers=stream),
                client.get(f"/v1/jobs/{job}", params={"wait": 5}),
            ):
                assert refused.status_code == 503
                assert refused.headers["content-type"] == "application/problem+json"
                assert int(refused.headers["retry-after"]) > 0
            assert client.get(f"/v1/jobs/{job}").status_code == 200
        deadline = time.monotonic() + 30
        while client.get(f"/v1/jobs/{job}", params={"wait": 0.1}).status_code == 503:
            assert time.monotonic() < deadline


def test_a_listener_from_far_back_gets_every_event_once(database: Database, address: str, tmp_path: Path) -> None:
    job = queued(database)
    with database.write() as session:
        for number in range(1300):
            tell(session, find(session, job), "metrics", {"epoch": number})
            session.flush()
    end(database, job)
    with (
        served(address, tmp_path) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client,
    ):
        text = client.get(f"/v1/jobs/{job}/events", headers={"Accept": "text/event-stream"}).text
    ids = [int(line[4:]) for line in text.splitlines() if line.startswith("id: ")]
    assert ids == list(range(1, 1302))


def test_the_stream_of_a_deleted_job_ends(database: Database, address: str, tmp_path: Path) -> None:
    job = queued(database)

    async def check(server: Served) -> None:
        reader, writer = await listener(server.port, job)
        with database.write() as session:
            session.delete(session.scalars(select(StoredJob).where(StoredJob.id == job)).one())
        await asyncio.wait_for(reader.read(), 30)
        writer.close()

    with served(address, tmp_path) as server:
        asyncio.run(check(server))
