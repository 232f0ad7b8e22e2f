"""Sweeps on real databases: their status, verbs and summary are what their parts make of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from app.http.caller import ANYBODY
from app.jobs import queue
from app.jobs.actions import act, actions
from app.jobs.examples import JOBS
from app.jobs.repository import events_after, find
from app.jobs.request_schemas import JobRequest
from app.jobs.service import create_job
from app.jobs.variants import distinct, variants
from app.settings import Settings
from app.storage import Database
from app.storage.tables.jobs import StoredJob
from app.wire.decode import decode
from core.errors import Refusal
from tests.app.jobs.test_states import claimed, queued, status, worker


@pytest.fixture
def sweep(database: Database) -> str:
    return queued(database, parts=2)


@pytest.fixture
def parts(database: Database, sweep: str) -> list[str]:
    return [queued(database, sweep=sweep, variant={"seed": seed}) for seed in (1, 2)]


def done(database: Database, identity: str, verb: str) -> str:
    with database.write() as session:
        return act(session, identity, verb).status


def shown(database: Database, sweep: str) -> tuple[str, list[str], dict[str, Any]]:
    with database.read() as session:
        job = find(session, sweep)
        return job.status, actions(session, job), job.progress


def last_event(database: Database, sweep: str) -> dict[str, Any]:
    with database.read() as session:
        return events_after(session, find(session, sweep).number, 0, 1000)[-1].data


def test_it_follows_its_parts(database: Database, sweep: str, parts: list[str]) -> None:
    executor = worker(database)
    for loss, part in zip((0.5, 0.25), parts, strict=True):
        got = claimed(database, executor)
        assert got
        assert got[0] == part
        with database.write() as session:
            session.execute(update(StoredJob).where(StoredJob.id == part).values(progress={"loss": loss}))
        assert status(database, sweep) == "running"
        with database.write() as session:
            queue.succeed(session, *got, {"model": f"mdl_{part}"[:28]})
    with database.read() as session:
        job = find(session, sweep)
        assert job.status == "succeeded"
        assert job.result
        assert job.result["best"]["job"] == parts[1]
    assert last_event(database, sweep) == {"status": "succeeded", "result": job.result}


def test_cancelling_it_cancels_its_parts(database: Database, sweep: str, parts: list[str]) -> None:
    executor = worker(database)
    got = claimed(database, executor)
    assert got
    with database.write() as session:
        queue.succeed(session, *got, {"model": "mdl_1"})
    claimed(database, executor)
    assert done(database, sweep, "cancel") == "cancelled"
    assert [status(database, part) for part in parts] == ["succeeded", "cancelled"]
    assert shown(database, sweep) == ("cancelled", [], {"parts": 2, "parts_ended": 2})
    ending = last_event(database, sweep)
    assert ending["status"] == "cancelled"
    assert [row["status"] for row in ending["result"]["parts"]] == ["succeeded", "cancelled"]
    assert done(database, sweep, "cancel") == "cancelled"
    assert claimed(database, executor) is None


def test_it_is_paused_when_all_that_is_left_is(database: Database, sweep: str, parts: list[str]) -> None:
    assert done(database, sweep, "pause") == "paused"
    assert shown(database, sweep)[1] == ["cancel", "resume"]
    assert done(database, parts[0], "resume") == "queued"
    assert shown(database, sweep)[:2] == ("queued", ["cancel", "pause", "resume"])
    claimed(database, worker(database))
    assert status(database, sweep) == "running"
    assert done(database, sweep, "resume") == "running"
    assert [status(database, part) for part in parts] == ["running", "queued"]
    for part in parts:
        done(database, part, "pause")
    assert shown(database, sweep)[:2] == ("paused", ["cancel", "resume"])
    assert done(database, sweep, "resume") == "running"
    assert [status(database, part) for part in parts] == ["queued", "queued"]
    assert done(database, sweep, "resume") == "running"
    for part in parts:
        done(database, part, "cancel")
    assert shown(database, sweep)[:2] == ("cancelled", [])
    with pytest.raises(Refusal):
        done(database, sweep, "resume")


def _request(**sweep: Any) -> JobRequest:
    layers = [{"kind": "dense", "units": 3, "name": "hidden"}, {"kind": "dense", "units": 1}]
    return decode(
        json.dumps({**JOBS["xor"]["value"], "network": {"layers": layers}, "sweep": sweep}).encode(), JobRequest
    )


def test_only_parts_of_other_shapes_are_checked() -> None:
    body = _request(seed=[1, 2, 3], learning_rate=[0.1, 0.2], batch_size=[2, 4], units={"hidden": [3, 4]})
    parts = list(variants(body))
    assert len(parts) == 24
    checked = distinct(parts)
    shapes = [(part.batch_size, getattr(part.network.layers[0], "units", None)) for part in checked]
    assert shapes == [(2, 3), (2, 4), (4, 3), (4, 4)]


def test_the_check_of_its_parts_ends_at_the_deadline(database: Database) -> None:
    calls: list[None] = []

    def check_deadline() -> None:
        calls.append(None)
        if len(calls) == 2:
            raise Refusal.of("timeout", "The computation was stopped.")

    body = _request(units={"hidden": [3, 4, 5]})
    with pytest.raises(Refusal, match="stopped"):
        create_job(body, Settings(), database, ANYBODY, "key", check_deadline)
    assert create_job(body, Settings(), database, ANYBODY, "key").status == 202
