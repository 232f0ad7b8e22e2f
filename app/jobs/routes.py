"""The routes of /v1/jobs."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from anyio import move_on_after, to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from sqlalchemy.orm import Session
from starlette.background import BackgroundTask

from app.http.caller import Caller
from app.http.dependencies import CallerDep, EndpointDep
from app.http.disconnection import while_connected
from app.http.endpoint import Endpoint
from app.http.openapi import describe, describe_answer
from app.http.pagination import After, Limit
from app.jobs import checkpoints, deletion, examples, repository, service
from app.jobs.actions import act
from app.jobs.dependencies import WatchDep
from app.jobs.event_stream import MEDIA_TYPE, EventStream
from app.jobs.request_schemas import JobRequest
from app.jobs.schemas import Action, CheckpointList, Job, JobEventList, JobList
from app.jobs.views import checkpoint_answer, event_answer, job_answer
from app.jobs.watch import JobWatch
from app.storage.database import Database
from app.storage.dependencies import DatabaseDep
from app.storage.numbered import page
from app.storage.ownership import visible
from app.storage.space import release
from app.storage.tables.jobs import StoredJob
from core.errors import Refusal

router = APIRouter(tags=["jobs"])

SETTLED = (*repository.ENDED, "paused")

STREAM = {
    "schema": {
        "type": "string",
        "description": "Server-sent events: `id`, `event` (the type) and `data` (a JobEvent).",
    },
    "example": 'event: status\ndata: {"id":1,"at":"2026-01-31T12:00:00Z","type":"status",...}\nid: 1\n\n',
}

NOT_FOUND = ("not-found", "invalid-request", "not-acceptable", "not-ready")
NOT_CHANGED = (*NOT_FOUND, "job-state", "insufficient-storage")
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Makes the request safe to repeat: sent again with the same key and body, it returns the job that was "
        "created first instead of creating a second one.",
    ),
]


@router.post(
    "/v1/jobs",
    operation_id="create_job",
    summary="Train a network",
    status_code=202,
    **describe(
        JobRequest,
        Job,
        examples.JOBS,
        statuses={202: "The job was put into the queue."},
        refusals=("idempotency-in-flight", "not-ready", "insufficient-storage", "overloaded", "rate-limited"),
    ),
)
async def create_job(
    endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, idempotency_key: Key = None
) -> Response:
    """Put a training job into the queue. A worker process trains the network and stores the result as a new model.

    If a worker is stopped or killed, another one continues the job from its last checkpoint; the result is the same to
    the last bit. GET /v1/jobs/{id} shows the progress.
    """
    return await endpoint.handle(
        JobRequest,
        lambda body, settings, check_deadline: service.create_job(
            body, settings, database, caller, idempotency_key, check_deadline
        ),
    )


@router.get("/v1/jobs", operation_id="list_jobs", summary="List jobs", **describe_answer(JobList, refusals=NOT_FOUND))
async def list_jobs(
    endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, limit: Limit = 20, after: After = None
) -> Response:
    """List the jobs, newest first."""

    def read() -> dict[str, Any]:
        with database.read() as session:
            jobs, has_more = page(session, StoredJob, limit, after, visible(StoredJob, caller))
            answer: dict[str, Any] = {"data": [job_answer(session, job) for job in jobs], "has_more": has_more}
            return answer | ({"next": jobs[-1].id} if has_more else {})

    return await endpoint.produce(lambda _: (read(), "json"))


@router.get(
    "/v1/jobs/{id}",
    operation_id="get_job",
    summary="Get a job",
    **describe_answer(Job, refusals=(*NOT_FOUND, "overloaded")),
)
async def get_job(
    endpoint: EndpointDep,
    database: DatabaseDep,
    caller: CallerDep,
    watch: WatchDep,
    id: str,
    wait: Annotated[
        float, Query(ge=0, le=60, description="Seconds to wait for the job to end or pause before answering.")
    ] = 0,
) -> Response:
    """Return the job's status, progress, result and allowed actions.

    With `wait`, the answer is delayed until the job ends or pauses, or until that many seconds have passed.
    """

    def read() -> dict[str, Any]:
        with database.read() as session:
            return job_answer(session, repository.find(session, id, caller))

    answer = await to_thread.run_sync(read)
    if wait and answer["status"] not in SETTLED:
        settled = await _settled(endpoint.request, watch, id, wait)
        answer = await to_thread.run_sync(read) if settled is None else settled
    return await endpoint.produce(lambda _: (answer, "json"))


async def _settled(request: Request, watch: JobWatch, id: str, wait: float) -> dict[str, Any] | None:
    """Return the job once it has ended or is paused, or after so many seconds; None if it cannot be read.

    Raises:
        RetryLater: if too many requests wait.
    """
    answer: dict[str, Any] | None = None
    with watch.listen(id) as job:
        async with while_connected(request):
            with move_on_after(wait):
                while not job.gone:
                    changed = job.changed
                    if job.status in SETTLED:
                        break
                    await changed.wait()
            if not job.gone:
                with suppress(Refusal):
                    answer = await watch.answer(job)
    return answer


async def _act(endpoint: Endpoint, database: Database, caller: Caller, id: str, action: Action) -> Response:
    def apply(session: Session) -> dict[str, Any]:
        return job_answer(session, act(session, id, action, caller))

    return await endpoint.produce(lambda _: (database.repeat(apply), "json"))


ACTED: dict[str, Any] = describe_answer(Job, refusals=NOT_CHANGED)


@router.post("/v1/jobs/{id}/cancel", operation_id="cancel_job", summary="Cancel a job", **ACTED)
async def cancel_job(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Cancel the job; it ends within a second. Its checkpoints are kept. Cancelling a sweep cancels all its parts."""
    return await _act(endpoint, database, caller, id, "cancel")


@router.post("/v1/jobs/{id}/pause", operation_id="pause_job", summary="Pause a job", **ACTED)
async def pause_job(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Pause the job. When it is resumed, it continues from its last checkpoint."""
    return await _act(endpoint, database, caller, id, "pause")


@router.post("/v1/jobs/{id}/resume", operation_id="resume_job", summary="Resume a job", **ACTED)
async def resume_job(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Resume a paused or failed job. It continues from its last checkpoint.

    A paused job returns to its former place in the queue. Resuming a sweep resumes its paused and failed parts.
    """
    return await _act(endpoint, database, caller, id, "resume")


@router.delete(
    "/v1/jobs/{id}",
    operation_id="delete_job",
    summary="Delete a job",
    status_code=204,
    **describe_answer(None, statuses={204: "The job was deleted."}, refusals=NOT_CHANGED),
)
async def delete_job(database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """Delete a job that has ended, with its events and checkpoints. Deleting a sweep deletes its parts.

    The trained model is kept.
    """
    await to_thread.run_sync(deletion.delete_job, database, id, caller)
    return Response(status_code=204, background=BackgroundTask(release, database))


@router.get(
    "/v1/jobs/{id}/events",
    operation_id="list_job_events",
    summary="List or stream the events of a job",
    **describe_answer(JobEventList, refusals=(*NOT_FOUND, "overloaded"), also={MEDIA_TYPE: STREAM}),
)
async def list_job_events(
    endpoint: EndpointDep,
    database: DatabaseDep,
    caller: CallerDep,
    watch: WatchDep,
    id: str,
    after: Annotated[int, Query(ge=0, lt=2**53, description="Return the events after the one with this id.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of entries in the answer.")] = 1000,
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID", description="Overrides `after`; browsers send it when they reconnect to a stream."
        ),
    ] = None,
) -> Response:
    """List the events of a job, oldest first, numbered without gaps.

    With `Accept: text/event-stream`, the events are sent as they happen until the job ends.
    """
    # A browser that reconnects sends the original URL, and the id of the last event in this header.
    if last_event_id is not None:
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 16):
            detail = "Last-Event-ID must be the id of an event, which is a number."
            raise Refusal.of("unknown-name", detail, "header", "Last-Event-ID", got=last_event_id[:60])
        after = int(last_event_id)

    def read() -> dict[str, Any]:
        with database.read() as session:
            job = repository.find(session, id, caller)
            if after > job.events:
                detail = f"Job {job.id} has no event {after}; the last one so far is {job.events}."
                raise Refusal.of("unknown-name", detail, "query", "after", expected=job.events, got=after)
            events = repository.events_after(session, job.number, after, limit + 1)
            data = [event_answer(event) for event in events[:limit]]
            following = {"next": data[-1]["id"]} if data else {}
            return {"data": data, "has_more": len(events) > limit, **following}

    if MEDIA_TYPE in endpoint.request.headers.get("accept", "").lower():
        await to_thread.run_sync(read)
        return EventStream(watch, id, after)
    return await endpoint.produce(lambda _: (read(), "json"))


@router.get(
    "/v1/jobs/{id}/checkpoints",
    operation_id="list_job_checkpoints",
    summary="List the checkpoints of a job",
    **describe_answer(CheckpointList, refusals=NOT_FOUND),
)
async def list_job_checkpoints(endpoint: EndpointDep, database: DatabaseDep, caller: CallerDep, id: str) -> Response:
    """List the stored checkpoints of a job: the last two and the best one.

    Each checkpoint is also a model, and another job can continue from it (`from_checkpoint`).
    """

    def read() -> dict[str, Any]:
        with database.read() as session:
            every = checkpoints.list_checkpoints(session, repository.find(session, id, caller))
            best = checkpoints.best_of(every)
            return {"data": [checkpoint_answer(one, best=one is best) for one in every]}

    return await endpoint.produce(lambda _: (read(), "json"))
