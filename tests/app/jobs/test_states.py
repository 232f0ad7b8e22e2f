"""What may happen to a job, on real databases: every verb in every status, leases, rescues, and who can write what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from app.jobs import leases, queue
from app.jobs.actions import FROM, act, actions
from app.jobs.repository import LeaseLost, events_after, find, lock_held, new_id, tell
from app.jobs.turns import position
from app.settings import Settings
from app.storage import Database, now
from app.storage.tables.jobs import StoredJob, WorkerLease
from app.worker.worker import Worker
from core.errors import Refusal

pytestmark = pytest.mark.slow


def queued(database: Database, **more: Any) -> str:
    columns: dict[str, Any] = {
        "parts": 0,
        "status": "queued",
        "fencing_token": 0,
        "attempts": 0,
        "events": 0,
        "reported": 0,
        "progress": {},
    } | more
    with database.write() as session:
        job = StoredJob(id=new_id(), request={}, created_at=now(), **columns)
        session.add(job)
        return job.id


def worker(database: Database, name: str = "one", seconds: float = 60) -> str:
    with database.write() as session:
        leases.take(session, name, seconds)
    return name


def claimed(database: Database, executor: str) -> tuple[str, int] | None:
    with database.write() as session:
        return queue.claim(session, executor)


def status(database: Database, identity: str) -> str:
    with database.read() as session:
        return find(session, identity).status


def in_status(database: Database, wanted: str) -> str:
    return queued(database, status=wanted, executor="one" if wanted == "running" else None)


@pytest.mark.parametrize("verb", FROM)
@pytest.mark.parametrize("before", ["queued", "running", "paused", "succeeded", "failed", "cancelled"])
def test_every_verb_in_every_status(database: Database, before: str, verb: str) -> None:
    identity = in_status(database, before)
    if before not in FROM[verb]:
        with pytest.raises(Refusal) as caught, database.write() as session:
            act(session, identity, verb)
        assert caught.value.issues[0].code == "job-state"
        assert status(database, identity) == before
        return
    for _ in range(2):
        with database.write() as session:
            after = act(session, identity, verb)
        assert after.status == {"cancel": "cancelled", "pause": "paused", "resume": "queued"}[verb]
        assert after.events == 1


def test_jobs_are_handed_out_in_order_and_each_once(database: Database) -> None:
    jobs = [queued(database) for _ in range(6)]
    with database.read() as session:
        assert [position(session, find(session, job)) for job in jobs] == [1, 2, 3, 4, 5, 6]
    workers = [worker(database, name) for name in ("one", "two", "three")]

    def work(executor: str) -> list[str]:
        found = []
        for _ in range(20):
            if got := claimed(database, executor):
                found.append(got[0])
        return found

    with ThreadPoolExecutor(3) as threads:
        taken = list(threads.map(work, workers))
    assert sorted(job for mine in taken for job in mine) == sorted(jobs)
    assert all(mine == sorted(mine, key=jobs.index) for mine in taken)


def test_who_lost_a_job_writes_nothing(database: Database) -> None:
    identity = queued(database)
    got = claimed(database, worker(database))
    assert got
    with database.write() as session:
        act(session, identity, "pause")
        act(session, identity, "resume")
    assert claimed(database, "one") == (identity, got[1] + 3)
    for late in (
        lambda session: lock_held(session, *got),
        lambda session: queue.succeed(session, *got, {}),
        lambda session: queue.fail(session, *got, {}),
        lambda session: queue.give_back(session, *got, reason="late", counts=True),
    ):
        with pytest.raises(LeaseLost), database.write() as session:
            late(session)
    assert status(database, identity) == "running"


def test_jobs_of_dead_workers_are_rescued_and_never_fail_for_that(database: Database) -> None:
    identity = queued(database)
    for attempt in range(30):
        executor = worker(database, f"worker {attempt}")
        assert claimed(database, executor)
        with database.write() as session:
            assert queue.rescue(session) == 0
            leases.end(session, executor)
        with database.write() as session:
            assert queue.rescue(session) == 1
            assert not leases.renew(session, executor, 60)
    with database.read() as session:
        job = find(session, identity)
        assert (job.status, job.attempts) == ("queued", 0)
        assert session.scalars(select(WorkerLease)).all() == []
        events = events_after(session, job.number, 0, 1000)
    assert [event.id for event in events] == list(range(1, len(events) + 1))


def killed_three_times(database: Database, identity: str) -> None:
    """The process of the job ends by itself until the job has failed."""
    executor = worker(database)
    for _ in range(queue.MOST_ATTEMPTS):
        got = claimed(database, executor)
        assert got
        assert got[0] == identity
        with database.write() as session:
            queue.give_back(session, *got, reason="Its process was killed.", counts=True)
    assert status(database, identity) == "failed"


def test_a_failed_job_is_resumed_with_all_its_attempts(database: Database) -> None:
    identity = queued(database)
    killed_three_times(database, identity)
    with database.read() as session:
        job = find(session, identity)
        assert job.error
        assert "3 times" in job.error["detail"]
        assert actions(session, job) == ["resume"]
    with database.write() as session:
        act(session, identity, "resume")
    with database.read() as session:
        job = find(session, identity)
        assert (job.status, job.attempts, job.error, job.finished_at) == ("queued", 0, None, None)
    got = claimed(database, "one")
    assert got
    with database.write() as session:
        queue.succeed(session, *got, {"model": "a model"})
    assert status(database, identity) == "succeeded"


def test_a_failed_part_is_resumed_and_its_sweep_with_it(database: Database) -> None:
    sweep = queued(database, parts=1)
    part = queued(database, sweep=sweep)
    killed_three_times(database, part)
    assert status(database, sweep) == "failed"
    with database.write() as session:
        act(session, sweep, "resume")
    with database.read() as session:
        job = find(session, sweep)
        assert (job.status, job.error, job.finished_at) == ("running", None, None)
    got = claimed(database, "one")
    assert got
    with database.write() as session:
        queue.succeed(session, *got, {"model": "a model"})
    assert status(database, sweep) == "succeeded"


def test_a_part_of_a_cancelled_sweep_is_not_resumed(database: Database) -> None:
    sweep = queued(database, parts=2)
    failed, _ = queued(database, sweep=sweep), queued(database, sweep=sweep)
    killed_three_times(database, failed)
    with database.write() as session:
        act(session, sweep, "cancel")
    for identity in (sweep, failed):
        with pytest.raises(Refusal), database.write() as session:
            act(session, identity, "resume")


def test_a_lease_that_ended_unnoticed_goes_on(database: Database) -> None:
    identity = queued(database)
    executor = worker(database)
    assert claimed(database, executor)
    with database.write() as session:
        leases.end(session, executor)
    with database.write() as session:
        assert leases.renew(session, executor, 60)
        assert queue.rescue(session) == 0
    assert status(database, identity) == "running"


def test_a_worker_whose_lease_ended_gets_nothing(database: Database) -> None:
    queued(database)
    executor = worker(database)
    with database.write() as session:
        assert leases.renew(session, executor, 0)
    with pytest.raises(LeaseLost):
        claimed(database, executor)


def test_events_of_many_writers_have_ids_without_gaps(database: Database) -> None:
    identity = queued(database)

    def write(number: int) -> None:
        with database.write() as session:
            tell(session, find(session, identity, lock=True), "metrics", {"number": number})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(40)))
    with database.read() as session:
        job = find(session, identity)
        events = events_after(session, job.number, 0, 100)
        assert [event.id for event in events] == list(range(1, 41))
        assert [event.id for event in events_after(session, job.number, 38, 100)] == [39, 40]
    assert sorted(event.data["number"] for event in events) == list(range(40))


def test_a_claim_whose_answer_was_lost_is_no_ghost(database: Database) -> None:
    """The transaction was done, and the connection broke before the worker heard of it."""
    job = queued(database)
    settings = Settings(database_url=database.url.render_as_string(hide_password=False))
    one = Worker(settings, worker(database))
    claimed(database, "one")
    one._look()
    with database.read() as session:
        found = find(session, job)
        assert (found.status, found.fencing_token, found.attempts) == ("running", 3, 0)
    one._kill()
    one._database.close()
