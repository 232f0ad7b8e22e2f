"""What the service does when far more is asked than it can compute: goodput, delays, and whether /livez answers.

python -m bench.overload [FACTOR ...]        default: 10

An open loop, as many clients are one: requests arrive at random times (Poisson) that do not wait for earlier answers, each on
a connection that is free or on a new one, and a delay counts from the time at which its request was due. First a closed loop
of 8 connections measures the capacity, then an open loop at 0.3 of it the delays without load. A request that is refused
with 503 is not repeated. The mix has nine requests of 2-3-1 for each one of 1024-4096-4096-1000, whose 25 million parameters
are drawn from a seed.

The generator is a process of its own on the same machine, so it takes a part of the processors: where it cannot send as much
as it should, the table says how much was asked. p99 is that of answers with status 200.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from bench._cases import MIDDLE, SMALL, Message, Network, message, problem
from bench._server import HOST, Server, gradd

SECONDS = 8.0
"""Time of a run."""

CONNECTIONS = 800
"""Most connections of the open loop. A request that is due when all are taken is lost."""

PROBE_SECONDS = 0.05
"""Time between two requests for /livez."""


@dataclass
class Outcome:
    """What became of the requests of a run."""

    delays: list[float] = field(default_factory=list)
    """Seconds until each answer with status 200."""

    refused: int = 0
    """Answers with status 503."""

    lost: int = 0
    """Requests without an answer, or with another status."""

    sent: int = 0
    probes: list[float] = field(default_factory=list)
    """Seconds until each answer of /livez."""

    seconds: float = 0.0

    @property
    def goodput(self) -> float:
        """Answers with status 200 per second."""
        return len(self.delays) / self.seconds

    def p99(self) -> float:
        """Return the delay that 99 of 100 answers with status 200 do not exceed."""
        return quantile(self.delays, 0.99)


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile of values; not a number if there are none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


class Connection(asyncio.Protocol):
    """A connection that sends one request at a time and waits for the whole answer."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0] or 0)
        if len(self._received) < end + 4 + length or self.answer is None or self.answer.done():
            return
        self._received.clear()
        if b"connection: close" in head and self.transport:
            self.transport.close()
        self.answer.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_result(0)

    @property
    def is_open(self) -> bool:
        """Whether another request can be sent."""
        return self.transport is not None and not self.transport.is_closing()


class Pool:
    """The connections to a server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[Connection] = []
        self.taken = 0

    async def ask(self, request: bytes) -> int:
        """Send a request and return the status of its answer; 0 if there was none."""
        self.taken += 1
        try:
            connection = await self._connection()
            connection.answer = asyncio.get_running_loop().create_future()
            assert connection.transport is not None  # noqa: S101
            connection.transport.write(request)
            status = await connection.answer
            if connection.is_open:
                self._free.append(connection)
            return status
        except OSError:
            return 0
        finally:
            self.taken -= 1

    async def _connection(self) -> Connection:
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        _, connection = await asyncio.get_running_loop().create_connection(Connection, HOST, self._port)
        return connection


def request_of(message: Message) -> bytes:
    """Return a request as it is sent."""
    head = f"POST {message.path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {message.content_type}\r\n"
    return f"{head}Content-Length: {len(message.body)}\r\n\r\n".encode() + message.body


LIVEZ = f"GET /livez HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


async def open_loop(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Outcome:
    """Send requests in turn at random times, so many a second, and probe /livez besides."""
    outcome, pool, random_times = Outcome(), Pool(port), random.Random(1)  # noqa: S311
    loop, tasks = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    async def one(request: bytes, due: float) -> None:
        status = await pool.ask(request)
        if status == 200:
            outcome.delays.append(loop.time() - due)
        elif status == 503:
            outcome.refused += 1
        else:
            outcome.lost += 1

    async def probe() -> None:
        probes = Pool(port)
        while True:
            start = loop.time()
            await probes.ask(LIVEZ)
            outcome.probes.append(loop.time() - start)
            await asyncio.sleep(PROBE_SECONDS)

    probing = asyncio.create_task(probe())
    start = due = loop.time()
    while due < start + seconds:
        due += random_times.expovariate(rate)
        while loop.time() < due:
            await asyncio.sleep(max(0.0, due - loop.time()))
        outcome.sent += 1
        if pool.taken >= CONNECTIONS:
            outcome.lost += 1
            continue
        task = asyncio.create_task(one(requests[outcome.sent % len(requests)], due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        if outcome.sent % 20 == 0:
            await asyncio.sleep(0)
    outcome.seconds = loop.time() - start
    if tasks:
        await asyncio.wait(tasks, timeout=60)
    probing.cancel()
    return outcome


async def closed_loop(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Outcome:
    """Send the next request on each connection when the answer has come."""
    outcome, pool, loop = Outcome(), Pool(port), asyncio.get_running_loop()
    end = loop.time() + seconds

    async def one(number: int) -> None:
        while loop.time() < end:
            start = loop.time()
            number += 1
            if await pool.ask(requests[number % len(requests)]) == 200:
                outcome.delays.append(loop.time() - start)
            else:
                outcome.refused += 1

    start = loop.time()
    await asyncio.gather(*(one(number) for number in range(connections)))
    outcome.seconds = loop.time() - start
    return outcome


def run_open(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Outcome:
    """Run an open loop in this process."""
    return asyncio.run(open_loop(port, requests, rate, seconds))


def run_closed(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Outcome:
    """Run a closed loop in this process."""
    return asyncio.run(closed_loop(port, requests, connections, seconds))


def measure(name: str, server: Server, requests: Sequence[bytes], factors: Sequence[float]) -> None:
    """Print the lines of a case."""
    with ProcessPoolExecutor(1, get_context("spawn")) as generator:

        def run(work: Callable[..., Outcome], *arguments: object) -> Outcome:
            outcome = generator.submit(work, server.port, requests, *arguments).result()
            server.wait_until_idle()
            return outcome

        run(run_closed, 8, 2.0)
        capacity = run(run_closed, 8, SECONDS).goodput
        unloaded = run(run_open, 0.3 * capacity, SECONDS)
        print(
            f"{name:24} capacity {capacity:7.1f}/s   without load: p50 {statistics.median(unloaded.delays) * 1e3:7.1f} ms "
            f" p99 {unloaded.p99() * 1e3:7.1f} ms  /livez {max(unloaded.probes) * 1e3:5.0f} ms"
        )
        for factor in factors:
            loaded = run(run_open, factor * capacity, SECONDS)
            asked = loaded.sent / loaded.seconds / capacity
            print(
                f"  asked {asked:5.1f} times: goodput {loaded.goodput / capacity:5.0%}  p50 "
                f"{quantile(loaded.delays, 0.5) * 1e3:7.1f} ms  p99 {loaded.p99() * 1e3:7.1f} ms "
                f"({loaded.p99() / unloaded.p99():.1f} times)  refused {loaded.refused}  lost {loaded.lost}  "
                f"/livez p99 {quantile(loaded.probes, 0.99) * 1e3:.0f} ms, at most {max(loaded.probes) * 1e3:.0f} ms",
                flush=True,
            )
            time.sleep(1)


def main() -> None:
    """Print the table."""
    factors = [float(argument) for argument in sys.argv[1:]] or [10.0]
    tiny, digits = (request_of(message(problem(network), "json")) for network in (SMALL, MIDDLE))
    fields = problem(Network((1024, 4096, 4096, 1000), 16)) | {"seed": 1, "include": ["loss"]}
    large = request_of(message({name: value for name, value in fields.items() if name != "parameters"}, "json"))
    with gradd() as server:
        for name, requests in ((SMALL.name, [tiny]), (MIDDLE.name, [digits]), ("mix", [tiny] * 9 + [large])):
            measure(name, server, requests, factors)


if __name__ == "__main__":
    main()
