"""The queue in front of computations: who is refused, and in which order the others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.http.computing.admission import OVERLOAD, PATIENCE, AdmissionQueue, Overloaded


class Clock:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def order_of(queue: AdmissionQueue, clock: Clock, arrivals: list[tuple[float, float]]) -> list[int]:
    """Return the order in which requests get the only place. It is taken until all of them have arrived."""
    order: list[int] = []

    async def ask(number: int, expected: float) -> None:
        async with queue.place(queue.admit(expected)):
            order.append(number)

    async with queue.place(queue.admit(1.0)):
        tasks = []
        for number, (at, expected) in enumerate(arrivals):
            clock.now = at
            tasks.append(asyncio.create_task(ask(number, expected)))
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return order


def run(work: Callable[[AdmissionQueue, Clock], Awaitable[None]], places: int = 1, max_waiting: int = 100) -> None:
    async def within_a_loop() -> None:
        clock = Clock()
        await work(AdmissionQueue(places, max_waiting, clock), clock)

    asyncio.run(within_a_loop())


def test_small_requests_overtake_large_ones_within_a_bound() -> None:
    async def work(queue: AdmissionQueue, clock: Clock) -> None:
        late = 10 * PATIENCE + 0.1  # After this, nothing overtakes the request of 10 s.
        assert await order_of(queue, clock, [(0.0, 10.0), (1.0, 0.01), (2.0, 0.01), (late, 0.01)]) == [1, 2, 0, 3]

    run(work)


def test_equal_requests_keep_their_order() -> None:
    async def work(queue: AdmissionQueue, clock: Clock) -> None:
        assert await order_of(queue, clock, [(0.0, 0.5)] * 5) == [0, 1, 2, 3, 4]

    run(work)


def test_up_to_the_capacity_requests_wait() -> None:
    """Sixteen clients in closed loops ask for just what one place can do, and none of them is refused."""

    async def work(queue: AdmissionQueue, clock: Clock) -> None:
        async with queue.place(queue.admit(0.1)):
            waiting = [asyncio.create_task(_wait(queue, 0.1)) for _ in range(15)]
            await asyncio.sleep(0)
            for _ in range(200):
                clock.now += 0.1
                queue.admit(0.1).end()
            assert queue.offered() == pytest.approx(1.0, abs=0.1)
        await asyncio.gather(*waiting)

    run(work)


def test_far_beyond_it_a_request_does_not_wait_longer_than_it_takes() -> None:
    async def work(queue: AdmissionQueue, clock: Clock) -> None:
        async with queue.place(queue.admit(0.1)):
            for _ in range(100):  # Ten times the capacity, for a second.
                clock.now += 0.01
                with_room = len(queue_refusals(queue, 0.1)) == 0
                assert with_room  # There is one request before it, which takes as long as it does.
            assert queue.offered() > OVERLOAD
            second = asyncio.create_task(_wait(queue, 0.1))
            await asyncio.sleep(0)
            (refusal,) = queue_refusals(queue, 0.1)
            assert refusal.headers["Retry-After"] == "1"
            assert queue_refusals(queue, 5.0) == []  # It takes longer than it would wait.
        await second
        assert queue_refusals(queue, 0.1) == [], "there is a free place"

    run(work)


def test_the_number_of_those_who_wait_is_bounded() -> None:
    async def work(queue: AdmissionQueue, _: Clock) -> None:
        async with queue.place(queue.admit(0.1)):
            waiting = [asyncio.create_task(_wait(queue, 0.1)) for _ in range(2)]
            await asyncio.sleep(0)
            assert queue_refusals(queue, 0.1)
            with pytest.raises(Overloaded):
                await _wait(queue, 0.1)
        await asyncio.gather(*waiting)

    run(work, max_waiting=2)


def test_who_leaves_the_queue_takes_no_place() -> None:
    async def work(queue: AdmissionQueue, _: Clock) -> None:
        async with queue.place(queue.admit(0.1)):
            leaving, staying = (asyncio.create_task(_wait(queue, 0.1)) for _ in range(2))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.sleep(0)
            assert queue.waiting == 1
        await staying
        # A place that is given to who leaves at that moment goes on to the next.
        async with queue.place(queue.admit(0.1)):
            leaving, staying = (asyncio.create_task(_wait(queue, 0.1)) for _ in range(2))
            await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait_for(staying, 5)
        async with asyncio.timeout(5), queue.place(queue.admit(0.1)):
            pass

    run(work)


async def _wait(queue: AdmissionQueue, expected: float) -> None:
    async with queue.place(queue.admit(expected)):
        await asyncio.sleep(0)


def queue_refusals(queue: AdmissionQueue, expected: float) -> list[Overloaded]:
    """Return the refusal of a request, if it is refused."""
    try:
        queue.admit(expected).end()
    except Overloaded as refusal:
        return [refusal]
    return []
