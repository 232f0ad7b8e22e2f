"""Whose turn it is: owners, lanes and time slices, and the limits of the queue, on real databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.http.caller import Caller
from app.http.retry_later import RetryLater
from app.jobs import queue, turns
from app.jobs.queue_limits import refuse_beyond_limits
from app.jobs.repository import find
from app.settings import Settings
from app.storage import Database
from app.storage.tables.jobs import InterimState, QueueTurn, StoredJob
from tests.app.jobs.service import ended, events_of, long_job, posted, service, wait_until, workers
from tests.app.jobs.test_states import claimed, queued, worker


def order(database: Database, count: int, *, ends: bool = True) -> list[str]:
    """The jobs that one worker gets, one after the other; each ends before the next begins, or none does."""
    executor = worker(database)
    found = []
    for _ in range(count):
        got = claimed(database, executor)
        assert got
        found.append(got[0])
        if ends:
            with database.write() as session:
                queue.succeed(session, *got, {})
    return found


def positions(database: Database, jobs: list[str]) -> list[int | None]:
    with database.read() as session:
        return [turns.position(session, find(session, job)) for job in jobs]


def test_owners_take_turns(database: Database) -> None:
    a = [queued(database, owner="a") for _ in range(4)]
    b = [queued(database, owner="b") for _ in range(2)]
    assert positions(database, a + b) == [1, 3, 5, 6, 2, 4]
    assert order(database, 6) == [a[0], b[0], a[1], b[1], a[2], a[3]]


def test_an_owner_with_fewer_running_jobs_is_first(database: Database) -> None:
    a = [queued(database, owner="a") for _ in range(3)]
    assert order(database, 2, ends=False) == a[:2]
    b = [queued(database, owner="b") for _ in range(3)]
    with database.write() as session:
        assert queue.claim(session, "one") == (b[0], 1)
    with database.write() as session:
        assert queue.claim(session, "one") == (b[1], 1)


def test_a_short_job_and_a_sweep_take_turns_with_long_jobs(database: Database) -> None:
    long = [queued(database) for _ in range(9)]
    sweep = queued(database, parts=3)
    parts = [queued(database, sweep=sweep, lane=sweep) for _ in range(3)]
    short = queued(database, lane="short")
    expected = [long[0], parts[0], short, long[1], parts[1], long[2], parts[2], *long[3:]]
    assert positions(database, expected) == list(range(1, 14))
    assert order(database, 13) == expected
    with database.read() as session:
        assert {turn.lane for turn in session.scalars(select(QueueTurn))} == {"", "long", "short"}


def test_a_job_whose_slice_is_over_waits_behind_the_others(database: Database) -> None:
    jobs = [queued(database) for _ in range(3)]
    executor = worker(database)
    seen = []
    for _ in range(6):
        got = claimed(database, executor)
        assert got
        seen.append(got[0])
        with database.write() as session:
            queue.end_slice(session, *got)
    assert seen == jobs * 2


def test_a_key_has_a_bound_of_running_jobs(database: Database) -> None:
    jobs = [queued(database, owner="a") for _ in range(3)]
    executor = worker(database)
    for expected in jobs[:2]:
        with database.write() as session:
            assert queue.claim(session, executor, 2) == (expected, 1)
    with database.write() as session:
        assert not queue.is_waiting(session, 2)
        assert queue.claim(session, executor, 2) is None
        assert queue.others_wait(session, jobs[0], 2), "jobs of the same key give way to each other"
        assert queue.is_waiting(session, 3)


def refused(database: Database, settings: Settings, owner: str | None) -> RetryLater:
    with pytest.raises(RetryLater) as caught, database.write() as session:
        refuse_beyond_limits(session, settings, Caller(owner))
    return caught.value


def test_the_queue_has_bounds(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    settings = Settings(database_url=url, max_queued_jobs=5, max_queued_jobs_per_key=2)
    for _ in range(3):
        queued(database, owner="a")
    of_key = refused(database, settings, "a")
    assert (of_key.issues[0].code, of_key.headers["Retry-After"]) == ("rate-limited", "60")
    with database.write() as session:
        refuse_beyond_limits(session, settings, Caller("b"))
    for _ in range(3):
        queued(database, owner="b", progress={"eta_seconds": 3.2}, status="running")
        queued(database)
    in_all = refused(database, settings, None)
    assert (in_all.issues[0].code, in_all.headers["Retry-After"]) == ("overloaded", "4")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_all(**settings: Any) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"GRADD_{name.upper()}", str(value))

    return set_all


def test_a_full_queue_answers_503_and_takes_nothing(
    database: Database, address: str, environment: Callable[..., None]
) -> None:
    environment(max_queued_jobs=2)
    with service(address) as client:
        body = long_job(1)
        posted(client, body)
        refusal = client.post("/v1/jobs", json=body | {"sweep": {"seed": [1, 2]}}, headers={"Idempotency-Key": "a"})
        assert refusal.status_code == 503
        assert refusal.headers["content-type"] == "application/problem+json"
        assert int(refusal.headers["retry-after"]) == 60
        assert len(client.get("/v1/jobs").json()["data"]) == 1
        posted(client, body)


def model_of(client: httpx.Client, job: str) -> str:
    return str(ended(client, job)["result"]["model"])


@pytest.mark.slow
def test_long_jobs_give_way_in_the_middle_of_an_epoch_and_end_with_the_same_bits(
    database: Database, address: str, environment: Callable[..., None]
) -> None:
    environment(job_slice_seconds=0.1)
    more = {"epochs": 12, "batch_size": 3, "checkpoint_every_epochs": 1000}
    with service(address) as client:
        with workers(address, 1):
            alone = {seed: posted(client, long_job(seed, **more)) for seed in (1,)}
            expected = {seed: model_of(client, job) for seed, job in alone.items()}
        with workers(address, 1):
            jobs = [posted(client, long_job(1, **more)) for _ in range(2)]
            assert [model_of(client, job) for job in jobs] == [expected[1]] * 2
        gave_way = 0
        for job in jobs:
            events = events_of(client, job)
            statuses = [event["data"]["status"] for event in events if event["type"] == "status"]
            gave_way += statuses.count("queued") > 1
            assert [event["data"]["epoch"] for event in events if event["type"] == "metrics"] == list(range(1, 13))
        assert gave_way, "while the other one waited"
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(InterimState)) == 0


@pytest.mark.slow
def test_a_job_that_is_killed_in_its_first_epoch_goes_on_within_it(
    database: Database, address: str, environment: Callable[..., None]
) -> None:
    environment(checkpoint_every_seconds=0.02)
    more = {"epochs": 2, "batch_size": 1, "checkpoint_every_epochs": 1000}
    with service(address) as client, workers(address, 1) as running:
        expected = model_of(client, posted(client, long_job(1, **more)))
        job = posted(client, long_job(1, **more))

        def has_begun() -> bool:
            with database.read() as session:
                state = session.get(InterimState, session.scalar(select(StoredJob.number).where(StoredJob.id == job)))
                return state is not None and state.epoch == 0

        wait_until(has_begun)
        assert running[0].kill_child()
        assert model_of(client, job) == expected
        warnings = [event["data"] for event in events_of(client, job) if event["type"] == "warning"]
        assert [warning["attempts"] for warning in warnings] == [1]
